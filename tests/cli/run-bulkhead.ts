// Runs the real command line the way a shell does, and says what it printed and how it ended.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { cloneRoot } from '../needs.ts';

export const BULKHEAD: string = join(cloneRoot, 'bin', 'bulkhead');

export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A hanging command must fail its test rather than the whole run. */
const RUN_TIMEOUT_MS = 120_000;

export function runBulkhead(words: readonly string[], { input, cwd, env }: RunOptions = {}): Run {
  const { status, stdout, stderr } = spawnSync(BULKHEAD, [...words], {
    cwd: cwd ?? cloneRoot,
    encoding: 'utf8',
    timeout: RUN_TIMEOUT_MS,
    maxBuffer: 1 << 28,
    env: { ...plainEnvironment(), ...env },
    ...(input === undefined ? { stdio: ['ignore', 'pipe', 'pipe'] as const } : { input }),
  });
  return { status, stdout, stderr };
}

/** Without what the developer's own terminal says about colors and width. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { NO_COLOR: _a, FORCE_COLOR: _b, COLUMNS: _c, NODE_OPTIONS: _d, ...rest } = process.env;
  return rest;
}

/** A folder with these files, gone when the test is over. */
export function makeFolder(test: TestContext, files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-test-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** A command that stays up; killed when the test is over. */
export interface Live {
  readonly process: ChildProcess;
  /** What both streams have printed so far. */
  printed(): string;
  /** Resolves when the text has been printed; rejects when the command ends before. */
  waitFor(text: string): Promise<void>;
  readonly ended: Promise<number | null>;
}

export function startCommand(test: TestContext, program: string, words: readonly string[]): Live {
  const child = spawn(program, [...words], { cwd: cloneRoot, env: plainEnvironment(), stdio: ['pipe', 'pipe', 'pipe'] });
  test.after(() => child.kill('SIGKILL'));
  let text = '';
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const waitFor = (wanted: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (text.includes(wanted)) resolve();
      };
      for (const stream of [child.stdout, child.stderr]) stream.on('data', look);
      void ended.then((status) => reject(new Error(`ended with ${status} before printing \`${wanted}\`:\n${text}`)));
      look();
    });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (piece: string) => (text += piece));
  }
  return { process: child, printed: () => text, waitFor, ended };
}

/** A server and a client, and a policy that lets the client alone in; nothing else is allowed in `app`. */
export const SMALL_CLUSTER = `apiVersion: v1
kind: Pod
metadata: { name: server, namespace: app, labels: { role: server } }
spec: { containers: [{ name: c, image: x, ports: [{ name: web, containerPort: 8080 }] }] }
---
apiVersion: v1
kind: Pod
metadata: { name: client, namespace: app, labels: { role: client } }
spec: { containers: [{ name: c, image: x }] }
---
apiVersion: v1
kind: Service
metadata: { name: server, namespace: app }
spec: { selector: { role: server }, ports: [{ port: 80, targetPort: web }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: server, namespace: app }
spec:
  podSelector: { matchLabels: { role: server } }
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{ podSelector: { matchLabels: { role: client } } }]
      ports: [{ protocol: TCP, port: web }]
`;
