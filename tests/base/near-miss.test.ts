// The word that somebody probably meant.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestWord, nearestWordAnyCase } from '../../src/base/near-miss.ts';

test('a third of the signs may differ, one at least, and the nearest wins', () => {
  assert.equal(nearestWord('podSelecter', ['podSelector', 'namespaceSelector']), 'podSelector');
  assert.equal(nearestWord('form', ['ports', 'from']), 'from');
  assert.equal(nearestWord('a', ['b']), 'b');
  assert.equal(nearestWord('ab', ['cd']), undefined);
  assert.equal(nearestWord('web', ['wed', 'wet']), 'wed');
});

test('letter case counts unless it is said otherwise, and the word comes back as it is written', () => {
  assert.equal(nearestWord('PODSELECTOR', ['podSelector']), undefined);
  assert.equal(nearestWordAnyCase('PODSELECTOR', ['podSelector']), 'podSelector');
  assert.equal(nearestWordAnyCase('matchlabel', ['matchExpressions', 'matchLabels']), 'matchLabels');
  assert.equal(nearestWordAnyCase('tcp', ['TCP', 'Tcp']), 'TCP');
});
