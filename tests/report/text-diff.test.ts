// Repairs as a unified diff.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLAIN_STYLE, TERMINAL_STYLE } from '../../src/report/text/style.ts';
import { unifiedDiff } from '../../src/report/text/text-diff.ts';

const BEFORE = 'kind: Pod\nmetadata: \nname: web\n';
const AFTER = 'kind: Pod\nmetadata:\n  name: web\n';

test('a repair is a patch that `patch` takes', () => {
  assert.equal(
    unifiedDiff({ file: 'a.yaml', before: BEFORE, after: AFTER }, PLAIN_STYLE),
    '--- a.yaml\n+++ a.yaml\n@@ -1,3 +1,3 @@\n kind: Pod\n-metadata: \n-name: web\n+metadata:\n+  name: web\n',
  );
});

test('without a change there is no diff', () => {
  assert.equal(unifiedDiff({ file: 'a.yaml', before: AFTER, after: AFTER }, PLAIN_STYLE), '');
});

test('on a terminal a blank that goes away can be seen', () => {
  const colored = unifiedDiff({ file: 'a.yaml', before: BEFORE, after: AFTER }, TERMINAL_STYLE);
  assert.match(colored, /\u001b\[7m\u001b\[31m \u001b\[39m\u001b\[27m/);
});
