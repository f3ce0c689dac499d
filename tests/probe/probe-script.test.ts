// The shell program that pods run: with each tool that this host has it tells an open port from a closed one, and from one that stays silent.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import type { ConcreteProbe } from '../../src/probe/concrete-probe.ts';
import { probeScript, readScriptAnswers, SCRIPT_TOOLS } from '../../src/probe/probe-script.ts';

const POD = { place: { namespace: 'a', name: 'b', uid: 'c' }, node: 'n', addresses: [], containers: [] };
const probe = (address: string, port: number): ConcreteProbe => ({ source: POD, sourceAddress: parseIpAddress('10.0.0.1')!, target: parseIpAddress(address)!, targetPod: undefined, isService: false, protocol: 'TCP', port });

const servers: Server[] = [];
let open = 0;
let closed = 0;
let open6 = 0;

async function listen(host: string): Promise<number> {
  // Says nothing, as most servers do until they are asked.
  const server = createServer((socket) => void socket.on('error', () => undefined));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as { readonly port: number }).port;
}

before(async () => {
  open = await listen('127.0.0.1');
  open6 = await listen('::1');
  closed = await listen('127.0.0.1');
  await new Promise((resolve) => servers.pop()!.close(resolve));
});
after(() => servers.forEach((server) => server.close()));

/** The servers answer on this process's loop, so it must not wait. */
function runScript(text: string, path: string | undefined): Promise<string> {
  const child = spawn('/bin/sh', ['-c', text], { stdio: ['ignore', 'pipe', 'ignore'], env: path === undefined ? process.env : { PATH: path } });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (out += piece));
  return new Promise((resolve) => child.once('close', () => resolve(out)));
}

/** A program itself, where what is found is a script that looks for it. */
const findPython = (): string | undefined => spawnSync('sh', ['-c', 'python3 -c "import sys; print(sys.executable)"'], { encoding: 'utf8' }).stdout.trim() || undefined;

const find = (program: string): string | undefined => spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).stdout.trim() || undefined;

/** A path on which nothing is but these. */
function pathOf(programs: Readonly<Record<string, string>>): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'bulkhead-path-'));
  for (const [name, target] of Object.entries(programs)) symlinkSync(target, join(path, name));
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

const TOOLS: readonly { readonly name: string; readonly programs: Readonly<Record<string, string | undefined>> }[] = [
  ...SCRIPT_TOOLS.map((tool) => ({ name: tool, programs: { [tool]: tool === 'node' ? process.execPath : tool === 'python3' ? findPython() : find(tool), timeout: find('timeout') } })),
  { name: "BusyBox's nc", programs: { nc: find('busybox'), timeout: find('timeout') } },
];

for (const { name, programs } of TOOLS) {
  const isHere = Object.values(programs).every((target) => target !== undefined);
  // Node itself is always there, and a shell.
  if (isHere) test(`with ${name}`, async (context) => {
    const { path, remove } = pathOf(programs as Readonly<Record<string, string>>); // looked at
    context.after(remove);
    const answers = readScriptAnswers(await runScript(probeScript([probe('127.0.0.1', open), probe('127.0.0.1', closed), probe('::1', open6)]), path));
    const heard = name === 'wget' ? 'skipped' : 'connected'; // the servers here say nothing
    assert.deepEqual([...answers].sort(), [[0, heard], [1, 'refused'], [2, heard]]);
  });
}

test('without any tool nothing is claimed', async (context) => {
  const { path, remove } = pathOf({});
  context.after(remove);
  const answers = readScriptAnswers(await runScript(probeScript([probe('127.0.0.1', open)]), path));
  assert.deepEqual([...answers], [[0, 'skipped']]);
});

test('more attempts than are made at one time all get their answer, and words that are none are passed over', async () => {
  const answers = readScriptAnswers(await runScript(probeScript(Array.from({ length: 45 }, (_, index) => probe('127.0.0.1', index % 2 === 0 ? open : closed))), undefined));
  assert.equal(answers.size, 45);
  assert.ok([...answers].every(([position, answer]) => answer === (position % 2 === 0 ? 'connected' : 'refused')));
  assert.deepEqual([...readScriptAnswers('0 connected\nx\n1 open\n2 silent and more\n3 unable\n')], [[0, 'connected'], [3, 'skipped']]);
});
