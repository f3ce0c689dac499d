// Finds fields that the API does not have: kubectl refuses them, the server with fieldValidation=Warn drops them.
import { nearestWordAnyCase } from '../../base/near-miss.ts';
import type { Path } from '../../model/origin.ts';
import { removeField } from './field-edits.ts';
import { lastName, shorten } from './loose-value.ts';
import { refuse, remark, type ObjectContext } from './object-context.ts';
import type { LooseMap } from '../text/yaml-value.ts';

/** The fields of each level of a NetworkPolicy (`networking.k8s.io/v1`, `meta/v1`) and of the cluster-wide kinds (`policy.networking.k8s.io`). */
export const FIELDS = {
  list: ['apiVersion', 'kind', 'metadata', 'items'],
  object: ['apiVersion', 'kind', 'metadata', 'spec'],
  metadata: [
    'name', 'generateName', 'namespace', 'selfLink', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp',
    'deletionGracePeriodSeconds', 'labels', 'annotations', 'ownerReferences', 'finalizers', 'managedFields',
  ],
  spec: ['podSelector', 'ingress', 'egress', 'policyTypes'],
  'ingress rule': ['from', 'ports'],
  'egress rule': ['to', 'ports'],
  peer: ['podSelector', 'namespaceSelector', 'ipBlock'],
  port: ['protocol', 'port', 'endPort'],
  ipBlock: ['cidr', 'except'],
  selector: ['matchLabels', 'matchExpressions'],
  expression: ['key', 'operator', 'values'],
  'cluster-wide object': ['apiVersion', 'kind', 'metadata', 'spec', 'status'],
  'ClusterNetworkPolicy spec': ['tier', 'priority', 'subject', 'ingress', 'egress'],
  'AdminNetworkPolicy spec': ['priority', 'subject', 'ingress', 'egress'],
  'BaselineAdminNetworkPolicy spec': ['subject', 'ingress', 'egress'],
  subject: ['namespaces', 'pods'],
  pods: ['namespaceSelector', 'podSelector'],
  'ClusterNetworkPolicy ingress rule': ['name', 'action', 'from', 'protocols'],
  'ClusterNetworkPolicy egress rule': ['name', 'action', 'to', 'protocols'],
  'v1alpha1 ingress rule': ['name', 'action', 'from', 'ports'],
  'v1alpha1 egress rule': ['name', 'action', 'to', 'ports'],
  'ingress peer': ['namespaces', 'pods'],
  'egress peer': ['namespaces', 'pods', 'nodes', 'networks', 'domainNames'],
  'BaselineAdminNetworkPolicy egress peer': ['namespaces', 'pods', 'nodes', 'networks'],
  protocols: ['tcp', 'udp', 'sctp', 'destinationNamedPort'],
  'protocol of ports': ['destinationPort'],
  destinationPort: ['number', 'range'],
  range: ['start', 'end'],
  'v1alpha1 port': ['portNumber', 'portRange', 'namedPort'],
  portNumber: ['protocol', 'port'],
  portRange: ['protocol', 'start', 'end'],
} as const;

export type Level = keyof typeof FIELDS;

/** Where a field belongs that stands at a level which does not have it. */
const BELONGS: Readonly<Record<string, string>> = {
  podSelector: 'in `spec`, or in an item of `from` or `to`',
  namespaceSelector: 'in an item of `from` or `to`',
  ipBlock: 'in an item of `from` or `to`',
  ports: 'in a rule, beside `from` or `to`',
  from: 'in a rule of `ingress`',
  to: 'in a rule of `egress`',
  ingress: 'in `spec`',
  egress: 'in `spec`',
  policyTypes: 'in `spec`',
  matchLabels: 'in a selector',
  matchExpressions: 'in a selector',
  cidr: 'in an `ipBlock`',
  except: 'in an `ipBlock`, beside `cidr`',
  port: 'in an item of `ports`',
  protocol: 'in an item of `ports`',
  endPort: 'in an item of `ports`, beside `port`',
  name: 'in `metadata`',
  namespace: 'in `metadata`',
  labels: 'in `metadata`',
};

/** The same where a field of NetworkPolicy, or of early v1alpha1, stands in a cluster-wide policy. */
const BELONGS_CLUSTER_WIDE: Readonly<Record<string, string>> = {
  podSelector: 'in `pods`',
  namespaceSelector: 'in `pods`, beside `podSelector`; `namespaces` itself is such a selector',
  ipBlock: 'to NetworkPolicy; here a peer of `to` has `networks`',
  ports: 'to the v1alpha1 kinds; here a rule has `protocols`',
  protocols: 'to ClusterNetworkPolicy; here a rule has `ports`',
  from: 'in a rule of `ingress`',
  to: 'in a rule of `egress`',
  policyTypes: 'to NetworkPolicy; here a direction without rules is not touched',
  tier: 'to ClusterNetworkPolicy',
  priority: 'to the kinds that may stand several times',
  sameLabels: 'to an early v1alpha1, and no server knows it any more',
  notSameLabels: 'to an early v1alpha1, and no server knows it any more',
  matchLabels: 'in a selector',
  matchExpressions: 'in a selector',
};

/**
 * `whenDropped` says for the lenient reading which way the answer moves. Gives whether nothing may be concluded from the
 * rest: a server holds only fields that it knows, so one that is not known here means something.
 */
export function checkFields(context: ObjectContext, map: LooseMap, path: Path, level: Level, whenDropped: string): boolean {
  const known: readonly string[] = FIELDS[level];
  const before = context.refusals;
  for (const key of Object.keys(map)) {
    if (known.includes(key)) continue;
    const free = known.filter((field) => !Object.hasOwn(map, field));
    addUnknownField(context, [...path, key], repairOf(context, key, level, free), whenDropped);
  }
  return context.settings.isStored && context.refusals > before;
}

function addUnknownField(context: ObjectContext, place: Path, repair: Repair, whenDropped: string): void {
  const path = place.slice(0, -1);
  const key = String(place.at(-1));
  const message = `${lastName(path)} has no field \`${shorten(key)}\``;
  if (context.settings.isLenient && !context.settings.isStored && context.tierPart === undefined) {
    remark(context, place, 'unknown-field', 'warning', `${message}; it is dropped as the server drops it, and ${whenDropped}`, { ...repair, atKey: true });
  } else {
    refuse(context, place, 'unknown-field', message, { ...repair, atKey: true, edits: key === 'status' ? removeField(context.document, place) : undefined });
  }
}

interface Repair {
  readonly help: string;
  readonly replacement?: string;
}

function repairOf(context: ObjectContext, key: string, level: Level, free: readonly string[]): Repair {
  const near = nearestWordAnyCase(key, free);
  if (near !== undefined) return { help: `did you mean \`${near}\`?`, replacement: near };
  if (level === 'object' && key === 'status') return { help: 'take it away: a NetworkPolicy has no status' };
  const belongs = context.object.kind === 'NetworkPolicy' ? BELONGS : BELONGS_CLUSTER_WIDE;
  if (level === 'selector' && !Object.hasOwn(belongs, key)) return { help: 'labels stand below `matchLabels`' };
  const home = Object.hasOwn(belongs, key) ? belongs[key] : undefined;
  if (home !== undefined) return { help: `\`${key}\` belongs ${home}` };
  return { help: `the fields here are ${FIELDS[level].join(', ')}` };
}
