// Where the engine that enforces the policies departs from what the answer says: a note at each place of a policy that it concerns.
import type { Finding, ObjectName, Severity } from '../../base/finding.ts';
import { formatIpAddress, type IpAddress } from '../../base/ip-address.ts';
import type { ClusterPolicy } from '../../model/cluster-policy.ts';
import type { Pod } from '../../model/cluster.ts';
import { DIRECTIONS, nameOfPolicy, type Direction, type IpBlockPeer, type NetworkPolicy, type PolicyRule, type PortMatch } from '../../model/network-policy.ts';
import { below, locateOrigin, type Origin } from '../../model/origin.ts';
import type { Selector } from '../../model/selector.ts';
import { routeServices, type PortRoute } from '../../analyze/services.ts';
import type { Engine, EngineFact, Feature } from '../engines/engine.ts';
import type { LintContext } from '../context/lint-context.ts';

export function lintEngine(context: EngineContext, engine: Engine): Finding[] {
  return engine.facts.flatMap((fact) => noteFact(context, fact).map((note) => findingOf(engine, fact, note)));
}

/** What the notes are worked out from. */
export type EngineContext = Pick<LintContext, 'cluster' | 'index'>;

/** A place that a fact concerns; without an origin, the whole answer. */
interface Note {
  readonly severity: Severity;
  readonly origin?: Origin;
  readonly object?: ObjectName;
  /** What of the place is concerned: the beginning of the message. */
  readonly about: string;
}

function findingOf({ title }: Engine, { text, source, date, kind }: EngineFact, { severity, origin, object, about }: Note): Finding {
  return {
    code: kind === 'everywhere' ? 'engine-note' : 'engine-differs',
    severity,
    message: `${about}with ${title}, ${text}`,
    ...(origin === undefined ? {} : locateOrigin(origin)),
    ...(object === undefined ? {} : { object }),
    help: `known from ${source} (${date})`,
  };
}

function noteFact(context: EngineContext, fact: EngineFact): Note[] {
  switch (fact.kind) {
    case 'everywhere':
      return [{ severity: fact.severity ?? 'info', about: '' }];
    case 'block-misses-pods':
      return noteBlocksOverPods(context);
    case 'family-ignored':
      return noteFamily(context, fact.family === 'other' ? otherFamily(context) : fact.family);
    case 'ports-max':
      return notePortCounts(context, fact.max);
    case 'feature':
      return noteFeature(context, fact.feature, fact.isSure ? 'warning' : 'info');
    case 'service-ports':
      return noteServicePorts(context);
    case 'bare-pods':
      return noteBarePods(context);
    case 'policy-kinds':
      return notePolicyKinds(context, fact.policyKinds, fact.isSure ? 'warning' : 'info');
  }
}

// --- Address blocks

interface PlacedBlock {
  readonly block: IpBlockPeer;
  readonly object: ObjectName;
}

function blocksOf({ cluster }: EngineContext): PlacedBlock[] {
  const ofPolicies = rulesOf(cluster.policies).flatMap(({ policy, rule }) =>
    rule.peers.kind === 'listed' ? rule.peers.peers.flatMap((peer) => (peer.kind === 'ip-block' ? [{ block: peer, object: nameOfPolicy(policy) }] : [])) : [],
  );
  const ofTiers = cluster.clusterPolicies.flatMap((policy) =>
    [...policy.ingress, ...policy.egress].flatMap(({ peers }) => (peers.kind === 'listed' ? peers.peers.flatMap((peer) => (peer.kind === 'ip-block' ? [{ block: peer, object: nameOfClusterPolicy(policy) }] : [])) : [])),
  );
  return [...ofPolicies, ...ofTiers];
}

/** The answer counts a block for pods and nodes only where their addresses are known. */
function noteBlocksOverPods(context: EngineContext): Note[] {
  const { pods, nodes } = context.cluster;
  const known = [
    ...pods.flatMap((pod) => pod.addresses.map((address) => ({ address, name: `${pod.namespace}/${pod.name}` }))),
    ...nodes.flatMap((node) => node.addresses.map((address) => ({ address, name: `node ${node.name}` }))),
  ];
  if (known.length === 0) return [];
  return blocksOf(context).flatMap(({ block, object }): Note[] => {
    const met = known.find(({ address }) => holds(block, address));
    if (met === undefined) return [];
    return [{ severity: 'warning', origin: block.origin, object, about: `the ipBlock \`${block.text}\` holds the address of \`${met.name}\` (${formatIpAddress(met.address)}), which the answer counts: ` }];
  });
}

function holds({ cidr, except }: IpBlockPeer, { family, value }: IpAddress): boolean {
  const isIn = (range: IpBlockPeer['cidr']): boolean => range.family === family && range.first <= value && value <= range.last;
  return isIn(cidr) && !except.some(isIn);
}

/** undefined: the addresses of the pods do not tell. */
function otherFamily({ cluster }: EngineContext): 4 | 6 | undefined {
  const families = new Set(cluster.pods.flatMap(({ addresses }) => addresses.map(({ family }) => family)));
  if (families.size !== 1) return undefined;
  return families.has(4) ? 6 : 4;
}

function noteFamily(context: EngineContext, family: 4 | 6 | undefined): Note[] {
  const placed = blocksOf(context);
  const families = new Set(placed.map(({ block }) => block.cidr.family));
  // Where nothing tells the cluster's family, blocks of both cannot be right.
  const ignored = family ?? (families.size === 2 ? 6 : undefined);
  const severity = family === undefined ? 'info' : 'warning';
  return placed.filter(({ block }) => block.cidr.family === ignored).map(({ block, object }) => ({ severity, origin: block.origin, object, about: `the ipBlock \`${block.text}\` is of IPv${block.cidr.family}: ` }));
}

// --- Ports

function notePortCounts({ cluster }: EngineContext, max: number): Note[] {
  return rulesOf(cluster.policies).flatMap(({ policy, direction, rule }): Note[] => {
    const count = rule.ports.kind === 'listed' ? rule.ports.ports.length : 0;
    if (count <= max) return [];
    return [{ severity: 'warning', origin: below(rule.origin, 'ports'), object: nameOfPolicy(policy), about: `${direction} rule ${rule.index + 1} lists ${count} ports, and what is beyond the limit is not enforced: ` }];
  });
}

/** Egress to a port of pods whose Services are asked on another one. */
function noteServicePorts(context: EngineContext): Note[] {
  const { cluster, index } = context;
  const behind = new Map<Pod, { readonly service: string; readonly route: PortRoute }[]>();
  for (const { service, pods, ports } of routeServices(cluster)) {
    const moved = ports.filter(({ port }) => (typeof port.targetPort === 'string' ? port.name !== port.targetPort : port.port !== port.targetPort));
    for (const route of moved) for (const pod of pods) behind.set(cluster.pods[pod]!, [...(behind.get(cluster.pods[pod]!) ?? []), { service: `${service.namespace}/${service.name}`, route }]);
  }
  if (behind.size === 0) return [];
  return rulesOf(cluster.policies).flatMap(({ policy, direction, rule }): Note[] => {
    if (direction !== 'egress' || rule.ports.kind !== 'listed' || rule.peers.kind !== 'listed') return [];
    const pods = rule.peers.peers.flatMap((peer) => (peer.kind === 'pods' ? index.matchedBy(peer, policy).pods : []));
    const met = pods.flatMap((pod) => behind.get(pod) ?? []).find(({ route }) => matchesTarget(rule, route));
    if (met === undefined) return [];
    return [{ severity: 'warning', origin: below(rule.origin, 'ports'), object: nameOfPolicy(policy), about: `the rule names the port of pods that the Service \`${met.service}\` has as ${met.route.port.port}: ` }];
  });
}

function matchesTarget({ ports }: PolicyRule, { port, targets }: PortRoute): boolean {
  if (ports.kind !== 'listed') return false;
  return ports.ports.some((match) => {
    if (match.protocol !== port.protocol || match.kind === 'protocol') return false;
    if (match.kind === 'named') return match.name === port.targetPort;
    return targets.some((target) => match.first <= target.port && target.port <= match.last) && !(match.first <= port.port && port.port <= match.last);
  });
}

// --- Fields

function noteFeature({ cluster }: EngineContext, feature: Feature, severity: Severity): Note[] {
  if (feature === 'NotIn or DoesNotExist') return noteSelectors(cluster.policies, severity);
  return rulesOf(cluster.policies).flatMap(({ policy, rule }): Note[] => {
    const ports = rule.ports.kind === 'listed' ? rule.ports.ports : [];
    const origin = feature === 'except' ? exceptOf(rule) : ports.find((port) => hasFeature(port, feature))?.origin;
    return origin === undefined ? [] : [{ severity, origin, object: nameOfPolicy(policy), about: `${FEATURE_WORDS[feature]}: ` }];
  });
}

const FEATURE_WORDS: Readonly<Record<Feature, string>> = {
  endPort: 'a range of ports',
  SCTP: 'a port of SCTP',
  'named port': 'a port by name',
  except: 'an ipBlock with `except`',
  'NotIn or DoesNotExist': 'a selector that excludes',
};

function hasFeature(port: PortMatch, feature: Exclude<Feature, 'except' | 'NotIn or DoesNotExist'>): boolean {
  switch (feature) {
    case 'endPort':
      return port.kind === 'range' && port.first !== port.last;
    case 'SCTP':
      return port.protocol === 'SCTP';
    case 'named port':
      return port.kind === 'named';
  }
}

function exceptOf({ peers }: PolicyRule): Origin | undefined {
  if (peers.kind !== 'listed') return undefined;
  return peers.peers.find((peer) => peer.kind === 'ip-block' && peer.except.length > 0)?.origin;
}

function noteSelectors(policies: readonly NetworkPolicy[], severity: Severity): Note[] {
  const about = `${FEATURE_WORDS['NotIn or DoesNotExist']}: `;
  const own = policies.filter(({ podSelector }) => excludes(podSelector)).map((policy): Note => ({ severity, origin: below(policy.origin, 'spec', 'podSelector'), object: nameOfPolicy(policy), about }));
  const peers = rulesOf(policies).flatMap(({ policy, rule }) =>
    (rule.peers.kind === 'listed' ? rule.peers.peers : [])
      .filter((peer) => peer.kind === 'pods' && (excludes(peer.podSelector) || (peer.namespaces.kind === 'selected' && excludes(peer.namespaces.selector))))
      .map((peer): Note => ({ severity, origin: peer.origin, object: nameOfPolicy(policy), about })),
  );
  return [...own, ...peers];
}

function excludes({ requirements }: Selector): boolean {
  return requirements.some(({ kind }) => kind === 'NotIn' || kind === 'DoesNotExist');
}

// --- Pods and policies

function noteBarePods({ cluster, index }: EngineContext): Note[] {
  return cluster.policies.flatMap((policy): Note[] => {
    const bare = index.selectedBy(policy).pods.find(({ workload }) => workload.kind === 'Pod');
    return bare === undefined ? [] : [{ severity: 'warning', origin: policy.origin, object: nameOfPolicy(policy), about: `the policy governs \`${bare.namespace}/${bare.name}\`, which no controller owns: ` }];
  });
}

function notePolicyKinds({ cluster }: EngineContext, kinds: readonly ClusterPolicy['kind'][], severity: Severity): Note[] {
  return cluster.clusterPolicies
    .filter(({ kind }) => kinds.includes(kind))
    .map((policy) => ({ severity, origin: policy.origin, object: nameOfClusterPolicy(policy), about: `the answer counts the ${policy.kind} \`${policy.name}\`: ` }));
}

function nameOfClusterPolicy({ kind, name }: ClusterPolicy): ObjectName {
  return { kind, namespace: '', name };
}

interface PlacedRule {
  readonly policy: NetworkPolicy;
  readonly direction: Direction;
  readonly rule: PolicyRule;
}

function rulesOf(policies: readonly NetworkPolicy[]): PlacedRule[] {
  return policies.flatMap((policy) => DIRECTIONS.flatMap((direction) => (policy[direction] ?? []).map((rule) => ({ policy, direction, rule }))));
}
