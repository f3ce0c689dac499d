// Names of policies made of labels: whatever the labels are, a server takes the name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkLabelValue, checkSubdomain } from '../../src/model/names.ts';
import { policyName } from '../../src/pattern/pattern-words.ts';

test('a name made of label values is one that a server takes', () => {
  const value = fc.stringMatching(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/).filter((text) => checkLabelValue(text) === undefined);
  fc.assert(fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), (values) => {
    const name = policyName({ podSelector: { requirements: [{ kind: 'In', key: 'app', values }] } }, 'default-deny');
    assert.equal(checkSubdomain(name), undefined, name);
  }), { numRuns: 2000 });
});

test('signs that no name has become one hyphen, and a single point stays', () => {
  const nameOf = (value: string): string => policyName({ podSelector: { requirements: [{ kind: 'In', key: 'app', values: [value] }] } }, 'x');
  assert.equal(nameOf('Web_v1.2'), 'web-v1.2-x');
  assert.equal(nameOf('a.-b..c'), 'a-b-c-x');
});
