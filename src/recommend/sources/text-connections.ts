// Connections that the application's own texts show, and what in these texts cannot be followed.
import type { Finding } from '../../base/finding.ts';
import { formatIpAddress, type IpAddress } from '../../base/ip-address.ts';
import { portSetOf, unionPorts, type PortSet, type Protocol } from '../../base/port-set.ts';
import type { PortTarget } from '../../analyze/services.ts';
import type { Cluster } from '../../model/cluster.ts';
import { internetBlocks, rangeBlocks } from '../ends/address-blocks.ts';
import type { WorkloadTexts } from '../words/assignment.ts';
import type { Connection, End, Shown } from '../ends/connection.ts';
import { findMentions, type Mention } from '../words/mentions.ts';
import type { HostResolver } from '../words/resolve-host.ts';
import type { Subject, Subjects } from '../ends/subjects.ts';
import { mentionText, noteClosed, noteMissing, noteUnreadable, noteUnselectable } from './text-notes.ts';
import { witnessAt } from '../words/witness.ts';

export interface TextContext {
  readonly cluster: Cluster;
  readonly subjects: Subjects;
  readonly resolver: HostResolver;
}

export function connectionsOfTexts(context: TextContext, source: Subject, { assignments, missing }: WorkloadTexts): Shown {
  const { mentions, unreadable } = findMentions(assignments);
  const shown = mentions.map((mention) => connectionsOf(context, source, mention));
  return {
    connections: shown.flatMap(({ connections }) => connections),
    findings: [
      ...shown.flatMap(({ findings }) => findings),
      ...unreadable.map(noteUnreadable),
      ...noteMissing(missing),
    ],
  };
}

function connectionsOf(context: TextContext, source: Subject, mention: Mention): Shown {
  const resolution = context.resolver.resolve(mention, source.namespace);
  switch (resolution.kind) {
    case 'own':
    case 'none':
      return NOTHING;
    case 'closed':
      return { connections: [], findings: [noteClosed(mention, resolution)] };
    case 'targets':
      return connectionsTo(context, source, { mention, targets: resolution.targets });
    case 'outside': {
      const target: End = { kind: 'addresses', name: resolution.host, blocks: internetBlocks(context.cluster) };
      return outsideConnection({ source, mention, target, ports: portsOf(resolution.protocol, resolution.ports), decision: `\`${resolution.host}\` is outside the cluster and its addresses change: this opens every address that is not private` });
    }
    case 'address': {
      const target: End = { kind: 'addresses', name: formatIpAddress(resolution.address), blocks: rangeBlocks([rangeOfAddress(resolution.address)]) };
      return outsideConnection({ source, mention, target, ports: portsOf(resolution.protocol, resolution.ports), decision: undefined });
    }
  }
}

const NOTHING: Shown = { connections: [], findings: [] };

function rangeOfAddress({ family, value }: IpAddress): { readonly family: IpAddress['family']; readonly first: bigint; readonly last: bigint } {
  return { family, first: value, last: value };
}

function portsOf(protocol: Protocol, ports: readonly number[]): PortSet {
  return ports.reduce<PortSet>((set, port) => unionPorts(set, portSetOf(protocol, port, port)), []);
}

function outsideConnection({ source, mention, target, ports, decision }: { readonly source: Subject; readonly mention: Mention; readonly target: End; readonly ports: PortSet; readonly decision: string | undefined }): Shown {
  return { connections: [{ source: { kind: 'subject', subject: source }, target, ports, witnesses: [witnessAt(mention.place, mentionText(mention))], isByName: true, decision }], findings: [] };
}

/** To each workload behind the name; pods of the same workload are told by the name of one of them. */
function connectionsTo({ cluster, subjects }: TextContext, source: Subject, { mention, targets }: { readonly mention: Mention; readonly targets: readonly PortTarget[] }): Shown {
  const connections: Connection[] = [];
  const findings: Finding[] = [];
  for (const { end, protocol, port } of targets) {
    const ports = portSetOf(protocol, port, port);
    if (end.kind === 'address') {
      const target: End = { kind: 'addresses', name: formatIpAddress(end.address), blocks: rangeBlocks([rangeOfAddress(end.address)]) };
      connections.push(...outsideConnection({ source, mention, target, ports, decision: undefined }).connections);
      continue;
    }
    const subject = subjects.of(end.pod);
    if (subject === undefined) findings.push(noteUnselectable(mention, cluster.pods[end.pod]!.workload.name));
    else if (subject !== source || isAmongEqualsMeant(cluster, source)) {
      connections.push({ source: { kind: 'subject', subject: source }, target: { kind: 'subject', subject }, ports, witnesses: [witnessAt(mention.place, mentionText(mention))], isByName: true, decision: undefined });
    }
  }
  return { connections, findings: findings.slice(0, 1) };
}

/** Members of a StatefulSet name each other; another workload that names its own Service says who it is. */
function isAmongEqualsMeant({ pods }: Cluster, { pods: own }: Subject): boolean {
  return pods[own[0]!]!.labels.has('statefulset.kubernetes.io/pod-name') || own.length > 1;
}
