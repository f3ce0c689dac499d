// Connections that the application's own texts show, and what in these texts cannot be followed.
import type { Finding } from '../base/finding.ts';
import type { FindingCode } from '../base/finding-code.ts';
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import { portSetOf, unionPorts, type PortSet, type Protocol } from '../base/port-set.ts';
import type { PortTarget } from '../analyze/services.ts';
import type { Cluster } from '../model/cluster.ts';
import { internetBlocks, rangeBlocks } from './address-blocks.ts';
import { CONNECTS_TO } from './connects-to.ts';
import type { MissingText, TextPlace, WorkloadTexts } from './assignment.ts';
import type { Connection, End } from './connection.ts';
import { maySecretlyNameAddress, wordsOf } from './key-words.ts';
import { findMentions, type Mention } from './mentions.ts';
import { listed } from './listed.ts';
import type { HostResolver, Resolution } from './resolve-host.ts';
import type { Subject, Subjects } from './subjects.ts';
import { rangeOf, witnessAt } from './witness.ts';

export interface Shown {
  readonly connections: readonly Connection[];
  readonly findings: readonly Finding[];
}

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
      ...unreadable.map(({ text, key, place }) => noteAt(place, 'witness-not-understood', 'info', `${said(key, text)}, of which a part comes from elsewhere`, `write the address out, or say it with the annotation \`${CONNECTS_TO}\``)),
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

/** Never the text itself: a URL may hold a password. */
function mentionText({ key, host, ports }: Mention): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return said(key, ports.length === 0 ? name : `${name}:${ports.join(':')}`);
}

function said(key: string, text: string): string {
  return key === '' ? `names ${text}` : `${key} names ${text}`;
}

const CLOSED_CODES: Readonly<Record<Extract<Resolution, { kind: 'closed' }>['reason'], FindingCode>> = {
  'host-not-in-input': 'witness-without-target',
  'port-not-known': 'witness-without-port',
  'api-server': 'witness-not-opened',
  metadata: 'witness-not-opened',
  'private-name': 'witness-not-opened',
};

function noteClosed(mention: Mention, { reason, why, help }: Extract<Resolution, { kind: 'closed' }>): Finding {
  return noteAt(mention.place, CLOSED_CODES[reason], 'warning', `${mentionText(mention)}, which stays closed: ${why}`, help);
}

function noteUnselectable(mention: Mention, workload: string): Finding {
  return noteAt(mention.place, 'witness-not-opened', 'warning', `${mentionText(mention)}, which stays closed: no policy can select the pods of \`${workload}\` behind it`, 'allow their addresses by an ipBlock');
}

/** What an optional ConfigMap would say is nothing that is missing. Those that are mounted are told together, whatever their number. */
function noteMissing(missing: readonly MissingText[]): readonly Finding[] {
  const needed = missing.filter(({ kind, isOptional }) => kind !== 'secret' && !isOptional);
  const mounted = needed.filter(({ key, kind }) => key === '' && kind === 'config-map');
  return [
    ...missing.filter(({ kind, key }) => kind === 'secret' && (key === '' || maySecretlyNameAddress(wordsOf(key)))).map(noteSecret),
    ...needed.filter((one) => !mounted.includes(one)).map(noteMissingKey),
    ...(mounted.length === 0 ? [] : [noteAt(mounted[0]!.place, 'witness-not-understood', 'warning', `${mounted.length === 1 ? 'the ConfigMap' : `${mounted.length} ConfigMaps,`} ${listed(mounted.map(({ name }) => `\`${name}\``))}, ${mounted.length === 1 ? 'is' : 'are'} not in the input, and what ${mounted.length === 1 ? 'it names' : 'they name'} stays closed`, 'give the manifests as well')]),
  ];
}

function noteSecret({ key, name, keyThere, place }: MissingText): Finding {
  const what = `${key === '' ? 'variables come' : `\`${key}\` comes`} from the${keyThere === undefined ? '' : ` key \`${keyThere}\` of the`} Secret \`${name}\``;
  return noteAt(place, 'witness-in-secret', 'info', `${what}, whose values are not read`, `if an address is among them, say it with the annotation \`${CONNECTS_TO}\``);
}

function noteMissingKey({ kind, key, name, keyThere, place }: MissingText): Finding {
  const what = `${key === '' ? 'a file' : `\`${key}\``} would come from the${keyThere === undefined ? '' : ` key \`${keyThere}\` of the`} ConfigMap \`${name}\``;
  return noteAt(place, 'witness-not-understood', 'warning', `${what}, which ${kind === 'key' ? 'has no such key' : 'is not in the input'}`, 'give its manifest as well');
}

export function noteAt(place: TextPlace, code: FindingCode, severity: Finding['severity'], message: string, help: string): Finding {
  return { code, severity, message, file: place.document.file, range: rangeOf(place), object: place.object, help };
}
