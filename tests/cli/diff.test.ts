// `bulkhead diff`: two sets named outright, and one of them from a revision of git.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeFolder, runBulkhead, SMALL_CLUSTER } from './run-bulkhead.ts';

const OPEN_CLUSTER = SMALL_CLUSTER.replace(/---\napiVersion: networking[^]*/, '');

test('both sides are named; what is gained and lost is told', (t) => {
  const folder = makeFolder(t, { 'old/app.yaml': SMALL_CLUSTER, 'new/app.yaml': OPEN_CLUSTER });
  const { status, stdout } = runBulkhead(['diff', 'old', 'new'], { cwd: folder });
  assert.equal(status, 0);
  assert.match(stdout, /^gained\n/);
  assert.match(stdout, /\+ the outside {2}→ {2}app\/server +all\n/);
  assert.doesNotMatch(stdout, /lost/);
  assert.equal(runBulkhead(['diff', 'old', 'new', '--exit-code'], { cwd: folder }).status, 1);
  assert.deepEqual(runBulkhead(['diff', 'old', 'old', '--exit-code'], { cwd: folder }), { status: 0, stdout: 'no connection is gained or lost\n', stderr: '' });
});

/** A folder under git whose only commit, `v1`, has the small cluster in `manifests`. */
function makeRepository(t: TestContext): { readonly folder: string; readonly git: (...words: string[]) => void } {
  const folder = makeFolder(t, { 'manifests/app.yaml': SMALL_CLUSTER, 'manifests/notes.txt': 'no manifest', 'README.md': 'x' });
  const git = (...words: string[]): void => {
    const name = ['-c', 'user.name=test', '-c', 'user.email=test@example.org', '-c', 'commit.gpgsign=false'];
    const ran = spawnSync('git', [...name, ...words], { cwd: folder, encoding: 'utf8' });
    assert.equal(ran.status, 0, ran.stderr);
  };
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '-m', 'first');
  git('tag', 'v1');
  return { folder, git };
}

test('--old-ref reads the old set from git, whatever the working tree holds', (t) => {
  const { folder } = makeRepository(t);
  writeFileSync(join(folder, 'manifests/app.yaml'), OPEN_CLUSTER);
  const { status, stdout } = runBulkhead(['diff', '--old-ref', 'v1', 'manifests', '--exit-code'], { cwd: folder });
  assert.equal(status, 1, stdout);
  assert.match(stdout, /^gained\n/);
  const file = runBulkhead(['diff', '--old-ref', 'HEAD', 'manifests/app.yaml'], { cwd: folder });
  assert.equal(file.stdout, stdout);
  const fromWithin = runBulkhead(['diff', '--old-ref', 'HEAD', '.'], { cwd: join(folder, 'manifests') });
  assert.equal(fromWithin.stdout, stdout);
});

test('findings in an old revision name it, and stop the answer', (t) => {
  const { folder, git } = makeRepository(t);
  writeFileSync(join(folder, 'manifests/app.yaml'), SMALL_CLUSTER.replace('kind: NetworkPolicy', 'kind: NetworkPolcy'));
  git('commit', '--quiet', '-am', 'second');
  writeFileSync(join(folder, 'manifests/app.yaml'), SMALL_CLUSTER);
  const { status, stderr } = runBulkhead(['diff', '--old-ref', 'HEAD', 'manifests'], { cwd: folder });
  assert.equal(status, 2);
  assert.match(stderr, /HEAD:manifests\/app\.yaml:\d+:\d+: error/);
});

test('a revision is never an option, and paths are never patterns', (t) => {
  const { folder } = makeRepository(t);
  for (const ref of ['--output=stolen', '-h', '--upload-pack=touch stolen']) {
    const { status, stderr } = runBulkhead(['diff', `--old-ref=${ref}`, 'manifests'], { cwd: folder });
    assert.equal(status, 2, stderr);
    assert.match(stderr, /is no revision of git/);
  }
  const gone = runBulkhead(['diff', '--old-ref', 'v1; touch stolen', 'manifests'], { cwd: folder });
  assert.equal(gone.status, 2);
  assert.match(gone.stderr, /there is no revision `v1; touch stolen`/);
  assert.ok(!existsSync(join(folder, 'stolen')));
});

test('what git cannot give is said, not taken for nothing', (t) => {
  const { folder } = makeRepository(t);
  writeFileSync(join(folder, 'new.yaml'), SMALL_CLUSTER);
  const missing = runBulkhead(['diff', '--old-ref', 'v1', 'new.yaml'], { cwd: folder });
  assert.equal(missing.status, 2);
  assert.match(missing.stderr, /`new.yaml` has no manifests in `v1`/);
  rmSync(join(folder, '.git'), { recursive: true });
  const outside = runBulkhead(['diff', '--old-ref', 'v1', 'manifests'], { cwd: folder, env: { GIT_CEILING_DIRECTORIES: folder } });
  assert.notEqual(outside.status, 0);
  assert.match(outside.stderr, /git/);
});

test('wrong words say what to write', () => {
  assert.match(runBulkhead(['diff', 'one']).stderr, /two sets of manifests are wanted\n {2}help: write bulkhead diff OLD NEW/);
  assert.match(runBulkhead(['diff', '--old-ref', 'main']).stderr, /nothing to compare/);
});
