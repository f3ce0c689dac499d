// The host is asked whether it can enforce, and the setting that forbids it is named.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detectKernel } from '../../src/kernel/detect-kernel.ts';
import { explainRefusal } from '../../src/kernel/namespace-right.ts';
import { needs, whyMissing } from '../needs.ts';

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
