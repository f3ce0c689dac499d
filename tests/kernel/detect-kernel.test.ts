// The host is asked whether it can enforce, and the setting that forbids it is named.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { detectKernel } from '../../src/kernel/detect-kernel.ts';
import { FirewallError } from '../../src/kernel/firewall-error.ts';
import { loadNft } from '../../src/kernel/internal/run-nft.ts';
import { explainMissing, findMissingFeatures, KERNEL_FEATURES } from '../../src/kernel/kernel-features.ts';
import { explainRefusal } from '../../src/kernel/namespace-right.ts';
import { closeNamespace, createNamespace, type NamespaceFd } from '../../src/kernel/network-namespace.ts';
import { cloneRoot, needs, whyMissing } from '../needs.ts';

test('where the kernel tests can run, enforcement can', needs('kernel'), () => {
  const support = detectKernel();
  assert.ok(support.canEnforce, JSON.stringify(support));
  assert.equal(support.how, 'direct');
  assert.match(support.nftVersion, /^\d+\.\d+/);
});

test('where they cannot, a reason and a remedy are given', () => {
  const support = detectKernel();
  assert.equal(support.canEnforce, whyMissing('kernel') === undefined || (support.canEnforce && support.how === 'user-namespace'));
  if (!support.canEnforce) assert.ok(support.reason.length > 0 && support.remedy.length > 0);
});

// Each setting that refuses user namespaces, with what the remedy must set.
const SETTINGS = [
  { wanted: 'kernel.apparmor_restrict_unprivileged_userns=0', name: 'kernel.apparmor_restrict_unprivileged_userns', value: '1' },
  { wanted: 'kernel.unprivileged_userns_clone=1', name: 'kernel.unprivileged_userns_clone', value: '0' },
  { wanted: 'user.max_user_namespaces=10000', name: 'user.max_user_namespaces', value: '0' },
];

for (const { wanted, name, value } of SETTINGS) {
  test(`the refusal names \`${name}\``, () => {
    const { reason, remedy } = explainRefusal((asked) => (asked === name ? value : undefined));
    assert.ok(reason.includes(name), reason);
    assert.ok(remedy.includes(wanted), remedy);
  });
}

test('a refusal without a known setting says how to get the right', () => {
  assert.match(explainRefusal(() => undefined).remedy, /root/);
});

test('each part that the table takes of a kernel is in the reference, with its first version', () => {
  const page = readFileSync(join(cloneRoot, 'docs/reference/nftables.md'), 'utf8');
  for (const { name, since, module } of KERNEL_FEATURES) assert.ok(page.includes(`| ${name} | ${since} | ${module} |`), name);
});

test('what this kernel has is not called missing, and what none has is', needs('kernel'), () => {
  const namespace = createNamespace();
  try {
    const load = (text: string): boolean => isLoaded(namespace, text);
    assert.deepEqual(findMissingFeatures(load, 'tried'), []);
    const lacking = findMissingFeatures((text) => load(text.replace('flags interval', 'flags nothing_of_this_name')), 'tried');
    assert.deepEqual(lacking.map(({ name }) => name), ['ranges in keys of several fields']);
    assert.match(explainMissing(lacking)!.reason, /^this kernel lacks ranges in keys of several fields \(Linux 5\.6 and newer\)$/);
    assert.equal(explainMissing([]), undefined);
  } finally {
    closeNamespace(namespace);
  }
});

function isLoaded(namespace: NamespaceFd, text: string): boolean {
  try {
    loadNft(`${text}delete table inet tried\n`, { namespace, doing: 'try a text' });
    return true;
  } catch (error) {
    if (error instanceof FirewallError) return false;
    throw error;
  }
}
