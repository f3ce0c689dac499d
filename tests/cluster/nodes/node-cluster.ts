// A real cluster with nodes for one test file: started by the scripts beside it, entered by descriptors, gone when the tests are over.
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseIpAddress, type IpAddress } from '../../../src/base/ip-address.ts';
import { KubeApi } from '../../../src/kube/kube-api.ts';
import { openConnection, type Connection } from '../../../src/kube/kube-config.ts';
import type { NamespaceFd } from '../../../src/kernel/network-namespace.ts';
import { cloneRoot } from '../../needs.ts';
import { policyCrdFiles } from '../policy-crds.ts';
import { bringUp, newPlace, runKubectl, takeDown, type ClusterPlace, type Ran } from '../run-script.ts';
import type { Combination } from './combination.ts';

export interface NodeCluster {
  readonly place: ClusterPlace;
  readonly combination: Combination;
  readonly connection: Connection;
  readonly api: KubeApi;
  readonly nodes: readonly RunningNode[];
  /** The control plane, for the pods a host outside the cluster. */
  readonly outside: { readonly namespace: NamespaceFd; readonly addresses: readonly IpAddress[] };
  kubectl(words: readonly string[], input?: string): string;
  /** Stops all of it; objects and pods come back with `up`. */
  down(): void;
  up(): Promise<void>;
  /** Of etcd, on the control plane's loopback; plain http. */
  readonly etcdPort: number;
  /** Killed, and started anew with what etcd has. */
  restartApiServer(): Promise<void>;
  /** Loses what a machine loses, agents too; resolves when its namespaces are there again, with no pod in them. */
  reboot(node: RunningNode): Promise<BootingNode>;
  /** Nothing is left of it. */
  close(): void;
}

export interface BootingNode {
  /** In the place of the one of before. */
  readonly node: RunningNode;
  /** Lets its kubelet start, which starts its pods; resolves when the node is ready. */
  goOn(): Promise<void>;
}

export interface RunningNode {
  readonly name: string;
  /** From 1. */
  readonly number: number;
  /** The process that holds its namespaces. */
  readonly pid: number;
  readonly namespace: NamespaceFd;
  readonly addresses: readonly IpAddress[];
}

/** Takes 10 to 15 seconds. */
export async function startNodes(combination: Combination, settings: Readonly<Record<string, string>> = {}): Promise<NodeCluster> {
  const cluster = new StartedCluster(newPlace(), combination, settings);
  try {
    await cluster.up();
  } catch (error) {
    cluster.close();
    throw error;
  }
  return cluster;
}

class StartedCluster implements NodeCluster {
  readonly place: ClusterPlace;
  readonly combination: Combination;
  readonly #settings: Readonly<Record<string, string>>;
  #connection: Connection | undefined;
  #nodes: readonly RunningNode[] = [];
  #outside: NamespaceFd = -1;

  constructor(place: ClusterPlace, combination: Combination, settings: Readonly<Record<string, string>>) {
    this.place = place;
    this.combination = combination;
    this.#settings = settings;
  }

  get connection(): Connection {
    return this.#connection!;
  }

  get api(): KubeApi {
    return new KubeApi(this.connection);
  }

  get nodes(): readonly RunningNode[] {
    return this.#nodes;
  }

  get outside(): NodeCluster['outside'] {
    return { namespace: this.#outside, addresses: this.#addresses('10.250.0.1', 'fd00:10:250::1') };
  }

  kubectl(words: readonly string[], input?: string): string {
    return runKubectl(this.place, words, input);
  }

  async up(): Promise<void> {
    const { cni, nodes, isDualStack, proxy } = this.combination;
    bringUp(this.place, {
      NODES: String(nodes),
      CNI_PLUGIN: cni,
      DUAL_STACK: isDualStack ? '1' : '0',
      PROXY_MODE: proxy,
      DNS: '1',
      API_PORT: '0',
      CRD_FILES: policyCrdFiles().join(' '),
      ...this.#settings,
    });
    this.#connection = await openConnection({ kubeconfig: this.place.kubeconfig });
    this.#outside = openSync(`/run/netns/${this.place.name}-cp`, 'r');
    this.#nodes = Array.from({ length: nodes }, (_, index) => this.#openNode(index + 1));
  }

  get etcdPort(): number {
    return Number(/ETCD_PORT=([0-9]+)/.exec(readFileSync(join(this.place.state, 'settings'), 'utf8'))![1]);
  }

  async restartApiServer(): Promise<void> {
    const [pid] = readFileSync(join(this.place.state, 'run/kube-apiserver.pid'), 'utf8').split(' ');
    process.kill(Number(pid), 'SIGKILL');
    await this.#run('up.sh');
  }

  async reboot({ number, pid, namespace }: RunningNode): Promise<BootingNode> {
    const hold = join(this.place.state, `node${number}/hold`);
    writeFileSync(hold, '');
    closeSync(namespace);
    const done = this.#run('reboot.sh', String(number));
    await Promise.race([done, this.#begins(number, pid)]);
    const node = this.#openNode(number);
    this.#nodes = this.#nodes.map((other) => (other.number === number ? node : other));
    return {
      node,
      goOn: () => {
        rmSync(hold);
        return done;
      },
    };
  }

  /** Until another process holds its namespaces than before. */
  async #begins(number: number, before: number): Promise<void> {
    for (let tries = 0; tries < 3000; tries++, await sleep(20)) {
      const pid = this.#pidOf(number);
      if (pid !== undefined && pid !== before && existsSync(join(this.place.state, `node${number}/ready`))) return;
    }
    throw new Error(`node ${number} does not boot`);
  }

  async #run(script: string, ...words: readonly string[]): Promise<void> {
    const child = spawn(join(cloneRoot, 'tests/cluster', script), words, { stdio: 'ignore', env: { ...process.env, LAB_NAME: this.place.name } });
    const status = await new Promise((resolve) => child.once('close', resolve));
    if (status !== 0) throw new Error(`${script} ended with ${String(status)}`);
  }

  #pidOf(number: number): number | undefined {
    const file = join(this.place.state, `run/node${number}.pid`);
    return existsSync(file) ? Number(readFileSync(file, 'utf8').split(' ')[0]) : undefined;
  }

  down(): void {
    this.#forget();
    takeDown(this.place, []);
  }

  close(): void {
    this.#forget();
    takeDown(this.place, ['--purge']);
  }

  // A descriptor that stays open keeps a namespace alive that should go.
  #forget(): void {
    for (const { namespace } of this.#nodes) closeSync(namespace);
    if (this.#outside >= 0) closeSync(this.#outside);
    this.#nodes = [];
    this.#outside = -1;
  }

  #openNode(number: number): RunningNode {
    const name = `${this.place.name}-node${number}`;
    return { name, number, pid: this.#pidOf(number)!, namespace: openSync(`/run/netns/${name}`, 'r'), addresses: this.#addresses(`10.250.0.${10 + number}`, `fd00:10:250::${10 + number}`) };
  }

  #addresses(...texts: readonly [four: string, six: string]): readonly IpAddress[] {
    return (this.combination.isDualStack ? texts : texts.slice(0, 1)).map((text) => parseIpAddress(text)!);
  }
}

/** A program on a node, as a process of its own there would run: in its network and mount namespace. */
export function onNode({ pid }: RunningNode, words: readonly string[], input?: string): Ran {
  return spawnSync('nsenter', ['--target', String(pid), '--net', '--mount', '--', ...words], { encoding: 'utf8', maxBuffer: 1 << 28, timeout: 60_000, ...(input === undefined ? {} : { input }) });
}

/** The same while it runs. */
export function beginOnNode({ pid }: RunningNode, words: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
  return spawn('nsenter', ['--target', String(pid), '--net', '--mount', '--', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The same when it has ended, for what must not hold up a running watch of traffic. */
export function meanwhileOnNode(node: RunningNode, words: readonly string[]): Promise<Ran> {
  const child = beginOnNode(node, words);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
}
