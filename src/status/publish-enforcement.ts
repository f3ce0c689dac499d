// Keeps the NodeEnforcement of a node at what its agent knows: at once when something of weight changes, seldom otherwise, never more often than the API server can bear, and never back to what was before.
import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/sleep.ts';
import type { FlowLosses } from '../flow/flow-losses.ts';
import type { ClusterApi, ServedKind } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import type { AgentState } from '../agent/agent-state.ts';
import type { StagedCount } from '../stage/staged-count.ts';
import { enforcementStatus, NODE_ENFORCEMENT, timeText, type EnforcementStatus } from './node-enforcement.ts';
import type { AgentFacts } from './status.ts';

/** Who tells what the agent knows, and when it changes. */
export interface StateSource {
  readonly state: AgentState;
  /** The same as in `state`, for nothing. */
  readonly isReady: boolean;
  /** Gives what takes the listener back. */
  onChange(listener: () => void): () => void;
}

export interface Publishing {
  readonly api: Pick<ClusterApi, 'apply' | 'get' | 'patchStatus'>;
  readonly source: StateSource;
  readonly facts: AgentFacts;
  readonly staged: () => readonly StagedCount[];
  readonly losses: () => FlowLosses;
  readonly clock: Clock;
  /** Told of each write that failed; it is tried again by itself. */
  readonly onFailure: (error: ClusterError) => void;
  readonly signal: AbortSignal;
}

/** Between two writes, and so much more for each byte: an object of 1 MB is written every 20 s at most. */
const SPACING_MS = 1_000;
const SPACING_MS_PER_BYTE = 0.02;
/** Between two writes when nothing changes: three a minute, where a kubelet renews its lease six times. */
const HEARTBEAT_MS = 20_000;
const HEARTBEAT_MS_PER_BYTE = 0.1;
/** An agent that has let so many heartbeats pass is silent: of one that was killed nobody believes for longer than a minute that it enforces. */
const HEARTBEATS_PROMISED = 3;
const RETRY_MS_FIRST = 1_000;
const RETRY_MS_MAX = 60_000;
/** Before the last report holds no more it is tried once again: a server that was away for a moment finds no agent silent. */
const LAST_CHANCE_MS = 5_000;
/** A write that the server has not answered by then has failed; at the end of the agent there is less time. */
const WRITE_MS_MAX = 10_000;
const LAST_WRITE_MS_MAX = 2_000;

const NODE: ServedKind = { apiVersion: 'v1', kind: 'Node', resource: 'nodes', isNamespaced: false };
const FIELD_MANAGER = 'bulkhead-agent';

/**
 * Ends with the signal, after a last report that promises no other; a server that refuses is told to `onFailure`, and asked again.
 * What was claimed and is so no longer is taken back at once, not at the next time for a write.
 */
export async function publishEnforcement(publishing: Publishing): Promise<void> {
  await new EnforcementPublisher(publishing).run();
}

interface Written {
  readonly atMs: number;
  readonly weight: string;
  readonly bytes: number;
  readonly isReady: boolean;
  /** Of the object: a write that comes late, after one that was made in its place, is refused. */
  readonly resourceVersion: string;
}

/** A class, for it lives in time: it knows what it wrote last, and when. */
class EnforcementPublisher {
  readonly #publishing: Publishing;
  /** undefined: the object may not be there, or is not as it was left. */
  #written: Written | undefined;
  #failures = 0;
  #retryAtMs = 0;
  /** The last report says so. */
  #promisedUntilMs = 0;
  #mayDiffer = false;
  #wake: (() => void) | undefined;

  constructor(publishing: Publishing) {
    this.#publishing = publishing;
    publishing.source.onChange(() => {
      if (this.#mayDiffer && !this.#claimsTooMuch) return;
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
    await this.#writeLast();
  }

  get #claimsTooMuch(): boolean {
    return this.#written?.isReady === true && !this.#publishing.source.isReady;
  }

  #dueMs(): number {
    if (this.#failures > 0) return this.#retryAtMs;
    if (this.#written === undefined || this.#claimsTooMuch) return 0;
    const { atMs, bytes } = this.#written;
    return atMs + (this.#mayDiffer ? SPACING_MS + bytes * SPACING_MS_PER_BYTE : heartbeatMs(bytes));
  }

  /** Asked when a write may be due: a change that comes to nothing is forgotten. */
  #isDifferent(): boolean {
    if (this.#written === undefined || this.#failures > 0 || this.#claimsTooMuch) return true;
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
    const { clock, onFailure } = this.#publishing;
    this.#mayDiffer = false;
    try {
      const resourceVersion = this.#written?.resourceVersion ?? (await this.#writeObject());
      await this.#writeStatus(this.#status(), resourceVersion, WRITE_MS_MAX);
      this.#failures = 0;
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      this.#written = undefined; // whatever has become of it
      const step = Math.min(RETRY_MS_FIRST * 2 ** this.#failures, RETRY_MS_MAX);
      this.#failures++;
      const [nowMs, lastChanceMs] = [clock.elapsedMs(), this.#promisedUntilMs - LAST_CHANCE_MS];
      const retryAtMs = nowMs + step / 2 + (clock.random() * step) / 2;
      this.#retryAtMs = nowMs < lastChanceMs ? Math.min(retryAtMs, lastChanceMs) : retryAtMs;
      onFailure(error);
    }
  }

  /** Nobody looks after the rules from here on, and nobody shall believe so until the promise of the last report has run out. */
  async #writeLast(): Promise<void> {
    if (this.#written === undefined) return;
    const status = this.#status();
    try {
      await this.#writeStatus({ ...status, nextReportBefore: status.reportedAt }, this.#written.resourceVersion, LAST_WRITE_MS_MAX);
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      this.#publishing.onFailure(error);
    }
  }

  async #writeStatus(status: EnforcementStatus, resourceVersion: string, withinMs: number): Promise<void> {
    const { api, source, clock, signal } = this.#publishing;
    const stop = new AbortController();
    const promisedUntilMs = clock.elapsedMs() + promisedMs(status);
    let cancel = clock.after(withinMs, () => stop.abort());
    const shorten = (): void => {
      cancel();
      cancel = clock.after(LAST_WRITE_MS_MAX, () => stop.abort());
    };
    signal.addEventListener('abort', shorten);
    try {
      const { metadata } = await api.patchStatus({ served: NODE_ENFORCEMENT, name: source.state.node }, { ...status }, { resourceVersion, signal: stop.signal });
      this.#written = { atMs: clock.elapsedMs(), weight: weightOf(status), bytes: bytesOf(status), isReady: status.ready, resourceVersion: metadata.resourceVersion! };
      this.#promisedUntilMs = promisedUntilMs;
    } finally {
      signal.removeEventListener('abort', shorten);
      cancel();
    }
  }

  /** It belongs to its node, and goes with it. Gives its version. */
  async #writeObject(): Promise<string> {
    const { api, source } = this.#publishing;
    const { node } = source.state;
    const { metadata } = await api.get({ served: NODE, name: node });
    const owner = { apiVersion: 'v1', kind: 'Node', name: node, uid: metadata.uid };
    const { apiVersion, kind } = NODE_ENFORCEMENT;
    const written = await api.apply(NODE_ENFORCEMENT, { apiVersion, kind, metadata: { name: node, ownerReferences: [owner] } }, { fieldManager: FIELD_MANAGER });
    return written.metadata.resourceVersion!;
  }

  #status(): EnforcementStatus {
    const { source, facts, staged, losses, clock } = this.#publishing;
    const at = clock.now();
    const status = enforcementStatus({ state: source.state, facts, staged: staged(), losses: losses() }, { now: at, nextReportBefore: at });
    return { ...status, nextReportBefore: timeText(new Date(at.getTime() + promisedMs(status))) };
  }
}

function bytesOf(status: EnforcementStatus): number {
  return JSON.stringify(status).length;
}

function promisedMs(status: EnforcementStatus): number {
  return HEARTBEATS_PROMISED * heartbeatMs(bytesOf(status));
}

function heartbeatMs(bytes: number): number {
  return HEARTBEAT_MS + bytes * HEARTBEAT_MS_PER_BYTE;
}

/** What is told at once; the rest goes along. */
function weightOf({ version, ready, enforcing, troubles, counts, policies, morePolicies }: EnforcementStatus): string {
  return JSON.stringify([version, ready, enforcing, troubles, counts, policies, morePolicies]);
}
