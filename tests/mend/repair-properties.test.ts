// What must hold of text repair whatever the text: it gives back the policy that was meant, or leaves the text alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasErrors } from '../../src/base/finding.ts';
import { applyEdits, editsOf } from '../../src/mend/apply-edits.ts';
import { readText } from '../../src/mend/read-text.ts';
import { repairText } from '../../src/mend/repair-text.ts';
import { BREAKERS, validPolicy } from './broken-manifest.ts';

const RUNS = process.env['BULKHEAD_NIGHTLY'] === '1' ? 5_000 : 50;

/** What a text means, without the places in it. */
function meaningOf(text: string): string {
  const { policies, findings } = readText('policy.yaml', text);
  assert.ok(!hasErrors(findings), `${JSON.stringify(findings)}\n${text}`);
  return JSON.stringify(policies, (key, value: unknown) => (key === 'origin' ? undefined : typeof value === 'bigint' ? String(value) : value));
}

function isReadable(text: string): boolean {
  return !hasErrors(readText('policy.yaml', text).findings);
}

for (const { name, breakText } of BREAKERS) {
  test(`${name}: the repair gives the policy that was broken`, () => {
    fc.assert(
      fc.property(validPolicy, fc.nat(1000), (text, at) => {
        const broken = breakText(text, at);
        if (isReadable(broken)) return;
        const repair = repairText('policy.yaml', broken);
        assert.ok(repair.isChanged, `not repaired:\n${broken}`);
        assert.equal(meaningOf(repair.text), meaningOf(text));
      }),
      { numRuns: RUNS },
    );
  });
}

const severalBreaks = fc.tuple(validPolicy, fc.array(fc.tuple(fc.constantFrom(...BREAKERS), fc.nat(1000)), { minLength: 2, maxLength: 4 }));

test('several breaks at once: the policy that was meant, or the text as it was', () => {
  fc.assert(
    fc.property(severalBreaks, ([text, breaks]) => {
      const broken = breaks.reduce((before, [{ breakText }, at]) => breakText(before, at), text);
      if (isReadable(broken)) return;
      const repair = repairText('policy.yaml', broken);
      if (!repair.isChanged) assert.equal(repair.text, broken);
      else if (isReadable(repair.text)) assert.equal(meaningOf(repair.text), meaningOf(text), broken);
    }),
    { numRuns: RUNS * 4 },
  );
});

test('a repaired text is not repaired again, and its edits are what was done', () => {
  fc.assert(
    fc.property(severalBreaks, ([text, breaks]) => {
      const broken = breaks.reduce((before, [{ breakText }, at]) => breakText(before, at), text);
      const repair = repairText('policy.yaml', broken);
      assert.equal(applyEdits(broken, editsOf(repair.findings)), repair.text);
      if (!isReadable(repair.text)) return;
      assert.deepEqual(repairText('policy.yaml', repair.text), { text: repair.text, findings: [], isChanged: false });
    }),
    { numRuns: RUNS * 2 },
  );
});

const pieces = fc.constantFrom('apiVersion: networking.k8s.io/v1', 'kind: NetworkPolicy', 'metadata:', 'name: x', 'spec:', 'podSelector:', '- ', '\u2014 ', '  ', '\t', '\n', '\n', '\n', '```', '---', '{', '}', '[', '"', '\u201c', ': ', '|', '`a: b`', '\r', '\u200b', '\ud800', 'in the whole cluster. ');

test('no text makes the repair throw', () => {
  const texts = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join('')));
  fc.assert(
    fc.property(texts, fc.constantFrom('a.yaml', 'a.md'), (text, file) => {
      const repair = repairText(file, text);
      if (!repair.isChanged) assert.ok(repair.findings.every((finding) => finding.code === 'text-claims-otherwise'));
    }),
    { numRuns: RUNS * 10 },
  );
});

test('long lines and many lines are worked through in a straight line', () => {
  const shapes = ['- ', '\t', '\u201c', '`a: ', 'a:b ', '[', '\u2014', '\n', ' \n', 'x\n', '"', '```\n', ' #', '---\n', 'spec:\n', '- - '];
  for (const shape of shapes) {
    const text = `kind: NetworkPolicy\n\u2014\n${shape.repeat(20_000)}`;
    assert.equal(typeof repairText('long.md', text).text, 'string');
  }
});
