// Connections opened by the probers on the nodes: ConnectionProbes made, awaited and taken away again, listeners first.
import type { Clock } from '../base/clock.ts';
import { formatIpAddress } from '../base/ip-address.ts';
import { sleep } from '../base/sleep.ts';
import type { ClusterApi } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import { SOURCES_MAX } from '../kernel/pod-network.ts';
import type { ConcreteProbe, MeansResult } from './concrete-probe.ts';
import { CONNECTION_PROBE, ENTRIES_MAX, NODE_LABEL, nodeLabel, readProbeStatus, type AttemptEntry, type ListenEntry, type ProbeStatus } from './connection-probe.ts';
import { judgeAttempt } from './judge-attempt.ts';
import type { SeenVerdict } from './run-probes.ts';

export interface AgentMeansOptions {
  readonly api: Pick<ClusterApi, 'create' | 'get' | 'delete'>;
  readonly clock: Clock;
  readonly secret: (digits: number) => string;
  readonly signal: AbortSignal;
}

/** From the making of a probe to the first word of its prober: a node that says nothing has none. */
const FIRST_WORD_MS = 6_000;
/** From then to the last one. */
const LAST_WORD_MS = 30_000;
/** A listener closes by itself after so long, whatever becomes of whoever asked. */
const TTL_SECONDS = 30;
const LOOK_MS = 100;

export const PROBER_HELP = 'put probers onto the nodes: bulkhead agent --manifests --probing | kubectl apply -f -';

/** Fails with ClusterError where the cluster goes away; a right that is missing is a note. */
export async function tryByAgents(probes: readonly ConcreteProbe[], options: AgentMeansOptions): Promise<MeansResult> {
  return new AgentMeans(probes, options).run();
}

/** A class, for it lives in time: it remembers which nodes have no prober. */
class AgentMeans {
  readonly #probes: readonly ConcreteProbe[];
  readonly #options: AgentMeansOptions;
  readonly #run: string;
  readonly #mark: string;
  readonly #seen = new Map<number, SeenVerdict>();
  readonly #notes = new Set<string>();
  readonly #silentNodes = new Set<string>();
  #made = 0;
  #isRefused = false;

  constructor(probes: readonly ConcreteProbe[], options: AgentMeansOptions) {
    this.#probes = probes;
    this.#options = options;
    this.#run = options.secret(10);
    this.#mark = options.secret(16);
  }

  async run(): Promise<MeansResult> {
    for (const round of roundsOf(this.#probes)) {
      if (this.#isRefused || this.#options.signal.aborted) break;
      await this.#runRound(round);
    }
    return { seen: this.#seen, notes: [...this.#notes] };
  }

  /** Indices of the probes. */
  async #runRound(round: readonly number[]): Promise<void> {
    const made: string[] = [];
    try {
      const listening = await this.#listen(round, made);
      await this.#attempt(round, { made, listening });
    } catch (error) {
      if (!(error instanceof ClusterError) || (error.code !== 'forbidden' && error.code !== 'not-found')) throw error;
      this.#isRefused = true;
      this.#notes.add(error.code === 'forbidden'
        ? `no prober is asked, for that takes the verbs create, get and delete on connectionprobes.bulkhead.dev: ${error.message}`
        : `no prober is asked, for the cluster does not know ConnectionProbes; ${PROBER_HELP}`);
    } finally {
      await Promise.all(made.map((name) => this.#remove(name)));
    }
  }

  /** By `listenKey`, what each listener came to; those of nodes without a prober are missing. */
  async #listen(round: readonly number[], made: string[]): Promise<ReadonlyMap<string, ProbeStatus['listen'][number]>> {
    const wishes = new Map<string, { readonly node: string; readonly entry: ListenEntry; readonly sources: Set<string> }>();
    for (const index of round) {
      const probe = this.#probes[index]!;
      const { targetPod, target, protocol, port, sourceAddress } = probe;
      if (targetPod === undefined) continue;
      const key = listenKey(probe);
      const wish = wishes.get(key) ?? { node: targetPod.node, sources: new Set<string>(), entry: { pod: targetPod.place, address: formatIpAddress(target), protocol, port, sources: [] } };
      wish.sources.add(formatIpAddress(sourceAddress));
      wishes.set(key, wish);
    }
    const byNode = Map.groupBy(wishes, ([, { node }]) => node);
    const results = new Map<string, ProbeStatus['listen'][number]>();
    await Promise.all([...byNode].map(async ([node, entries]) => {
      const status = await this.#ask(node, { listen: entries.map(([, { entry, sources }]) => ({ ...entry, sources: [...sources] })) }, { made, until: 'Listening' });
      entries.forEach(([key], position) => {
        const result = status?.listen[position];
        if (result !== undefined) results.set(key, result);
      });
    }));
    return results;
  }

  async #attempt(round: readonly number[], { made, listening }: { readonly made: string[]; readonly listening: ReadonlyMap<string, ProbeStatus['listen'][number]> }): Promise<void> {
    const byNode = Map.groupBy(round, (index) => this.#probes[index]!.source.node);
    await Promise.all([...byNode].map(async ([node, indices]) => {
      const attempts = indices.map((index): AttemptEntry => {
        const { source, target, targetPod, isService, protocol, port } = this.#probes[index]!;
        // A node is nobody's peer: what it hears of a Service says nothing of what a pod would.
        return { pod: source.place, address: formatIpAddress(target), protocol, port, ...(targetPod === undefined && !isService ? { control: true } : {}) };
      });
      const status = await this.#ask(node, { attempts }, { made, until: 'Done' });
      indices.forEach((index, position) => this.#note(index, status?.attempts[position], listening));
    }));
  }

  #note(index: number, result: ProbeStatus['attempts'][number] | undefined, listening: ReadonlyMap<string, ProbeStatus['listen'][number]>): void {
    if (result === undefined) return;
    const probe = this.#probes[index]!;
    const { source, targetPod, target, isService, protocol, port } = probe;
    const listen = targetPod === undefined ? undefined : listening.get(listenKey(probe));
    if (result.answer === 'skipped') this.#notes.add(`${source.place.namespace}/${source.place.name} is left out: ${result.message ?? 'its prober does not say why'}`);
    if (listen?.result === 'failed') this.#notes.add(`nobody listens for the probes of ${targetPod!.place.namespace}/${targetPod!.place.name}: ${listen.message ?? 'its prober does not say why'}`);
    const verdict = judgeAttempt(result, { protocol, port, isPod: targetPod !== undefined || isService, listen: listen?.result });
    if (verdict !== undefined) this.#seen.set(index, verdict);
    else if (result.answer === 'silent') this.#notes.add(isService || listen?.result === 'served' ? `udp/${port} of ${isService ? `the Service address ${formatIpAddress(target)}` : `${targetPod!.place.namespace}/${targetPod!.place.name}`} is left out: a server has it, and need not answer a probe` : `${formatIpAddress(target)} ${protocol.toLowerCase()}/${port} is left out: it does not answer its prober's node either, so nobody knows whether anybody is there`);
  }

  /** undefined: the node has no prober, or it says no; which is noted. */
  async #ask(node: string, work: { readonly listen: readonly ListenEntry[] } | { readonly attempts: readonly AttemptEntry[] }, { made, until }: { readonly made: string[]; readonly until: ProbeStatus['state'] }): Promise<ProbeStatus | undefined> {
    const { api, clock, signal } = this.#options;
    if (this.#silentNodes.has(node) || signal.aborted) return undefined;
    const name = `test-${this.#run}-${this.#made++}`;
    const { apiVersion, kind } = CONNECTION_PROBE;
    await api.create(CONNECTION_PROBE, {
      apiVersion,
      kind,
      metadata: { name, labels: { [NODE_LABEL]: nodeLabel(node), 'app.kubernetes.io/name': 'bulkhead' } },
      spec: { node, mark: this.#mark, ttlSeconds: TTL_SECONDS, ...work },
    });
    made.push(name);
    const startMs = clock.elapsedMs();
    for (;;) {
      const status = readProbeStatus(await api.get({ served: CONNECTION_PROBE, name }));
      if (status?.state === until) return status;
      if (status?.state === 'Refused') {
        this.#notes.add(`the prober of node ${node} refuses: ${status.message ?? 'it does not say why'}`);
        return undefined;
      }
      const waitedMs = clock.elapsedMs() - startMs;
      if (waitedMs > (status === undefined ? FIRST_WORD_MS : LAST_WORD_MS)) {
        this.#silentNodes.add(node);
        this.#notes.add(status === undefined ? `no prober answers on node ${node}; ${PROBER_HELP}` : `the prober of node ${node} did not come to an end within ${LAST_WORD_MS / 1000} s`);
        return undefined;
      }
      if (signal.aborted) return undefined;
      await sleep(clock, LOOK_MS, signal);
    }
  }

  /** Also after the signal: nothing is to be left behind. A prober takes away what stays. */
  async #remove(name: string): Promise<void> {
    try {
      await this.#options.api.delete({ served: CONNECTION_PROBE, name });
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      if (error.code !== 'not-found') this.#notes.add(`the ConnectionProbe ${name} is left behind, and its prober takes it away: ${error.message}`);
    }
  }
}

function listenKey({ targetPod, target, protocol, port }: ConcreteProbe): string {
  return `${targetPod!.place.uid} ${formatIpAddress(target)} ${protocol} ${port}`;
}

/** Of as many probes as fit into one object for each node, and one listener for each place. */
function* roundsOf(probes: readonly ConcreteProbe[]): Generator<readonly number[]> {
  let round: number[] = [];
  let fill = new RoundFill();
  for (const [index, probe] of probes.entries()) {
    if (!fill.takes(probe)) {
      yield round;
      round = [];
      fill = new RoundFill();
      fill.takes(probe);
    }
    round.push(index);
  }
  if (round.length > 0) yield round;
}

/** What a round holds so far, by node and by listener. */
class RoundFill {
  readonly #attempts = new Map<string, number>();
  readonly #listeners = new Map<string, Set<string>>();
  readonly #listenersOfNode = new Map<string, number>();

  /** Whether there is room; if so, it is taken. */
  takes(probe: ConcreteProbe): boolean {
    const { source, targetPod, sourceAddress } = probe;
    const attempts = (this.#attempts.get(source.node) ?? 0) + 1;
    if (attempts > ENTRIES_MAX) return false;
    if (targetPod !== undefined) {
      const key = listenKey(probe);
      const known = this.#listeners.get(key);
      const sources = new Set(known).add(formatIpAddress(sourceAddress));
      const listeners = (this.#listenersOfNode.get(targetPod.node) ?? 0) + (known === undefined ? 1 : 0);
      if (sources.size > SOURCES_MAX || listeners > ENTRIES_MAX) return false;
      this.#listeners.set(key, sources);
      this.#listenersOfNode.set(targetPod.node, listeners);
    }
    this.#attempts.set(source.node, attempts);
    return true;
  }
}
