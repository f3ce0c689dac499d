// A release on real nodes: written, waited for until every kernel has it, true on the wire; and taken back where a node does not take it in time.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cloneRoot } from '../../needs.ts';
import { policyCrdFiles } from '../policy-crds.ts';
import { holdTruth } from './hold-truth.ts';
import { describeOnNodes, networkPolicy } from './world.ts';

const CRDS = join(cloneRoot, 'deploy/crds');
const crdFiles = [...policyCrdFiles(), ...readdirSync(CRDS).map((file) => join(CRDS, file))].join(' ');

describeOnNodes('a release on two nodes', { combination: { cni: 'bridge', nodes: 2, isDualStack: false, proxy: 'nftables' }, settings: { CRD_FILES: crdFiles } }, (world) => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-release-'));
  after(() => rmSync(folder, { recursive: true }));
  const files = (...objects: readonly object[]): string => {
    const path = join(folder, 'policies.yaml');
    writeFileSync(path, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
    return path;
  };
  const names = (): string => world().cluster.kubectl(['get', 'networkpolicy', '-A', '-o', 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {end}']).trim();
  const deny = networkPolicy('a/deny', { podSelector: {}, policyTypes: ['Ingress'] });
  const some = networkPolicy('a/some', { podSelector: { matchLabels: { app: 'x' } }, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: { matchLabels: { app: 'y' } } }], ports: [{ port: 81 }] }] });
  const more = networkPolicy('a/more', { podSelector: { matchLabels: { app: 'x' } }, policyTypes: ['Ingress'], ingress: [{ from: [{ namespaceSelector: { matchLabels: { app: 'y' } } }], ports: [{ port: 81 }] }] });

  /** Beside this process, which answers the probes. */
  const bulkhead = (...words: readonly string[]): Promise<{ readonly status: number | null; readonly text: string }> =>
    new Promise((resolve) => {
      const child = spawn(join(cloneRoot, 'bin/bulkhead'), [...words, '--kubeconfig', world().cluster.place.kubeconfig, '--yes'], { stdio: ['ignore', 'pipe', 'pipe'] });
      let text = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
      child.on('close', (status) => resolve({ status, text }));
    });

  test('ends when every node has it in its kernel, and then it is true on the wire', async () => {
    const { status, text } = await bulkhead('apply', files(deny, some, more));
    assert.deepEqual([status, /in force on all 2 nodes/.test(text)], [0, true], text);
    assert.equal(names(), 'a/deny a/more a/some');
    await holdTruth(world().cluster, world().fleet, { withinMs: 0 });
  });

  test('what goes is waited for as well', async () => {
    const { status, text } = await bulkhead('apply', files(deny, some), '--prune');
    assert.deepEqual([status, /in force on all 2 nodes/.test(text)], [0, true], text);
    await holdTruth(world().cluster, world().fleet, { withinMs: 0 });
  });

  test('with --atomic it is taken back where a node does not say so in time', async () => {
    const stopped = world().agents[1]!;
    process.kill(stopped.pid, 'SIGSTOP');
    try {
      const { status, text } = await bulkhead('apply', files(deny, some, more), '--atomic', '--wait', '3s');
      assert.equal(status, 1, text);
      assert.match(text, /NetworkPolicy a\/more is not in force on .*--atomic: it is taken back.*revision 4 of default is written/s);
      assert.equal(names(), 'a/deny a/some');
    } finally {
      process.kill(stopped.pid, 'SIGCONT');
    }
    const history = await bulkhead('rollback', '--to', '0');
    assert.deepEqual([history.status, names()], [0, ''], history.text);
    await holdTruth(world().cluster, world().fleet, { withinMs: 5_000 });
  });
});
