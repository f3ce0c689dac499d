// The questionnaire of `bulkhead new` on a real terminal: what is offered, what is taken, what is asked again, and how it is left.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CTRL_C, runOnTerminal } from './pseudo-terminal.ts';
import { makeFolder, runBulkhead } from './run-bulkhead.ts';

const onLinux = process.platform === 'linux' ? {} : { skip: 'the pseudo-terminal is that of Linux' };
const EXAMPLE = ['-f', 'examples/patterns'];

test('what is missing is asked, by number or by name, and gives what the words would', onLinux, async (t) => {
  const terminal = runOnTerminal(t, ['new', 'database', '--from-namespace', 'blog', ...EXAMPLE]);
  await terminal.waitFor('In which namespace?');
  await terminal.waitFor('6  shop');
  terminal.type('6\r');
  await terminal.waitFor('Which pods shall it govern?');
  await terminal.waitFor('2  app=db');
  terminal.type('app=db\r');
  await terminal.waitFor('Which pods connect?');
  await terminal.waitFor('1  app=blog');
  terminal.type('1\r');
  await terminal.waitFor('On which port?');
  await terminal.waitFor('1  tcp/5432 (postgres)');
  terminal.type('1\r');
  const { status, stdout, printed } = await terminal.ended;
  assert.equal(status, 0, printed);
  const words = ['new', 'database', '-n', 'shop', '--selector', 'app=db', '--from-namespace', 'blog', '--from-selector', 'app=blog', '--port', 'tcp/5432'];
  assert.equal(stdout, runBulkhead([...words, ...EXAMPLE]).stdout);
});

test('an answer that will not do is asked again, with the reason', onLinux, async (t) => {
  const terminal = runOnTerminal(t, ['new', 'default-deny', ...EXAMPLE]);
  await terminal.waitFor('In which namespace?');
  terminal.type('\r');
  await terminal.waitFor('an answer is needed');
  terminal.type('shpo\r');
  await terminal.waitFor('did you mean `shop`?');
  terminal.type('Shop\r');
  await terminal.waitFor('is no name of a namespace');
  terminal.type('shop\r');
  await terminal.waitFor('What shall it govern?');
  await terminal.waitFor('[both]');
  terminal.type('sideways\r');
  await terminal.waitFor('is none of both, ingress, egress');
  terminal.type('2\r');
  await terminal.waitFor('[every pod]');
  terminal.type('\r');
  const { status, stdout } = await terminal.ended;
  assert.equal(status, 0);
  assert.equal(stdout, runBulkhead(['new', 'default-deny', '-n', 'shop', '--direction', 'ingress', ...EXAMPLE]).stdout);
});

test('what is pasted at once is kept for the questions to come', onLinux, async (t) => {
  const terminal = runOnTerminal(t, ['new', 'default-deny', ...EXAMPLE]);
  await terminal.waitFor('In which namespace?');
  terminal.type('shop\rboth\rapp=web\r');
  const { status, stdout } = await terminal.ended;
  assert.equal(status, 0);
  assert.equal(stdout, runBulkhead(['new', 'default-deny', '-n', 'shop', '--direction', 'both', '--selector', 'app=web', ...EXAMPLE]).stdout);
});

for (const [name, typed] of [['Ctrl-C', CTRL_C], ['the end of input', '\u0004']] as const) {
  test(`${name} ends it: nothing is printed, nothing is written`, onLinux, async (t) => {
    const file = join(makeFolder(t), 'policy.yaml');
    const terminal = runOnTerminal(t, ['new', 'default-deny', '--write', file, ...EXAMPLE]);
    await terminal.waitFor('> ');
    terminal.type(typed);
    const { status, stdout, printed } = await terminal.ended;
    assert.deepEqual([status, stdout, existsSync(file)], [130, '', false]);
    assert.doesNotMatch(printed, /Error|bug|at /);
  });
}

test('nothing is asked where nothing is missing', onLinux, async (t) => {
  const terminal = runOnTerminal(t, ['new', 'default-deny', '-n', 'shop', ...EXAMPLE]);
  const { status, printed } = await terminal.ended;
  assert.equal(status, 0);
  assert.doesNotMatch(printed, /\?/);
});
