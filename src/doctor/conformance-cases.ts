// The cases of conformance: every combination of peer kind, port kind, direction and update, each as policies and labels over time.
import { formatIpAddress } from '../base/ip-address.ts';
import type { ReadyPod } from './probe-ground.ts';

export const PEER_KINDS = ['podSelector', 'In and NotIn', 'Exists and DoesNotExist', 'namespaceSelector', 'namespaceSelector and podSelector', 'two peers', 'ipBlock', 'ipBlock with except', 'every peer'] as const;
export const PORT_KINDS = ['no ports', 'number', 'name', 'endPort', 'protocol', 'UDP number'] as const;
export const CASE_DIRECTIONS = ['ingress', 'egress'] as const;
/** `policy`: first it refuses everything, then it is replaced. `labels`: peers change their labels beneath it. */
export const UPDATES = ['policy', 'labels'] as const;

export type PeerKind = (typeof PEER_KINDS)[number];
export type PortKind = (typeof PORT_KINDS)[number];

export interface ConformanceCase {
  readonly name: string;
  readonly peer: PeerKind;
  readonly port: PortKind;
  readonly direction: (typeof CASE_DIRECTIONS)[number];
  readonly update: (typeof UPDATES)[number];
}

export const CONFORMANCE_CASES: readonly ConformanceCase[] = PEER_KINDS.flatMap((peer) =>
  PORT_KINDS.flatMap((port) => CASE_DIRECTIONS.flatMap((direction) => UPDATES.map((update) => ({ name: `${direction}, ${peer}, ${port}, changed by ${update}`, peer, port, direction, update })))),
);

/** Four pods: the one that policies select, two of its namespace, one of another. */
export interface ConformancePods {
  readonly subject: ReadyPod;
  readonly near: ReadyPod;
  readonly mate: ReadyPod;
  readonly far: ReadyPod;
}

/** What is in the cluster for a moment, and stays until the next. */
export interface CaseState {
  /** undefined: none. */
  readonly spec: object | undefined;
  /** Of the pods that are peers; the subject keeps its own. */
  readonly labels: Readonly<Record<'near' | 'mate' | 'far', Readonly<Record<string, string>>>>;
}

const LABELS: CaseState['labels'] = { near: { role: 'near', tier: 'a' }, mate: { role: 'mate', tier: 'b' }, far: { role: 'far', tier: 'a' } };
/** `near` and `mate` in each other's place. */
const SWAPPED: CaseState['labels'] = { near: LABELS.mate, mate: LABELS.near, far: LABELS.far };

/** Of `statesOf`, and the open one before. */
export const CASE_STATES_MAX = 4;

/** Each but the first differs from the one before it. */
export function statesOf({ peer, port, direction, update }: ConformanceCase, pods: ConformancePods): readonly CaseState[] {
  const rule = { ...peersOf(peer, pods, direction), ...portsOf(port) };
  const wanted = specOf(direction, [rule]);
  const closed: CaseState = { spec: CLOSED_SPECS[direction], labels: LABELS };
  if (update === 'policy') return [closed, { spec: wanted, labels: LABELS }];
  // Where everybody may, only what was closed before shows that anything is enforced.
  if (peer === 'every peer') return [closed, { spec: wanted, labels: LABELS }, { spec: wanted, labels: SWAPPED }];
  return [{ spec: wanted, labels: LABELS }, { spec: wanted, labels: SWAPPED }];
}

/** Before and after all cases. */
export const OPEN_STATE: CaseState = { spec: undefined, labels: LABELS };

/** Of the subject: nobody may come in, or it may go nowhere. */
export const CLOSED_SPECS: Readonly<Record<ConformanceCase['direction'], object>> = { ingress: specOf('ingress', []), egress: specOf('egress', []) };

function specOf(direction: ConformanceCase['direction'], rules: readonly object[]): object {
  const podSelector = { matchLabels: { role: 'subject' } };
  return direction === 'ingress' ? { podSelector, policyTypes: ['Ingress'], ingress: rules } : { podSelector, policyTypes: ['Egress'], egress: rules };
}

function peersOf(kind: PeerKind, { near, mate, far }: ConformancePods, direction: ConformanceCase['direction']): object {
  const peers = peerList(kind, { near, mate, far });
  return peers === undefined ? {} : direction === 'ingress' ? { from: peers } : { to: peers };
}

function peerList(kind: PeerKind, { near, mate, far }: Pick<ConformancePods, 'near' | 'mate' | 'far'>): readonly object[] | undefined {
  const other = { matchLabels: { 'kubernetes.io/metadata.name': far.namespace } };
  switch (kind) {
    case 'podSelector':
      return [{ podSelector: { matchLabels: { role: 'near' } } }];
    case 'In and NotIn':
      return [{ podSelector: { matchExpressions: [{ key: 'role', operator: 'In', values: ['near', 'mate'] }, { key: 'tier', operator: 'NotIn', values: ['b'] }] } }];
    case 'Exists and DoesNotExist':
      return [{ namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'Exists' }] }, podSelector: { matchExpressions: [{ key: 'absent', operator: 'DoesNotExist' }] } }];
    case 'namespaceSelector':
      return [{ namespaceSelector: other }];
    case 'namespaceSelector and podSelector':
      return [{ namespaceSelector: {}, podSelector: { matchLabels: { tier: 'a' } } }];
    case 'two peers':
      return [{ podSelector: { matchLabels: { role: 'mate' } } }, { namespaceSelector: other }];
    case 'ipBlock':
      return near.addresses.map((address) => ({ ipBlock: { cidr: hostBlock(address) } }));
    case 'ipBlock with except':
      return mate.addresses.map((address) => ({ ipBlock: { cidr: address.family === 4 ? '0.0.0.0/0' : '::/0', except: [hostBlock(address)] } }));
    case 'every peer':
      return undefined;
  }
}

function hostBlock(address: ReadyPod['addresses'][number]): string {
  return `${formatIpAddress(address)}/${address.family === 4 ? 32 : 128}`;
}

function portsOf(kind: PortKind): object {
  switch (kind) {
    case 'no ports':
      return {};
    case 'number':
      return { ports: [{ port: 8080 }] };
    case 'name':
      return { ports: [{ port: 'web' }] };
    case 'endPort':
      return { ports: [{ port: 8000, endPort: 8085 }] };
    case 'protocol':
      return { ports: [{ protocol: 'TCP' }] };
    case 'UDP number':
      return { ports: [{ protocol: 'UDP', port: 8081 }] };
  }
}
