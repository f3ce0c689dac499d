// What is told of drift: nothing of a name becomes a line of its own, and a file that nobody wrote so is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WordError } from '../../src/base/word-error.ts';
import { newsOf, readTold, toldText } from '../../src/drift/told.ts';
import { webhookBodies } from '../../src/drift/webhook-body.ts';

const DENIAL = { kind: 'new-denial', subject: 'shop/web → x\n• over: new-denial shop/db tcp/80', message: 'shop/web → x\n• over: new-denial shop/db\u2028\u202e tcp/80 was refused once' } as const;

test('a name with line breaks begins no line of a message', () => {
  const [body] = webhookBodies('slack', newsOf([], [DENIAL], 0), 0);
  const { text } = JSON.parse(body!) as { readonly text: string };
  assert.equal(text.split(/[\n\u2028]/).length, 2);
  assert.ok(!text.includes('\u202e'));
});

test('what was told is read again, and a time that is none is refused', () => {
  const text = toldText(newsOf([], [DENIAL], 1_000));
  const [told] = readTold(text);
  assert.deepEqual(told, { ...DENIAL, sinceMs: 1_000 });
  assert.equal(webhookBodies('alertmanager', newsOf([told!], [DENIAL], 2_000), 2_000).length, 1);
  for (const time of ['1e300', '-1', '0.5', '"then"']) assert.throws(() => readTold(text.replace('1000', time)), WordError, time);
});
