// Keeps the NodeEnforcement of a node at what its agent knows: at once when something of weight changes, seldom otherwise, never more often than the API server can bear.
import type { ClusterApi, ServedKind } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import type { AgentState } from '../agent/agent-state.ts';
import type { Clock } from '../agent/clock.ts';
import { enforcementStatus, NODE_ENFORCEMENT, type EnforcementStatus } from './node-enforcement.ts';
import { sleep } from './sleep.ts';
import type { AgentFacts } from './status.ts';

/** Who tells what the agent knows, and when it changes. */
export interface StateSource {
  readonly state: AgentState;
  /** Gives what takes the listener back. */
  onChange(listener: () => void): () => void;
}

export interface Publishing {
  readonly api: Pick<ClusterApi, 'apply' | 'get' | 'patchStatus'>;
  readonly source: StateSource;
  readonly facts: AgentFacts;
  readonly clock: Clock;
  /** Told of each write that failed; it is tried again by itself. */
  readonly onFailure: (error: ClusterError) => void;
  readonly signal: AbortSignal;
}

/** Between two writes, and so much more for each byte: an object of 1 MB is written every 20 s at most. */
const SPACING_MS = 1_000;
const SPACING_MS_PER_BYTE = 0.02;
/** Between two writes when nothing changes. */
const HEARTBEAT_MS = 60_000;
const HEARTBEAT_MS_PER_BYTE = 0.1;
/** An agent that has let so many heartbeats pass is silent. */
const HEARTBEATS_PROMISED = 3;
const RETRY_MS_FIRST = 1_000;
const RETRY_MS_MAX = 60_000;

const NODE: ServedKind = { apiVersion: 'v1', kind: 'Node', resource: 'nodes', isNamespaced: false };
const FIELD_MANAGER = 'bulkhead-agent';

/** Ends with the signal; a server that refuses is told to `onFailure`, and asked again. */
export async function publishEnforcement(publishing: Publishing): Promise<void> {
  await new EnforcementPublisher(publishing).run();
}

/** A class, for it lives in time: it knows what it wrote last, and when. */
class EnforcementPublisher {
  readonly #publishing: Publishing;
  /** undefined: the object may not be there. */
  #written: { readonly atMs: number; readonly weight: string; readonly bytes: number } | undefined;
  #failures = 0;
  #retryAtMs = 0;
  #mayDiffer = false;
  #wake: (() => void) | undefined;

  constructor(publishing: Publishing) {
    this.#publishing = publishing;
    publishing.source.onChange(() => {
      if (this.#mayDiffer) return;
      this.#mayDiffer = true;
      this.#wake?.();
    });
  }

  async run(): Promise<void> {
    const { clock, signal } = this.#publishing;
    while (!signal.aborted) {
      const inMs = Math.ceil(this.#dueMs() - clock.elapsedMs());
      if (inMs > 0) await this.#rest(inMs);
      else if (this.#isDifferent() || this.#isHeartbeatDue()) await this.#write();
    }
  }

  #dueMs(): number {
    if (this.#failures > 0) return this.#retryAtMs;
    if (this.#written === undefined) return 0;
    const { atMs, bytes } = this.#written;
    return atMs + (this.#mayDiffer ? SPACING_MS + bytes * SPACING_MS_PER_BYTE : heartbeatMs(bytes));
  }

  /** Asked when a write may be due: a change that comes to nothing is forgotten. */
  #isDifferent(): boolean {
    if (this.#written === undefined || this.#failures > 0) return true;
    if (!this.#mayDiffer) return false;
    this.#mayDiffer = false;
    return weightOf(this.#status()) !== this.#written.weight;
  }

  #isHeartbeatDue(): boolean {
    const { atMs, bytes } = this.#written!;
    return this.#publishing.clock.elapsedMs() - atMs >= heartbeatMs(bytes);
  }

  async #rest(ms: number): Promise<void> {
    const { clock, signal } = this.#publishing;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await sleep(clock, ms, AbortSignal.any([signal, woken.signal]));
    this.#wake = undefined;
  }

  async #write(): Promise<void> {
    const { api, source, clock, onFailure } = this.#publishing;
    this.#mayDiffer = false;
    const status = this.#status();
    const { node } = source.state;
    try {
      if (this.#written === undefined) await this.#writeObject(node);
      await api.patchStatus({ served: NODE_ENFORCEMENT, name: node }, { ...status });
      this.#written = { atMs: clock.elapsedMs(), weight: weightOf(status), bytes: JSON.stringify(status).length };
      this.#failures = 0;
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      if (error.code === 'not-found') this.#written = undefined; // somebody took it away
      const step = Math.min(RETRY_MS_FIRST * 2 ** this.#failures, RETRY_MS_MAX);
      this.#failures++;
      this.#retryAtMs = clock.elapsedMs() + step / 2 + (clock.random() * step) / 2;
      onFailure(error);
    }
  }

  /** It belongs to its node, and goes with it. */
  async #writeObject(node: string): Promise<void> {
    const { api } = this.#publishing;
    const { metadata } = await api.get({ served: NODE, name: node });
    const owner = { apiVersion: 'v1', kind: 'Node', name: node, uid: metadata.uid };
    const { apiVersion, kind } = NODE_ENFORCEMENT;
    await api.apply(NODE_ENFORCEMENT, { apiVersion, kind, metadata: { name: node, ownerReferences: [owner] } }, { fieldManager: FIELD_MANAGER });
  }

  #status(): EnforcementStatus {
    const { source, facts, clock } = this.#publishing;
    const at = clock.now();
    const promisedMs = HEARTBEATS_PROMISED * heartbeatMs(this.#written?.bytes ?? 0);
    return enforcementStatus(source.state, facts, { now: at, nextReportBefore: new Date(at.getTime() + promisedMs) });
  }
}

function heartbeatMs(bytes: number): number {
  return HEARTBEAT_MS + bytes * HEARTBEAT_MS_PER_BYTE;
}

/** What is told at once; the rest goes along. */
function weightOf({ version, ready, enforcing, troubles, counts, policies, morePolicies }: EnforcementStatus): string {
  return JSON.stringify([version, ready, enforcing, troubles, counts, policies, morePolicies]);
}
