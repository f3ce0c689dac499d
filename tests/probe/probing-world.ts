// A cluster in memory with pods on nodes, and a network in memory whose verdicts a test decides: what a prober and its clients live in.
import { formatIpAddress, type IpAddress } from '../../src/base/ip-address.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import type { ListenWish, PodNetwork } from '../../src/kernel/pod-network.ts';
import type { ProbeAnswer, ProbeTask } from '../../src/kernel/prober.ts';
import { CONNECTION_PROBE } from '../../src/probe/connection-probe.ts';

export interface FakePod {
  readonly name: string;
  readonly node: string;
  readonly ip: string;
  readonly fields?: { readonly metadata?: object; readonly spec?: object; readonly status?: object };
}

/** In the namespace `shop`; uids are `uid-NAME`. */
export function probedCluster(pods: readonly FakePod[], isServed = true): FakeCluster {
  const cluster = new FakeCluster();
  if (isServed) cluster.serve(CONNECTION_PROBE);
  cluster.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  for (const pod of pods) putPod(cluster, pod);
  return cluster;
}

/** Gives its uid. */
export function putPod(cluster: FakeCluster, { name, node, ip, fields = {} }: FakePod): string {
  const { uid } = cluster.put({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', ...fields.metadata },
    spec: { nodeName: node, containers: [{ name: 'c', image: 'x' }], ...fields.spec },
    status: { phase: 'Running', podIP: ip, podIPs: [{ ip }], hostIPs: [{ ip: '10.250.0.11' }], containerStatuses: [{ name: 'c', state: { running: {} } }], ...fields.status },
  }).metadata;
  return uid!;
}

export interface FakeNetwork {
  readonly open: (mark: Uint8Array) => PodNetwork;
  /** Open now, as `ADDRESS PROTOCOL/PORT`. */
  readonly listening: Set<string>;
  /** Descriptors that are open. */
  readonly held: Set<number>;
  /** Every attempt, as `SOURCE ADDRESS PROTOCOL/PORT`. */
  readonly tried: string[];
}

/** `answer` decides what becomes of an attempt; `home` is the source where the node itself tries. */
export function fakeNetwork(addresses: readonly string[], answer: (source: string, place: string, isListening: boolean) => ProbeAnswer, served: readonly string[] = []): FakeNetwork {
  const listening = new Set<string>();
  const held = new Set<number>();
  const tried: string[] = [];
  let next = 100;
  const hold = (): number => {
    held.add(next);
    return next++;
  };
  const placeOf = (address: IpAddress, protocol: string, port: number): string => `${formatIpAddress(address)} ${protocol}/${port}`;
  const judge = ({ source, target, protocol, port }: ProbeTask): ProbeAnswer => {
    const place = placeOf(target, protocol, port);
    tried.push(`${formatIpAddress(source)} ${place}`);
    return answer(formatIpAddress(source), place, listening.has(place));
  };
  const open = (): PodNetwork => {
    const home = hold();
    return {
      home,
      closeHome: () => void held.delete(home),
      close: (namespace) => void held.delete(namespace),
      find: (pods) => pods.map((own) => (own.length > 0 && own.every((address) => addresses.includes(formatIpAddress(address))) ? hold() : undefined)),
      listen: ({ address, protocol, port }: ListenWish) => {
        const place = placeOf(address, protocol, port);
        if (served.includes(place)) return { kind: 'served' };
        listening.add(place);
        return { kind: 'listening', listener: { answer: () => undefined, close: () => void listening.delete(place) } };
      },
      prober: { tasksMax: 1000, open: (tasks) => ({ answers: tasks.map(judge), collect: async () => undefined, errnoOf: () => 0, close: () => undefined }) },
    };
  };
  return { open, listening, held, tried };
}
