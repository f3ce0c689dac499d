// The pods that are probed: made through the API server, run by the kubelets, and given listeners on every probed port.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseIpAddress, type IpAddress } from '../../../src/base/ip-address.ts';
import type { ClusterObject, WantedObject } from '../../../src/kube/cluster-api.ts';
import { askServer } from '../../../src/kube/kube-request.ts';
import { inNamespace, type NamespaceFd } from '../../../src/kernel/network-namespace.ts';
import { Listeners } from '../../../src/lab/internal/listeners.ts';
import type { ProbePort } from '../../../src/probe/plan-probes.ts';
import { applyObject } from '../write-object.ts';
import type { NodeCluster, RunningNode } from './node-cluster.ts';
import { PodNamespaces, type PodNamespace } from './pod-namespaces.ts';

export interface FleetPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Numbers by name; TCP where the name does not say otherwise, as `dns/UDP`. */
  readonly ports?: Readonly<Record<string, number>>;
  /** From 1; beyond the cluster's nodes it wraps around. */
  readonly node: number;
  readonly hostNetwork?: boolean;
}

/** One end of probes. */
export interface FleetEnd {
  /** `namespace/pod`, or `outside`. */
  readonly name: string;
  readonly kind: 'pod' | 'node' | 'outside';
  /** Where it runs; undefined for `outside`. */
  readonly node: string | undefined;
  readonly namespace: NamespaceFd;
  readonly addresses: readonly IpAddress[];
}

/** What every end listens on; TCP 80 of a pod is its own HTTP server, the others echo. */
export const PROBED_PORTS: readonly ProbePort[] = [
  { protocol: 'TCP', port: 80 },
  { protocol: 'TCP', port: 81 },
  { protocol: 'TCP', port: 8000 },
  { protocol: 'UDP', port: 80 },
  { protocol: 'UDP', port: 81 },
];

const OWN_PORTS: readonly string[] = ['TCP 80'];

/** Echoes over TCP and UDP for connections that stay open: whoever answers the many short ones keeps only the newest of them. */
export const LIVE_PORT = 82;

/** Kubernetes' own test server. */
export const SERVER_IMAGE = 'lab.example/agnhost:2.56';

/** A pod that does not come up fails its test. */
const READY_WITHIN_MS = 90_000;

export class Fleet {
  readonly #cluster: NodeCluster;
  readonly #listeners = new Listeners({ zone: new Map(), names: [] });
  readonly #liveListeners = new Listeners({ zone: new Map(), names: [] });
  readonly #namespaces: Map<RunningNode, PodNamespaces>;
  readonly #listening = new WeakSet<PodNamespace>();

  constructor(cluster: NodeCluster) {
    this.#cluster = cluster;
    this.#namespaces = new Map(cluster.nodes.map((node) => [node, new PodNamespaces(node)]));
    // Who has several addresses must answer datagrams from the one that was called.
    for (const end of [...cluster.nodes, cluster.outside]) this.#listen(end, end.addresses);
  }

  /** Ready when all of them are; namespaces must be there. */
  async deploy(pods: readonly FleetPod[]): Promise<void> {
    for (const pod of pods) await applyObject(this.#cluster.connection, podObject(pod, this.#nodeOf(pod)));
    const names = new Set(pods.map(({ namespace, name }) => `${namespace}/${name}`));
    const deadline = performance.now() + READY_WITHIN_MS;
    for (;;) {
      const waiting = new Set(names);
      for (const object of await this.#listPods()) if (isReady(object)) waiting.delete(nameOf(object));
      if (waiting.size === 0) break;
      if (performance.now() > deadline) throw new Error(`not ready within ${READY_WITHIN_MS / 1000} s: ${[...waiting].join(', ')}`);
      await sleep(50);
    }
    await this.ends();
  }

  /** Gone, and not only going. */
  async remove(pods: readonly Pick<FleetPod, 'namespace' | 'name'>[]): Promise<void> {
    for (const { namespace, name } of pods) await askServer(this.#cluster.connection, { path: `/api/v1/namespaces/${namespace}/pods/${name}?gracePeriodSeconds=0`, method: 'DELETE' });
    const names = new Set(pods.map(({ namespace, name }) => `${namespace}/${name}`));
    const deadline = performance.now() + READY_WITHIN_MS;
    while ((await this.#listPods()).some((object) => names.has(nameOf(object)))) {
      if (performance.now() > deadline) throw new Error(`not gone within ${READY_WITHIN_MS / 1000} s`);
      await sleep(50);
    }
  }

  /** A node that has booted stands in the place of what it was before. */
  replaceNode(before: RunningNode, after: RunningNode): void {
    this.#namespaces.get(before)!.close();
    this.#namespaces.delete(before);
    this.#namespaces.set(after, new PodNamespaces(after));
    this.#listen(after, after.addresses);
  }

  /** Every pod that runs now, whoever made it, and the host outside; each listens on the probed ports. */
  async ends(): Promise<readonly FleetEnd[]> {
    const byAddress = new Map([...this.#namespaces.values()].flatMap((namespaces) => [...namespaces.look()]));
    const byNode = new Map(this.#cluster.nodes.map((node) => [node.name, node]));
    const pods = (await this.#listPods()).flatMap((object): FleetEnd[] => {
      const { podIPs = [], phase } = object['status'] as unknown as PodStatus; // the server's own shape, core/v1
      const { hostNetwork = false, nodeName = '' } = object['spec'] as unknown as PodSpec;
      const found = hostNetwork ? byNode.get(nodeName) : byAddress.get(podIPs[0]?.ip ?? '');
      if (found === undefined || phase !== 'Running') return [];
      if (!hostNetwork) this.#listen(found, [undefined], object.metadata.namespace === 'kube-system' ? [] : OWN_PORTS);
      return [{ name: nameOf(object), kind: hostNetwork ? 'node' : 'pod', node: nodeName, namespace: found.namespace, addresses: podIPs.map(({ ip }) => parseIpAddress(ip)!) }];
    });
    return [...pods, { name: 'outside', kind: 'outside', node: undefined, ...this.#cluster.outside }];
  }

  async close(): Promise<void> {
    for (const namespaces of this.#namespaces.values()) namespaces.close();
    await this.#listeners.close();
    await this.#liveListeners.close();
  }

  /** Echoes what comes; once for each namespace, on every probed port that nobody serves there himself. */
  #listen(place: PodNamespace, addresses: readonly (IpAddress | undefined)[], served: readonly string[] = []): void {
    if (this.#listening.has(place)) return;
    this.#listening.add(place);
    const families = this.#cluster.combination.isDualStack ? ([4, 6] as const) : ([4] as const);
    const open = PROBED_PORTS.filter(({ protocol, port }) => !served.includes(`${protocol} ${port}`));
    inNamespace(place.namespace, () => {
      for (const address of addresses) {
        for (const { protocol, port } of open) if (protocol !== 'SCTP') this.#listeners.add({ protocol, port, address, families, owner: 0, isDns: false });
        for (const protocol of ['TCP', 'UDP'] as const) this.#liveListeners.add({ protocol, port: LIVE_PORT, address, families, owner: 0, isDns: false });
      }
    });
  }

  #nodeOf({ node }: FleetPod): RunningNode {
    const { nodes } = this.#cluster;
    return nodes[(node - 1) % nodes.length]!;
  }

  async #listPods(): Promise<readonly ClusterObject[]> {
    const { items } = (await askServer(this.#cluster.connection, { path: '/api/v1/pods' })) as { readonly items: readonly ClusterObject[] };
    return items;
  }
}

interface PodStatus {
  readonly phase: string;
  readonly podIPs?: readonly { readonly ip: string }[];
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

interface PodSpec {
  readonly nodeName?: string;
  readonly hostNetwork?: boolean;
}

function nameOf({ metadata }: ClusterObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function isReady(object: ClusterObject): boolean {
  const { conditions = [] } = object['status'] as unknown as PodStatus; // the server's own shape, core/v1
  return object.metadata['deletionTimestamp'] === undefined && conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

function podObject({ namespace, name, labels, ports = {}, hostNetwork = false }: FleetPod, node: RunningNode): WantedObject {
  const named = Object.entries(ports).map(([key, containerPort]) => ({ name: key.split('/')[0]!, containerPort, protocol: key.split('/')[1] ?? 'TCP' }));
  const container = hostNetwork
    ? { name: 'serve', image: SERVER_IMAGE, args: ['pause'] }
    : { name: 'serve', image: SERVER_IMAGE, args: ['netexec', '--http-port=80', '--udp-port=8081'], ports: named, readinessProbe: { httpGet: { port: 80 }, periodSeconds: 1 } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: { nodeName: node.name, hostNetwork, terminationGracePeriodSeconds: 0, automountServiceAccountToken: false, enableServiceLinks: false, dnsConfig: HASTY_DNS, containers: [container] },
  };
}

/** A resolver without an answer would try on for half a minute. */
const HASTY_DNS = { options: [{ name: 'timeout', value: '1' }, { name: 'attempts', value: '2' }] };
