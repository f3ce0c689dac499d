// `bulkhead agent` on a node of the cluster, as a process of its own there: started, asked, signaled, and gone with its node.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cloneRoot } from '../../needs.ts';
import { getInside, type HttpAnswer } from './call-inside.ts';
import type { NodeCluster, RunningNode } from './node-cluster.ts';

export interface AgentOptions {
  /** Beside `--node`, `--kubeconfig` and `--status-address`. */
  readonly words?: readonly string[];
  readonly statusPort?: number;
  /** The clone whose program it is. */
  readonly clone?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What stands in front of the program: `prlimit --nofile=40`. */
  readonly before?: readonly string[];
  readonly kubeconfig?: string;
}

/** An agent that does not get ready fails its test. */
const READY_WITHIN_MS = 30_000;

const STATUS_PORT = 9411;

export class Agent {
  readonly node: RunningNode;
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #port: number;
  readonly #logStart: number;

  /** Leaves a log in the cluster's state; `down.sh` ends what is left in the node's cgroup. */
  constructor(cluster: NodeCluster, node: RunningNode, { words = [], statusPort = STATUS_PORT, clone = cloneRoot, env = {}, before = [], kubeconfig }: AgentOptions = {}) {
    this.node = node;
    this.#port = statusPort;
    this.logFile = join(cluster.place.state, 'log', `agent${node.number}-${statusPort}.log`);
    const log = openSync(this.logFile, 'a');
    this.#logStart = statSync(this.logFile).size;
    const program = [...before, join(clone, 'bin/bulkhead'), 'agent', '--node', node.name, '--kubeconfig', kubeconfig ?? join(cluster.place.state, 'kubeconfig/admin.conf'), '--status-address', `127.0.0.1:${statusPort}`, ...words];
    const enter = ['nsenter', '--target', String(node.pid), '--net', '--mount', '--', ...program];
    this.#child = spawn('bash', ['-c', 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"', '-', cgroupOf(node), ...enter], { stdio: ['ignore', log, log], env: { ...process.env, ...env } });
    closeSync(log);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  get log(): string {
    return readFileSync(this.logFile).subarray(this.#logStart).toString('utf8');
  }

  /** Until /readyz says so. Throws with the end of its log where it does not come to that. */
  async ready(withinMs: number = READY_WITHIN_MS): Promise<this> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const answer = await this.get('/readyz').catch(() => undefined);
      if (answer?.status === 200) return this;
      if (!this.isRunning || performance.now() > deadline) throw new Error(`the agent on ${this.node.name} ${this.isRunning ? `is not ready after ${withinMs / 1000} s: ${answer?.body ?? 'no answer'}` : `ended with ${this.#child.exitCode}`}\n${this.log.slice(-4000)}`);
      await sleep(20);
    }
  }

  get(path: string): Promise<HttpAnswer> {
    return getInside(this.node.namespace, this.#port, path);
  }

  /** Until it has ended. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.isRunning) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill(signal);
    await gone;
  }
}

/** Where up.sh puts a node's own processes. */
function cgroupOf({ name }: RunningNode): string {
  return existsSync('/sys/fs/cgroup/cgroup.controllers') ? `/sys/fs/cgroup/${name}/system` : `/sys/fs/cgroup/pids/${name}/system`;
}
