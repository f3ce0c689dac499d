// The prober of one node: carries out the ConnectionProbes that name it, inside the namespaces of its pods, and ends whatever listens when their time is over.
import type { Clock } from '../base/clock.ts';
import { formatIpAddress, parseIpAddress } from '../base/ip-address.ts';
import { sleep } from '../base/sleep.ts';
import type { ClusterApi, ObjectPlace, StoredObject } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import type { PodListener, PodNetwork } from '../kernel/pod-network.ts';
import { isCallable } from './callable-address.ts';
import { CONNECTION_PROBE, NODE_LABEL, nodeLabel, readProbeSpec, type AttemptResult, type ListenResult, type ProbeSpec } from './connection-probe.ts';
import { openAttempts, type PlacedAttempt } from './open-attempts.ts';
import { findProbedPods, type FoundPod } from './probed-pods.ts';

export interface NodeProberOptions {
  readonly api: Pick<ClusterApi, 'watch' | 'get' | 'patchStatus' | 'delete'>;
  readonly node: string;
  /** Whose datagrams begin with the mark. */
  readonly openNetwork: (mark: Uint8Array) => PodNetwork;
  readonly clock: Clock;
  readonly onNote: (level: 'info' | 'warn', note: string) => void;
  readonly signal: AbortSignal;
}

/** Carried out at the same time; one more is refused. */
const PROBES_AT_ONCE = 8;
/** In a minute; one more is refused. */
const PROBES_PER_MINUTE = 240;
/** A probe that was made so long before its time is over is not begun: whoever asked has gone. */
const LATE_MS = 60_000;
/** Behind their time, for whoever reads the answer late. */
const KEPT_MS = 60_000;
/** Between two tries to take it away. */
const RETRY_MS = 10_000;
/** Between two looks at who came. */
const ANSWER_MS = 5;
/** What begins each datagram, in front of the probe's own mark. */
const MARK_WORD = 'bulkhead';

/** Ends with the signal, and everything that listens with it. */
export async function runNodeProber(options: NodeProberOptions): Promise<void> {
  await new NodeProber(options).run();
}

/** A class, for it lives in time: it knows which probes are under way and how many there were. */
class NodeProber {
  readonly #options: NodeProberOptions;
  /** By uid, what ends it. */
  readonly #running = new Map<string, AbortController>();
  readonly #seen = new Set<string>();
  readonly #begun: number[] = [];
  #acting = 0;
  readonly #work = new Set<Promise<void>>();

  constructor(options: NodeProberOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { api, node, onNote, signal } = this.#options;
    for await (const event of api.watch(CONNECTION_PROBE, { labelSelector: `${NODE_LABEL}=${nodeLabel(node)}`, signal })) {
      switch (event.kind) {
        case 'put':
          this.#take(event.object.metadata.name, String(event.object.metadata['uid']));
          break;
        case 'remove':
          this.#running.get(String(event.object.metadata['uid']))?.abort();
          this.#seen.delete(String(event.object.metadata['uid']));
          break;
        case 'trouble':
          onNote('warn', event.error.message);
          break;
        case 'restart':
        case 'synced':
        case 'resumed':
          break;
      }
    }
    for (const stop of this.#running.values()) stop.abort();
    await Promise.all(this.#work);
  }

  #take(name: string, uid: string): void {
    if (this.#seen.has(uid)) return;
    this.#seen.add(uid);
    const stop = new AbortController();
    this.#running.set(uid, stop);
    const { signal } = this.#options;
    const work = this.#carryOut({ served: CONNECTION_PROBE, name }, uid, AbortSignal.any([stop.signal, signal])).finally(() => {
      this.#running.delete(uid);
      this.#work.delete(work);
    });
    this.#work.add(work);
  }

  async #carryOut(place: ObjectPlace, uid: string, signal: AbortSignal): Promise<void> {
    await this.#noting(place, () => this.#answer(place, uid, signal));
    await sleep(this.#options.clock, KEPT_MS, signal);
    // Whoever made it has not taken it away.
    while (!signal.aborted && !(await this.#noting(place, () => this.#takeAway(place, uid)))) await sleep(this.#options.clock, RETRY_MS, signal);
  }

  async #takeAway(place: ObjectPlace, uid: string): Promise<void> {
    if ((await this.#findOurs(place, uid)) !== undefined) await this.#options.api.delete(place);
  }

  /** Whether it went well: what the world refuses ends one act, and never the prober. */
  async #noting({ name }: ObjectPlace, act: () => Promise<void>): Promise<boolean> {
    try {
      await act();
      return true;
    } catch (error) {
      const isWorldly = error instanceof ClusterError || (error instanceof Error && 'errno' in error);
      if (!isWorldly) throw error;
      this.#options.onNote('warn', `probe ${name}: ${error.message}`);
      return false;
    }
  }

  /** undefined: it has gone, or is for another node. */
  async #findOurs(place: ObjectPlace, uid: string): Promise<StoredObject | undefined> {
    try {
      const stored = await this.#options.api.get(place);
      const { node } = (stored['spec'] ?? {}) as { readonly node?: unknown }; // looked at here
      return stored.metadata.uid === uid && node === this.#options.node ? stored : undefined;
    } catch (error) {
      if (error instanceof ClusterError && error.code === 'not-found') return undefined;
      throw error;
    }
  }

  async #answer(place: ObjectPlace, uid: string, signal: AbortSignal): Promise<void> {
    const { api } = this.#options;
    const stored = await this.#findOurs(place, uid);
    // An earlier process of the prober began what has a status.
    if (stored === undefined || stored['status'] !== undefined) return;
    const spec = readProbeSpec(stored);
    const refusal = this.#refusalOf(stored, spec);
    if (refusal !== undefined) return void (await api.patchStatus(place, { state: 'Refused', message: refusal }));
    this.#acting++;
    try {
      await api.patchStatus(place, { state: 'Working' });
      await this.#act(place.name, spec!, signal);
    } finally {
      this.#acting--;
    }
  }

  /** undefined: it is carried out, and counted. */
  #refusalOf(stored: StoredObject, spec: ProbeSpec | undefined): string | undefined {
    if (spec === undefined) return 'this version of the prober does not understand it';
    const now = this.#options.clock.now().getTime();
    const madeMs = Date.parse(String(stored.metadata['creationTimestamp']));
    if (Number.isFinite(madeMs) && now - madeMs > spec.ttlSeconds * 1000 + LATE_MS) return 'it was made too long ago';
    if (this.#acting >= PROBES_AT_ONCE) return `at most ${PROBES_AT_ONCE} probes are carried out at the same time`;
    while (this.#begun.length > 0 && now - this.#begun[0]! > 60_000) this.#begun.shift();
    if (this.#begun.length >= PROBES_PER_MINUTE) return `at most ${PROBES_PER_MINUTE} probes are carried out in a minute`;
    this.#begun.push(now);
    return undefined;
  }

  /** Returns when everything is answered and nothing listens any more. */
  async #act(name: string, spec: ProbeSpec, signal: AbortSignal): Promise<void> {
    const { api, node, openNetwork, clock, onNote } = this.#options;
    const mark = new TextEncoder().encode(`${MARK_WORD}${spec.mark}`);
    const network = openNetwork(mark);
    const pods = await findProbedPods({ api, node, network }, [...spec.listen, ...spec.attempts].map((entry) => entry.pod));
    const listeners: PodListener[] = [];
    try {
      const listen = spec.listen.map((wish) => listenIn(network, pods.get(wish.pod.uid)!, { wish, mark, listeners }));
      if (listeners.length > 0) onNote('info', `probe ${name}: listens on ${listeners.length} ports of pods for at most ${spec.ttlSeconds} s`);
      const over = new AbortController();
      const cancel = clock.after(spec.ttlSeconds * 1000, () => over.abort());
      const ended = AbortSignal.any([signal, over.signal]);
      const answering = answerUntil(clock, listeners, ended);
      try {
        await api.patchStatus({ served: CONNECTION_PROBE, name }, { state: spec.attempts.length > 0 ? 'Working' : 'Listening', listen });
        if (spec.attempts.length > 0) {
          const attempts = await this.#attempt(network, spec, { pods, signal: ended });
          onNote('info', `probe ${name}: opened ${attempts.filter(({ answer }) => answer !== 'skipped').length} connections out of pods`);
          await api.patchStatus({ served: CONNECTION_PROBE, name }, { state: 'Done', attempts });
        }
        if (listeners.length > 0) await answering;
      } finally {
        over.abort();
        cancel();
        await answering;
      }
    } finally {
      for (const listener of listeners) listener.close();
      for (const { namespace } of pods.values()) if (namespace !== undefined) network.close(namespace);
      network.closeHome();
    }
  }

  async #attempt(network: PodNetwork, spec: ProbeSpec, { pods, signal }: { readonly pods: ReadonlyMap<string, FoundPod>; readonly signal: AbortSignal }): Promise<readonly AttemptResult[]> {
    const placed = spec.attempts.map((wish): PlacedAttempt | string => {
      const { addresses, nodeAddresses, namespace, problem } = pods.get(wish.pod.uid)!;
      if (problem !== undefined || namespace === undefined) return problem ?? 'it cannot be entered';
      const target = parseIpAddress(wish.address);
      if (target === undefined || !isCallable(target)) return `${wish.address} is no address that is called`;
      const source = addresses.find(({ family }) => family === target.family);
      if (source === undefined) return `it has no address of IPv${target.family}`;
      const nodeSource = wish.control === true ? nodeAddresses.find(({ family }) => family === target.family) : undefined;
      return { namespace, source, target, nodeSource, protocol: wish.protocol, port: wish.port };
    });
    return openAttempts(network, placed, signal);
  }
}

interface Listening {
  readonly wish: ProbeSpec['listen'][number];
  readonly mark: Uint8Array;
  /** Taken into. */
  readonly listeners: PodListener[];
}

function listenIn(network: PodNetwork, { namespace, addresses, problem }: FoundPod, { wish, mark, listeners }: Listening): ListenResult {
  if (problem !== undefined || namespace === undefined) return { result: 'failed', message: problem ?? 'it cannot be entered' };
  const address = addresses.find((own) => formatIpAddress(own) === wish.address);
  if (address === undefined) return { result: 'failed', message: `it does not have the address ${wish.address}` };
  const sources = wish.sources.flatMap((text) => parseIpAddress(text) ?? []).filter(({ family }) => family === address.family);
  const outcome = network.listen({ namespace, address, protocol: wish.protocol, port: wish.port, sources, mark });
  if (outcome.kind === 'listening') listeners.push(outcome.listener);
  return outcome.kind === 'failed' ? { result: 'failed', message: `errno ${outcome.errno}` } : { result: outcome.kind };
}

async function answerUntil(clock: Clock, listeners: readonly PodListener[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted && listeners.length > 0) {
    for (const listener of listeners) listener.answer();
    await sleep(clock, ANSWER_MS, signal);
  }
}
