// Flows between the ends of a random cluster, as somebody who saw them would have written them down.
import type { IpAddress } from '../../src/base/ip-address.ts';
import type { FlowEnd, FlowRecord } from '../../src/flow/flow-record.ts';
import type { Cluster, Pod } from '../../src/model/cluster.ts';
import type { ReferenceEnd, ReferenceTraffic } from '../reference/matches.ts';
import { outsideAddresses, trafficPoints } from '../clusters/points.ts';

export interface SeenFlow {
  readonly record: FlowRecord;
  readonly traffic: ReferenceTraffic;
}

const PROTOCOL_NUMBER = { TCP: 6, UDP: 17, SCTP: 132, other: 1 } as const;

/** Each number is one flow. */
export function seenFlows(cluster: Cluster, numbers: readonly number[]): readonly SeenFlow[] {
  const ends: readonly ReferenceEnd[] = [...cluster.pods.map((_, pod) => ({ kind: 'pod', pod }) as const), ...outsideAddresses(cluster).map((address) => ({ kind: 'address', address }) as const)];
  const points = trafficPoints(cluster);
  return numbers.flatMap((number): readonly SeenFlow[] => {
    const [source, target] = [ends[number % ends.length]!, ends[Math.floor(number / 31) % ends.length]!];
    const { protocol, port } = points[Math.floor(number / 7) % points.length]!;
    const family = familyOf(cluster, source, target);
    if (family === undefined || (source.kind === 'address' && target.kind === 'address')) return [];
    const record: FlowRecord = {
      verdict: number % 2 === 0 ? 'allowed' : 'denied',
      source: endOf(cluster, source, family),
      target: endOf(cluster, target, family),
      family,
      protocol: PROTOCOL_NUMBER[protocol],
      port: protocol === 'other' ? 0 : port,
      count: 1 + (number % 5),
      openings: number % 3 === 0 ? undefined : 1,
      firstSeen: 1_700_000_000_000 + number % 1000,
      lastSeen: 1_700_000_001_000 + number % 500,
      node: undefined,
      service: undefined,
      reason: undefined,
    };
    return [{ record, traffic: { source, target, protocol, port, family } }];
  });
}

function familyOf(cluster: Cluster, source: ReferenceEnd, target: ReferenceEnd): 4 | 6 | undefined {
  return ([4, 6] as const).find((family) => [source, target].every((end) => addressOf(cluster, end, family) !== undefined));
}

function addressOf({ pods }: Cluster, end: ReferenceEnd, family: 4 | 6): IpAddress | undefined {
  if (end.kind === 'domain-name') return undefined;
  const known = end.kind === 'address' ? [end.address] : pods[end.pod]!.addresses;
  return known.find((address) => address.family === family);
}

function endOf(cluster: Cluster, end: ReferenceEnd, family: 4 | 6): FlowEnd {
  const address = addressOf(cluster, end, family)!;
  return end.kind === 'pod' ? podEnd(cluster, cluster.pods[end.pod]!, address) : { kind: 'outside', address, names: [], node: undefined, isOwnNode: false };
}

function podEnd({ namespaces }: Cluster, { namespace, workload, name, labels }: Pod, address: IpAddress): FlowEnd {
  const held = namespaces.find((one) => one.name === namespace)?.labels ?? new Map<string, string>();
  const namespaceLabels = new Map([...held].filter(([key]) => key !== 'kubernetes.io/metadata.name').sort(([a], [b]) => (a < b ? -1 : 1)));
  return { kind: 'pod', namespace, workload, pod: name, labels: new Map([...labels].sort(([a], [b]) => (a < b ? -1 : 1))), namespaceLabels, address };
}

/** Every pod by a name of its own, with an address of each family, as those have that are seen on the wire. */
export function withAddresses(cluster: Cluster): Cluster {
  const pods = cluster.pods.map((pod, index) => {
    const missing = ([4, 6] as const).filter((family) => !pod.addresses.some((address) => address.family === family));
    const added = missing.map((family) => ({ family, value: (family === 4 ? 0xc6336400n : 0x20010db8_00000000_00000000_00000000n) + BigInt(index) }));
    return { ...pod, name: `${pod.name}-${index}`, replicas: 1, addresses: [...pod.addresses, ...added] };
  });
  return { ...cluster, pods };
}
