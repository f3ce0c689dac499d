// The agent's process and the program nft that it starts hold NET_ADMIN and nothing else, in every thread.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { cloneRoot, needs } from '../needs.ts';

interface Shown {
  readonly masks: readonly { readonly held: string; readonly effective: string; readonly isNoNewPrivileges: boolean }[];
  readonly words: readonly string[];
}

const NET_ADMIN = (1 << 12).toString(16);
const BOTH = ((1 << 12) | (1 << 21)).toString(16);

/** In a network namespace of its own, which ends with it. */
function show(kept: readonly string[], before: readonly string[] = []): Shown {
  const words = [...before, join(cloneRoot, 'bin/node'), join(cloneRoot, 'tests/kernel/drop-rights-and-show.ts'), ...kept];
  const { status, stdout, stderr } = spawnSync('unshare', ['-n', ...words], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Shown; // what the program above prints
}

for (const { name, kept, mask } of [{ name: 'NET_ADMIN alone', kept: ['NET_ADMIN'], mask: NET_ADMIN }, { name: 'SYS_ADMIN too, for probing', kept: ['NET_ADMIN', 'SYS_ADMIN'], mask: BOTH }]) {
  test(`${name}: every thread, and the rules are still loaded`, needs('kernel'), () => {
    const { masks, words } = show(kept);
    assert.ok(masks.length > 1, 'Node has threads of its own');
    assert.deepEqual([...new Set(masks.map(({ held }) => held))], [mask]);
    assert.deepEqual([...new Set(masks.map(({ effective }) => effective))], [mask]);
    assert.ok(masks.every(({ isNoNewPrivileges }) => isNoNewPrivileges));
    assert.deepEqual(words, kept);
  });
}

test('a process that was started without more, as in a pod, is left as it is', needs('kernel', 'root'), () => {
  const { masks } = show(['NET_ADMIN'], ['setpriv', '--no-new-privs', '--bounding-set=-all,+net_admin', '--inh-caps=-all', '--ambient-caps=-all']);
  assert.deepEqual([...new Set(masks.map(({ held }) => held))], [NET_ADMIN]);
});
