// What a kernel's ledger recorded becomes flows: addresses become the pods, nodes and hosts that have them.
import type { IpAddress } from '../base/ip-address.ts';
import type { LedgerEntry } from '../kernel/firewall.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import type { FlowEnd, FlowRecord } from './flow-record.ts';

export interface SeenAt {
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly node: string | undefined;
}

/** `endOf` is of the cluster at that time. Openings are not known: a ledger counts what was judged. */
export function ledgerFlow(entry: LedgerEntry, endOf: (address: IpAddress) => FlowEnd, { timeMs, node }: SeenAt): FlowRecord {
  return {
    verdict: entry.verdict,
    source: endOf(entry.source),
    target: endOf(entry.target),
    family: entry.source.family,
    protocol: entry.protocol,
    port: entry.port,
    count: entry.packets,
    openings: undefined,
    firstSeen: timeMs,
    lastSeen: timeMs,
    node,
    service: undefined,
    reason: undefined,
  };
}

/** By their addresses. What has its node's address is the node, for nobody can tell which of its processes spoke. */
export function endsByAddress({ pods, nodes, namespaces }: Cluster): (address: IpAddress) => FlowEnd {
  const labelsOf = new Map(namespaces.map(({ name, labels }) => [name, labels]));
  const known = new Map<string, FlowEnd>();
  for (const { name, addresses } of nodes) for (const address of addresses) known.set(keyOf(address), { kind: 'outside', address, names: [], node: name, isOwnNode: false });
  for (const pod of pods) {
    if (!pod.hostNetwork) for (const address of pod.addresses) known.set(keyOf(address), podEnd(pod, labelsOf.get(pod.namespace), address));
  }
  return (address) => known.get(keyOf(address)) ?? { kind: 'outside', address, names: [], node: undefined, isOwnNode: false };
}

export function podEnd({ namespace, workload, name, labels, nodeName: node }: Pod, ofNamespace: Pod['labels'] | undefined, address: IpAddress): FlowEnd {
  const namespaceLabels = new Map([...(ofNamespace ?? [])].filter(([key]) => key !== 'kubernetes.io/metadata.name'));
  return { kind: 'pod', namespace, workload, pod: name, labels, namespaceLabels, ...(node === undefined ? {} : { node }), address };
}

function keyOf({ family, value }: IpAddress): string {
  return `${family} ${value}`;
}
