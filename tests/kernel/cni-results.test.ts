// What libcni keeps is read as soon as it comes, forgotten when it goes, and never guessed at.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { formatIpAddress } from '../../src/base/ip-address.ts';
import { openCniResults, readCniResult } from '../../src/kernel/cni-results.ts';
import type { GivenAddresses } from '../../src/kernel/given-addresses.ts';

const result = (uid: string, addresses: readonly string[], more: object = {}): string => JSON.stringify({ kind: 'cniCacheV1', containerId: 'c', config: 'e30=', ifName: 'eth0', networkName: 'net', cniArgs: [['IgnoreUnknown', '1'], ['K8S_POD_NAMESPACE', 'shop'], ['K8S_POD_NAME', 'web'], ['K8S_POD_UID', uid]], result: { cniVersion: '1.0.0', ips: addresses.map((address) => ({ address })) }, ...more });
const readUid = (text: string): string | undefined => readCniResult(text)?.uid;

test('addresses of a pod by uid; what is of something else, or not whole, is nothing', () => {
  const read = readCniResult(result('u', ['10.0.0.5/24', 'fd00::5/64']))!;
  assert.deepEqual([read.uid, read.addresses.map(formatIpAddress)], ['u', ['10.0.0.5', 'fd00::5']]);
  assert.equal(readUid(result('u', ['10.0.0.5/24'], { ifName: 'lo' })), undefined, 'of another interface');
  assert.equal(readUid(result('u', ['10.0.0.5/24'], { ifName: 'net1' })), undefined, 'of another network');
  assert.equal(readUid(result('u', ['10.0.0.5/24'], { kind: 'cniCacheV2' })), undefined, 'in another form');
  assert.equal(readUid(result('u', ['10.0.0.5/24'], { cniArgs: [['K8S_POD_NAME', 'web']] })), undefined, 'of nobody knows whom');
  assert.equal(readUid(result('u', ['10.0.0.5/24', 'here'])), undefined, 'one that is no address');
  assert.equal(readUid(result('u', [])), undefined);
  const whole = result('u', ['10.0.0.5/24']);
  for (let length = 0; length < whole.length; length++) assert.equal(readUid(whole.slice(0, length)), undefined, 'not written to its end');
  for (const text of ['null', '[]', '7', '{"kind":"cniCacheV1","ifName":"eth0","cniArgs":{},"result":[]}']) assert.equal(readUid(text), undefined, text);
});

interface Folder {
  readonly path: string;
  readonly given: GivenAddresses;
  /** Resolves when the pod is told of. */
  readonly told: (uid: string) => Promise<void>;
}

function openFolder(t: TestContext, before: Readonly<Record<string, string>> = {}): Folder {
  const path = mkdtempSync(join(tmpdir(), 'bulkhead-cni-'));
  t.after(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(before)) writeFileSync(join(path, name), text);
  return openPath(t, path);
}

function openPath(t: TestContext, path: string): Folder {
  const given = openCniResults(path);
  // The watch keeps no process alive by itself.
  const alive = setInterval(() => undefined, 1000);
  t.after(() => {
    clearInterval(alive);
    given.close();
  });
  const told = (uid: string): Promise<void> => new Promise((resolve) => {
    const unwatch = given.watch((one) => {
      if (one !== uid) return;
      unwatch();
      resolve();
    });
  });
  return { path, given, told };
}

const textOf = (given: GivenAddresses, uid: string): string | undefined => given.of(uid)?.map(formatIpAddress).join();

test('files that are there, that come, and that go', async (t) => {
  const { path, given, told } = openFolder(t, { 'net-1-eth0': result('old', ['10.0.0.1/24']), 'cni-loopback-1-lo': result('old', ['127.0.0.1/8'], { ifName: 'lo' }) });
  assert.equal(textOf(given, 'old'), '10.0.0.1');
  const came = told('new');
  writeFileSync(join(path, 'net-2-eth0'), result('new', ['10.0.0.2/24', 'fd00::2/64']));
  await came;
  assert.equal(textOf(given, 'new'), '10.0.0.2,fd00::2');
  const went = told('old');
  rmSync(join(path, 'net-1-eth0'));
  await went;
  assert.equal(given.of('old'), undefined);
});

test('two networks of one pod say nothing, unless they say the same', async (t) => {
  const { path, given, told } = openFolder(t, { 'net-1-eth0': result('u', ['10.0.0.1/24']) });
  const second = told('u');
  writeFileSync(join(path, 'x'), result('u', ['10.0.0.2/24']));
  renameSync(join(path, 'x'), join(path, 'net-2-eth0'));
  await second;
  assert.equal(given.of('u'), undefined);
  const gone = told('u');
  rmSync(join(path, 'net-1-eth0'));
  await gone;
  assert.equal(textOf(given, 'u'), '10.0.0.2');
  const same = told('u');
  writeFileSync(join(path, 'y'), result('u', ['10.0.0.2/24']));
  renameSync(join(path, 'y'), join(path, 'multus-1-eth0'));
  await same;
  assert.equal(textOf(given, 'u'), '10.0.0.2');
});

test('of two pods with one address neither is known, until one of them is gone', async (t) => {
  const { path, given, told } = openFolder(t, { 'net-1-eth0': result('old', ['10.0.0.1/24', 'fd00::1/64']) });
  const [old, young] = [told('old'), told('young')];
  writeFileSync(join(path, 'x'), result('young', ['10.0.0.2/24', 'fd00::1/64']));
  renameSync(join(path, 'x'), join(path, 'net-2-eth0'));
  await Promise.all([old, young]);
  assert.deepEqual([given.of('old'), given.of('young')], [undefined, undefined]);
  const again = told('young');
  rmSync(join(path, 'net-1-eth0'));
  await again;
  assert.equal(textOf(given, 'young'), '10.0.0.2,fd00::1');
});

test('a folder that comes after the agent, with what it holds', async (t) => {
  const { path: outer } = openFolder(t);
  const { path, given, told } = openPath(t, join(outer, 'lib/results'));
  assert.equal(given.of('u'), undefined);
  const came = told('u');
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'net-1-eth0'), result('u', ['10.0.0.1/24']));
  await came;
  assert.equal(textOf(given, 'u'), '10.0.0.1');
  const second = told('v');
  writeFileSync(join(path, 'net-2-eth0'), result('v', ['10.0.0.2/24']));
  await second;
  assert.equal(textOf(given, 'v'), '10.0.0.2');
});

for (const [way, takeAway] of [['deleted', (path: string) => rmSync(path, { recursive: true })], ['moved', (path: string) => renameSync(path, `${path}.old`)], ['moved with what it is in', (path: string) => renameSync(dirname(path), `${dirname(path)}.old`)]] as const) {
  test(`a folder that is ${way}, and made anew`, async (t) => {
    const { path: outer } = openFolder(t);
    const made = join(outer, 'lib/results');
    mkdirSync(made, { recursive: true });
    writeFileSync(join(made, 'net-1-eth0'), result('old', ['10.0.0.1/24']));
    const { path, given, told } = openPath(t, made);
    assert.equal(textOf(given, 'old'), '10.0.0.1');
    const went = told('old');
    takeAway(path);
    await went;
    assert.equal(given.of('old'), undefined, 'what is gone is not known any more');
    for (const uid of ['u', 'v']) {
      const came = told(uid);
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, `${uid}-eth0`), result(uid, [uid === 'u' ? '10.0.0.1/24' : '10.0.0.2/24']));
      await came;
    }
    assert.deepEqual(['u', 'v'].map((uid) => textOf(given, uid)), ['10.0.0.1', '10.0.0.2']);
  });
}

test('a folder in the place of another: what was known of that one is forgotten', async (t) => {
  const { path: outer } = openFolder(t);
  for (const [name, uid] of [['results', 'old'], ['next', 'new']] as const) {
    mkdirSync(join(outer, name));
    writeFileSync(join(outer, name, 'net-1-eth0'), result(uid, ['10.0.0.1/24']));
  }
  const { path, given, told } = openPath(t, join(outer, 'results'));
  const [went, came] = [told('old'), told('new')];
  renameSync(path, join(outer, 'before'));
  renameSync(join(outer, 'next'), path);
  await Promise.all([went, came]);
  assert.deepEqual([textOf(given, 'old'), textOf(given, 'new')], [undefined, '10.0.0.1']);
});
