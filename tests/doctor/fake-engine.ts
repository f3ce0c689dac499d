// A cluster in memory whose pods start, answer and are judged: by nobody, by the Program of the policies that are there, or by one that lacks a feature.
import type { Clock } from '../../src/base/clock.ts';
import { parseIpAddress, formatIpAddress } from '../../src/base/ip-address.ts';
import { hasPoint, pointOf } from '../../src/base/port-set.ts';
import { allowedPorts } from '../../src/analyze/decide.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { ClusterError } from '../../src/kube/cluster-error.ts';
import type { NewObject, ServedKind, StoredObject, WantedObject } from '../../src/kube/cluster-api.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import { readCluster } from '../../src/kube/kube.ts';
import type { ExecRequest, ExecResult, PodHands, PodPlace } from '../../src/kube/pod-hands.ts';
import { snapshotText } from '../../src/kube/snapshot.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';

export type Judge = 'nobody' | 'everything' | 'no ranges';

const ACCOUNT: ServedKind = { apiVersion: 'v1', kind: 'ServiceAccount', resource: 'serviceaccounts', isNamespaced: true };

/** A clock that goes on only by waiting. */
export class QuickClock implements Clock {
  #ms = 0;
  now = (): Date => new Date(1_800_000_000_000 + this.#ms);
  elapsedMs = (): number => this.#ms;
  random = (): number => 0.5;
  after = (ms: number, act: () => void): (() => void) => {
    const soon = setImmediate(() => {
      this.#ms += ms;
      act();
    });
    return () => clearImmediate(soon);
  };
}

/** A class, for pods come and go in it. */
export class FakeEngine extends FakeCluster implements PodHands {
  readonly #judge: Judge;
  readonly #clock: QuickClock;
  /** Told of each exec before it happens. */
  onExec: (count: number) => void = () => undefined;
  #execs = 0;
  #compiled: { readonly text: string; readonly program: ReturnType<typeof compileCluster> } | undefined;
  #pods = 0;

  constructor(judge: Judge, clock: QuickClock) {
    super();
    this.#judge = judge;
    this.#clock = clock;
    this.serve(ACCOUNT);
  }

  override async create(served: ServedKind, object: NewObject): Promise<StoredObject> {
    const stored = await super.create(served, object);
    const { name = '' } = stored.metadata;
    if (served.kind === 'Namespace') this.put({ ...ACCOUNT, metadata: { name: 'default', namespace: name } } as WantedObject);
    if (served.kind !== 'Pod') return stored;
    const ips = [`10.0.0.${++this.#pods}`, `fd00::${this.#pods}`];
    const { affinity } = stored['spec'] as { readonly affinity: { readonly nodeAffinity: { readonly requiredDuringSchedulingIgnoredDuringExecution: { readonly nodeSelectorTerms: readonly { readonly matchFields: readonly { readonly values: readonly string[] }[] }[] } } } }; // as probePodObject makes it
    const node = affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]!.matchFields[0]!.values[0]!;
    if (node === 'broken') return this.put({ ...(stored as WantedObject), status: { phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } } }] } });
    return this.put({ ...(stored as WantedObject), spec: { ...(stored['spec'] as object), nodeName: node }, status: { phase: 'Running', podIP: ips[0]!, podIPs: ips.map((ip) => ({ ip })), conditions: [{ type: 'Ready', status: 'True' }] } });
  }

  /** What is in a namespace goes with it. */
  override async delete(place: Parameters<FakeCluster['delete']>[0]): Promise<void> {
    if (place.served.kind === 'Namespace') {
      for (const [apiVersion, kind, resource] of [['v1', 'Pod', 'pods'], ['networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'], ['v1', 'ServiceAccount', 'serviceaccounts']] as const) {
        const held: StoredObject[] = [];
        for await (const event of this.listWhole({ apiVersion, kind, resource, isNamespaced: true }, { namespace: place.name })) if (event.kind === 'object') held.push(event.object);
        for (const object of held) this.remove(object as WantedObject);
      }
    }
    await super.delete(place);
  }

  async exec({ namespace, pod, command }: ExecRequest): Promise<ExecResult> {
    this.onExec(++this.#execs);
    const script = command.at(-1)!;
    await this.get({ served: { apiVersion: 'v1', kind: 'Pod', resource: 'pods', isNamespaced: true }, namespace, name: pod });
    if (script.includes('wget')) return this.#ended(this.#judge === 'nobody' ? 'held\nalive\n' : 'held\ncut\n');
    const program = await this.#program();
    const lines = [...script.matchAll(/^c ([0-9]+) (\S+):([0-9]+) (tcp|udp) &$/gm)].map(([, number, host, port, protocol]) => `${number} ${this.#comes(program, { namespace, pod }, { host: host!.replace(/^\[|\]$/g, ''), point: pointOf(protocol === 'tcp' ? 'TCP' : 'UDP', Number(port)) }) ? 'open' : 'closed'}`);
    this.#clock.after(lines.some((line) => line.endsWith('closed')) ? 700 : 50, () => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    return this.#ended(`${lines.join('\n')}\n`);
  }

  async addEphemeralContainer(): Promise<void> {
    throw new ClusterError('invalid', 'not here');
  }

  async readLog(_place: PodPlace): Promise<string> {
    const word = this.#judge === 'nobody' ? 'open' : 'closed';
    return `${Array.from({ length: 20 }, (_, index) => `${index} ${word}`).join('\n')}\ndone\n`;
  }

  #ended(stdout: string): ExecResult {
    return { kind: 'ended', status: 0, stdout, stderr: '', isCut: false };
  }

  async #program(): Promise<ReturnType<typeof compileCluster>> {
    const { entries } = await readCluster(this);
    const text = [...snapshotText(entries)].join('');
    // An engine that does not know ranges takes the first port of them.
    const known = this.#judge === 'no ranges' ? text.replace(/,\s*"endPort": [0-9]+|"endPort": [0-9]+,\s*/g, '') : text;
    if (this.#compiled?.text !== known) this.#compiled = { text: known, program: compileCluster(readManifests([sourceFromText('cluster', known)]).cluster) };
    return this.#compiled.program;
  }

  #comes(program: ReturnType<typeof compileCluster>, { namespace, pod }: PodPlace, { host, point }: { readonly host: string; readonly point: number }): boolean {
    if (this.#judge === 'nobody') return true;
    const address = parseIpAddress(host)!;
    const { pods } = program.cluster;
    const source = pods.findIndex((one) => one.namespace === namespace && one.name === pod);
    const target = pods.findIndex(({ addresses }) => addresses.some((one) => formatIpAddress(one) === formatIpAddress(address)));
    if (source < 0 || target < 0) return false; // gone meanwhile
    return hasPoint(allowedPorts(program, { kind: 'pod', pod: source }, { kind: 'pod', pod: target }, address.family), point);
  }
}
