// Labs as processes of their own: seen from others, killed, as root and as a plain user.
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcessByStdio, type SpawnSyncReturns } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import test, { type TestContext } from 'node:test';
import { isInsideUserNamespace } from '../../src/lab/internal/user-namespace.ts';
import { cloneRoot, needs } from '../needs.ts';

/** Nobody's own uid; taken when the tests run as root, to be a plain user. */
const PLAIN_UID = 65534;

interface User {
  readonly name: string;
  readonly uid: number;
  /** How the lab comes to its namespaces. */
  readonly right: 'direct' | 'user-namespace';
}

const asIs: User = { name: 'as the user of the tests', uid: process.getuid?.() ?? 0, right: 'direct' };
const plain: User = { name: 'as a plain user', uid: PLAIN_UID, right: 'user-namespace' };

/** As the real root, also as somebody else; in a user namespace the user of the tests is a plain one already. */
function users(): readonly User[] {
  return process.getuid?.() === 0 && !isInsideUserNamespace() && canPlainUserRead() ? [asIs, plain] : [asIs];
}

function canPlainUserRead(): boolean {
  return spawnSync('setpriv', [...setprivWords(PLAIN_UID), 'test', '-r', join(cloneRoot, 'package.json')], { stdio: 'ignore' }).status === 0;
}

function setprivWords(uid: number): string[] {
  return [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
}

type LabProcess = ChildProcessByStdio<null, Readable, null>;

class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), 'bulkhead-test-'));
  private readonly user: User;
  private readonly children: LabProcess[] = [];

  constructor(t: TestContext, user: User) {
    this.user = user;
    chmodSync(this.folder, 0o700);
    chownSync(this.folder, user.uid, user.uid);
    t.after(() => {
      for (const child of this.children) child.kill('SIGKILL');
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  async startLab(): Promise<LabProcess> {
    const [program, ...words] = this.command('stay-in-lab.ts');
    const child = spawn(program!, words, { stdio: ['ignore', 'pipe', 'inherit'], env: this.environment() });
    this.children.push(child);
    // One that ends before its line would be waited for without end.
    const line = await Promise.race([
      once(createInterface(child.stdout), 'line').then(([text]) => String(text)),
      once(child, 'exit').then(([status]) => `ended with status ${String(status)}`),
    ]);
    assert.equal(line, `ready ${this.user.right}`);
    return child;
  }

  ask(...words: readonly string[]): SpawnSyncReturns<string> {
    const [program, ...all] = this.command('ask-lab.ts', ...words);
    return spawnSync(program!, all, { encoding: 'utf8', env: this.environment() });
  }

  /** Process numbers of the labs seen, those of tests that run beside this one included. */
  listed(): number[] {
    return this.ask('list').stdout.split(',').map(Number);
  }

  folders(): string[] {
    return listFolder(join(this.folder, 'bulkhead'));
  }

  private command(file: string, ...words: readonly string[]): string[] {
    const own = [process.execPath, join(cloneRoot, 'tests/lab', file), ...words];
    return this.user === plain ? ['setpriv', ...setprivWords(this.user.uid), ...own] : own;
  }

  private environment(): NodeJS.ProcessEnv {
    // The compile cache of the tests' own user is not a plain user's to write.
    const { NODE_COMPILE_CACHE: _, NODE_V8_COVERAGE: __, ...rest } = process.env;
    return { ...rest, XDG_RUNTIME_DIR: this.folder, SHELL: '/bin/sh' };
  }
}

/** Network namespaces that some process is in or holds open. */
function namespacesInUse(): Set<string> {
  const found = new Set<string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const folder of ['ns', 'fd']) {
      for (const name of listFolder(`/proc/${pid}/${folder}`)) {
        const target = readLink(`/proc/${pid}/${folder}/${name}`);
        if (target?.startsWith('net:')) found.add(target);
      }
    }
  }
  return found;
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** The namespaces that a process holds, as `net:[…]`. */
function namespacesOf(pid: number): string[] {
  return [...new Set(listFolder(`/proc/${pid}/fd`).flatMap((fd) => readLink(`/proc/${pid}/fd/${fd}`) ?? []).filter((link) => link.startsWith('net:')))];
}

for (const user of users()) {
  const options = user === plain ? needs('kernel', 'userns') : needs('kernel');

  test(`${user.name}: other processes see the lab, look into a pod and probe`, options, async (t) => {
    const sandbox = new Sandbox(t, user);
    const lab = await sandbox.startLab();
    const shell = sandbox.ask('shell', `${lab.pid}`, 'shop/web', 'sh', '-c', 'cat /etc/resolv.conf; getent hosts db; exit 5');
    assert.equal(shell.status, 5, shell.stderr);
    assert.match(shell.stdout, /^nameserver 10\.96\.0\.\d+\n[^]*search shop\.svc\.cluster\.local/);
    assert.match(shell.stdout, /db\.shop\.svc\.cluster\.local\n$/);
    assert.doesNotMatch(readFileSync('/etc/resolv.conf', 'utf8'), /svc\.cluster\.local/);
    assert.equal(sandbox.ask('probe', `${lab.pid}`, 'shop/web', 'shop/db', '3306').stdout, 'denied ledger ingress\ndenied ledger ingress\n');
    assert.equal(sandbox.ask('probe', `${lab.pid}`, 'shop/db', 'shop/web', '80').stdout, 'allowed reply -\nallowed reply -\n');
    lab.kill('SIGTERM');
    assert.deepEqual(await once(lab, 'exit'), [0, null]);
    assert.deepEqual(readdirSync(sandbox.folder), []);
  });

  test(`${user.name}: kill -9 leaves nothing but a file, and the next start takes that away`, options, async (t) => {
    const sandbox = new Sandbox(t, user);
    const first = await sandbox.startLab();
    const own = namespacesOf(first.pid!).filter((name) => name !== readlinkSync('/proc/self/ns/net'));
    assert.ok(own.length >= 4, `the lab holds ${own.length} namespaces`);
    first.kill('SIGKILL');
    await once(first, 'exit');
    const left = namespacesInUse();
    assert.deepEqual(own.filter((name) => left.has(name)), []);
    assert.equal(sandbox.folders().length, 1);
    assert.ok(!sandbox.listed().includes(first.pid!));
    const second = await sandbox.startLab();
    assert.equal(sandbox.folders().length, 1);
    assert.ok(sandbox.listed().includes(second.pid!));
    second.kill('SIGTERM');
    assert.deepEqual(await once(second, 'exit'), [0, null]);
    assert.deepEqual(sandbox.folders(), []);
  });
}
