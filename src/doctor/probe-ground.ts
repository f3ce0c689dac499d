// The ground of a live probe: namespaces and pods of our own in a running cluster, connections tried between them, and nothing left of it.
import type { Clock } from '../base/clock.ts';
import { parseIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { ClusterApi, ServedKind, StoredObject, WantedObject } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import type { PodHands } from '../kube/pod-hands.ts';
import { connectScript, readConnected, type Attempt } from './connect-script.ts';
import { EXPIRES_ANNOTATION, GROUND_LABEL, groundNamespace, probePodObject, type PodOptions, type ProbePod } from './probe-pods.ts';

const NAMESPACES: ServedKind = { apiVersion: 'v1', kind: 'Namespace', resource: 'namespaces', isNamespaced: false };
const PODS: ServedKind = { apiVersion: 'v1', kind: 'Pod', resource: 'pods', isNamespaced: true };
const POLICIES: ServedKind = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', resource: 'networkpolicies', isNamespaced: true };
const ACCOUNTS: ServedKind = { apiVersion: 'v1', kind: 'ServiceAccount', resource: 'serviceaccounts', isNamespaced: true };

export type GroundApi = ClusterApi & PodHands;

export interface GroundOptions {
  readonly clock: Clock;
  readonly image: string;
  /** Who asks: `user@host`. */
  readonly owner: string;
  /** So many hexadecimal digits that nobody can guess. */
  readonly secret: (digits: number) => string;
  /** Everything of it is gone by itself after so long, for the next one takes away what has expired. */
  readonly livesMs: number;
  readonly podsReadyMs: number;
  readonly signal: AbortSignal;
  readonly onNote: (note: string) => void;
}

export interface ReadyPod extends ProbePod {
  readonly addresses: readonly IpAddress[];
}

/** The cluster does not let us probe: the command ends with status 3. */
export class GroundError extends Error {
  readonly code = 'no-ground';

  constructor(message: string, help?: string) {
    super(help === undefined ? message : `${message}\n  help: ${help}`);
    this.name = 'GroundError';
  }
}

/** A script in a probe pod that does not end by then is a failure. */
export const EXEC_MS = 20_000;
const POLL_MS = 250;
const GONE_MS = 90_000;
const RIGHTS = 'it takes the verbs create, get, list and delete on namespaces, pods and networkpolicies.networking.k8s.io, patch on pods and networkpolicies.networking.k8s.io, get on serviceaccounts and pods/log, and create on pods/exec';

/** A class, for it lives in time: what it made goes with it. */
export class ProbeGround {
  readonly #api: GroundApi;
  readonly #options: GroundOptions;
  readonly #namespaces: string[] = [];
  readonly name: string;

  constructor(api: GroundApi, options: GroundOptions) {
    this.#api = api;
    this.#options = options;
    this.name = `bulkhead-probe-${options.secret(8)}`;
  }

  /** What others left behind and what has expired. */
  async sweepExpired(): Promise<void> {
    const now = this.#options.clock.now().getTime();
    for await (const event of this.#api.listWhole(NAMESPACES, { labelSelector: `${GROUND_LABEL}=doctor` })) {
      if (event.kind === 'restart') continue;
      const { name = '', annotations, deletionTimestamp } = event.object.metadata as { readonly name?: string; readonly annotations?: Readonly<Record<string, string>>; readonly deletionTimestamp?: string }; // as a server stores it
      const expires = Date.parse(annotations?.[EXPIRES_ANNOTATION] ?? '');
      if (deletionTimestamp !== undefined || !(expires < now)) continue;
      this.#options.onNote(`the namespace ${name}, left behind by an earlier probe, is taken away`);
      await ignoring(['not-found', 'conflict'], () => this.#api.delete({ served: NAMESPACES, name }));
    }
  }

  /** Fails with GroundError where the cluster says no. */
  async addNamespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    const { clock, owner, livesMs } = this.#options;
    const expires = new Date(clock.now().getTime() + livesMs).toISOString();
    // First remembered: an answer that is lost may still have made it.
    this.#namespaces.push(name);
    await this.#saying(`a namespace could not be made in the cluster ${this.#api.name}`, () => this.#api.create(NAMESPACES, groundNamespace(name, { owner, expires }, labels)));
    await this.#until(30_000, `the namespace ${name} got no service account`, async () => (await ignoring(['not-found'], () => this.#api.get({ served: ACCOUNTS, namespace: name, name: 'default' }))) !== undefined);
  }

  /** Those that are ready in time; the others by name, with the reason. */
  async addPods(pods: readonly ProbePod[]): Promise<{ readonly ready: readonly ReadyPod[]; readonly missing: ReadonlyMap<string, string> }> {
    for (const pod of pods) await this.addPod(pod);
    const ready = new Map<string, ReadyPod>();
    const missing = new Map<string, string>();
    const { clock, podsReadyMs } = this.#options;
    const deadline = clock.elapsedMs() + podsReadyMs;
    for (;;) {
      for (const pod of pods.filter(({ name }) => !ready.has(name))) {
        const { addresses, reason } = await this.#look(pod);
        if (reason === undefined) ready.set(pod.name, { ...pod, addresses });
        else missing.set(pod.name, reason);
      }
      if (ready.size === pods.length || clock.elapsedMs() > deadline) break;
      await this.#wait(POLL_MS);
    }
    return { ready: [...ready.values()], missing: new Map([...missing].filter(([name]) => !ready.has(name))) };
  }

  async addPod(pod: ProbePod, script?: string): Promise<void> {
    const options: PodOptions = { image: this.#options.image, livesSeconds: Math.ceil(this.#options.livesMs / 1000), ...(script === undefined ? {} : { script }) };
    await this.#saying(`a probe pod is refused in the cluster ${this.#api.name}`, () => this.#api.create(PODS, probePodObject(pod, options)));
  }

  async log({ namespace, name }: ProbePod, container: string): Promise<string> {
    return (await ignoring(['not-found', 'invalid'], () => this.#api.readLog({ namespace, pod: name }, container))) ?? '';
  }

  async setPolicy(namespace: string, name: string, spec: object): Promise<void> {
    const object: WantedObject = { apiVersion: POLICIES.apiVersion, kind: POLICIES.kind, metadata: { name, namespace }, spec };
    await this.#saying('a policy is refused', () => this.#api.apply(POLICIES, object, { fieldManager: 'bulkhead-doctor' }));
  }

  async removePolicy(namespace: string, name: string): Promise<void> {
    await ignoring(['not-found'], () => this.#api.delete({ served: POLICIES, namespace, name }));
  }

  async relabel({ namespace, name, labels }: ProbePod): Promise<void> {
    await this.#saying('a pod cannot be labeled', () => this.#api.apply(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels } }, { fieldManager: 'bulkhead-doctor' }));
  }

  /** All of them at once; `false` is a refusal. Fails with GroundError where a pod cannot be asked. */
  async tryAll(tries: readonly { readonly source: ProbePod; readonly attempt: Attempt }[]): Promise<readonly boolean[]> {
    const bySource = Map.groupBy(tries.map((one, index) => ({ ...one, index })), ({ source }) => `${source.namespace}/${source.name}`);
    const came: boolean[] = new Array<boolean>(tries.length).fill(false);
    await Promise.all([...bySource.values()].map(async (list) => {
      const found = await this.#tryFrom(list[0]!.source, list.map(({ attempt }) => attempt));
      list.forEach(({ index }, place) => (came[index] = found[place]!));
    }));
    return came;
  }

  /** A script in a pod, to its end. */
  async run({ namespace, name }: ProbePod, script: string, timeoutMs: number = EXEC_MS): Promise<string> {
    const ran = await this.#saying(`the probe pod ${namespace}/${name} cannot be asked`, () => this.#api.exec({ namespace, pod: name, container: 'web', command: ['sh', '-c', script], timeoutMs, signal: this.#options.signal }));
    if (ran.kind === 'not-started') throw new GroundError(`no shell starts in the probe pod ${namespace}/${name}: ${ran.reason}`, `the image needs sh and /agnhost, as ${this.#options.image} should have`);
    return ran.stdout;
  }

  async #tryFrom(source: ProbePod, attempts: readonly Attempt[]): Promise<readonly boolean[]> {
    const found = readConnected(await this.run(source, connectScript(attempts)), attempts.length);
    const silent = found.indexOf(undefined);
    if (silent >= 0) throw new GroundError(`the probe pod ${source.namespace}/${source.name} does not say what came of a connection`, 'the image needs sh and /agnhost');
    return found.map((one) => one === true);
  }

  /** Takes all of it away, also when the signal has come; what cannot be taken away is said, and expires. */
  async close(): Promise<void> {
    const { clock, onNote } = this.#options;
    const deadline = clock.elapsedMs() + GONE_MS;
    const names = this.#namespaces.splice(0);
    await Promise.all(names.map(async (name) => {
      try {
        await ignoring(['not-found', 'conflict'], () => this.#api.delete({ served: NAMESPACES, name }));
        while ((await ignoring(['not-found'], () => this.#api.get({ served: NAMESPACES, name }))) !== undefined) {
          if (clock.elapsedMs() > deadline) throw new GroundError('it does not go');
          await sleep(clock, POLL_MS);
        }
      } catch (error) {
        onNote(`the namespace ${name} is still there (${error instanceof Error ? error.message.split('\n')[0] : String(error)}); its pods end by themselves, and the next probe takes it away when it has expired: or kubectl delete namespace ${name}`);
      }
    }));
  }

  async #look(pod: ProbePod): Promise<{ readonly addresses: readonly IpAddress[]; readonly reason: string | undefined }> {
    const object = await this.#saying(`the probe pod ${pod.namespace}/${pod.name} went away`, () => this.#api.get({ served: PODS, namespace: pod.namespace, name: pod.name }));
    return lookAt(object);
  }

  async #until(ms: number, otherwise: string, isSo: () => Promise<boolean>): Promise<void> {
    const deadline = this.#options.clock.elapsedMs() + ms;
    while (!(await isSo())) {
      if (this.#options.clock.elapsedMs() > deadline) throw new GroundError(otherwise);
      await this.#wait(POLL_MS);
    }
  }

  async #wait(ms: number): Promise<void> {
    await sleep(this.#options.clock, ms);
    this.#options.signal.throwIfAborted();
  }

  /** Refusals get a sentence that says what was wanted; failures of the way stay as they are. */
  async #saying<T>(what: string, act: () => Promise<T>): Promise<T> {
    this.#options.signal.throwIfAborted();
    try {
      return await act();
    } catch (error) {
      this.#options.signal.throwIfAborted();
      if (!(error instanceof ClusterError) || error.code === 'unreachable' || error.code === 'unauthorized') throw error;
      const isRight = error.code === 'forbidden' && /cannot (create|get|patch|delete|list) resource/.test(error.message);
      throw new GroundError(`${what}: ${error.message}`, isRight ? RIGHTS : error.code === 'not-found' ? 'somebody took it away meanwhile' : undefined);
    }
  }
}

interface PodStatus {
  readonly phase?: string;
  readonly message?: string;
  readonly podIPs?: readonly { readonly ip: string }[];
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string; readonly message?: string }[];
  readonly containerStatuses?: readonly { readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } } }[];
}

function lookAt(object: StoredObject): { readonly addresses: readonly IpAddress[]; readonly reason: string | undefined } {
  const { phase, message, podIPs = [], conditions = [], containerStatuses = [] } = (object['status'] ?? {}) as PodStatus; // core/v1
  const addresses = podIPs.flatMap(({ ip }) => parseIpAddress(ip) ?? []);
  const isReady = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  if (isReady && addresses.length > 0) return { addresses, reason: undefined };
  const waiting = containerStatuses.flatMap(({ state }) => (state?.waiting?.reason === undefined ? [] : [`${state.waiting.reason}${state.waiting.message === undefined ? '' : `: ${state.waiting.message}`}`]));
  const unscheduled = conditions.flatMap(({ type, status, message: why }) => (type === 'PodScheduled' && status === 'False' && why !== undefined ? [why] : []));
  return { addresses, reason: [...unscheduled, ...waiting, message, phase].find((text) => text !== undefined)?.slice(0, 300) ?? 'nothing is said of it' };
}

export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}

async function ignoring<T>(codes: readonly ClusterError['code'][], act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ClusterError && codes.includes(error.code)) return undefined;
    throw error;
  }
}
