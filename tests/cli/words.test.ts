// Words of the command line: help, versions, near misses, and the exit status of each mistake.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFileSync } from 'node:fs';
import { cloneRoot } from '../needs.ts';
import { runBulkhead, SMALL_CLUSTER } from './run-bulkhead.ts';

test('--version is that of the package', () => {
  const { version } = JSON.parse(readFileSync(`${cloneRoot}/package.json`, 'utf8')) as { version: string };
  assert.deepEqual(runBulkhead(['--version']), { status: 0, stdout: `${version}\n`, stderr: '' });
});

test('--help is an answer: on stdout, status 0', () => {
  for (const words of [['--help'], ['help'], ['reach', '--help'], ['help', 'reach'], ['lab', 'probe', '--help']]) {
    const { status, stdout, stderr } = runBulkhead(words);
    assert.equal(status, 0, words.join(' '));
    assert.match(stdout, /^Usage: bulkhead/, words.join(' '));
    assert.equal(stderr, '');
  }
});

interface Mistake {
  readonly words: readonly string[];
  readonly says: RegExp;
}

// Wrong words end with 2 and say what to write instead.
const MISTAKES: readonly Mistake[] = [
  { words: [], says: /Usage: bulkhead/ },
  { words: ['raech'], says: /unknown command 'raech'\n\(Did you mean reach\?\)/ },
  { words: ['reach', '--outptu', 'json'], says: /Did you mean --output\?/ },
  { words: ['reach', '-f', '-', '-o', 'jsno'], says: /Did you mean json\? One of: table, / },
  { words: ['reach', '-f', '-', '--by', 'pods'], says: /Did you mean pod\?/ },
  { words: ['reach'], says: /nothing to read\n {2}help: name manifests with -f FILE/ },
  { words: ['reach', '-f', 'no/such/file'], says: /cannot read `no\/such\/file`: no such file or folder/ },
  { words: ['reach', '-f', 'https://example.org/a.yaml'], says: /addresses are not fetched/ },
  { words: ['reach', '-f', '-', '--pod-cidr', 'ten'], says: /`ten` is no CIDR/ },
  { words: ['explain', '-f', '-'], says: /missing required argument 'SOURCE'/ },
  { words: ['explain', '-f', '-', 'app/sever', 'app/client'], says: /nothing here is called `app\/sever`\n {2}help: did you mean app\/server\?/ },
  { words: ['explain', '-f', '-', 'client', 'app/server'], says: /did you mean app\/client\?/ },
  { words: ['explain', '-f', '-', 'svc/app/servr', 'app/client'], says: /did you mean svc\/app\/server\?/ },
  { words: ['explain', '-f', '-', 'app/client', 'svc/app/server:81'], says: /has no port `81`\n {2}help: it has 80/ },
  { words: ['explain', '-f', '-', 'role=nobody', 'app/client'], says: /no pod has the labels `role=nobody`/ },
  { words: ['explain', '-f', '-', 'app/client', 'app/server', 'tpc/80'], says: /`tpc\/80` names no protocol/ },
  { words: ['explain', '-f', '-', 'app/client', 'app/server', 'tcp/70000'], says: /ports go from 1 to 65535/ },
  { words: ['explain', '-f', '-', 'app/client', 'app/server', 'tcp/wbe'], says: /no pod of the target has a TCP port named `wbe`/ },
  { words: ['demo', '--replicas', '0'], says: /A number from 1 is wanted/ },
];

for (const { words, says } of MISTAKES) {
  test(`bulkhead ${words.join(' ')}`, () => {
    const { status, stdout, stderr } = runBulkhead(words, words.includes('-') ? { input: SMALL_CLUSTER } : {});
    assert.match(stderr, says);
    assert.equal(stdout, '');
    assert.equal(status, 2);
  });
}
