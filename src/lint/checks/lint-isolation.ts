// Namespaces in which a pod may be governed by no policy at all: one finding for each namespace, however many pods are concerned.
import type { Finding } from '../../base/finding.ts';
import { LAST_ADDRESS, type IpFamily } from '../../base/ip-address.ts';
import type { ClusterPolicy, TierPeer } from '../../model/cluster-policy.ts';
import type { Namespace } from '../../model/cluster.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy } from '../../model/network-policy.ts';
import { below, locateOrigin, type Origin } from '../../model/origin.ts';
import { selects } from '../../model/selector.ts';
import type { LintContext } from '../context/lint-context.ts';
import { describePod } from '../context/near-label.ts';

/** Workloads named in one message. */
const NAMED_MAX = 5;

export function lintIsolation(context: LintContext): Finding[] {
  const policies = Map.groupBy(context.cluster.policies, ({ namespace }) => namespace);
  const ungoverned = ungovernedWorkloads(context);
  return context.cluster.namespaces.flatMap((namespace) => {
    const scope: Scope = { context, namespace, policies: policies.get(namespace.name) ?? [], ungoverned: ungoverned.get(namespace.name) ?? [] };
    return [...lintDefaultDeny(scope), ...lintUngoverned(scope)];
  });
}

interface Scope {
  readonly context: LintContext;
  readonly namespace: Namespace;
  readonly policies: readonly NetworkPolicy[];
  readonly ungoverned: readonly Workload[];
}

/** A workload that no policy of any tier governs in any direction. */
interface Workload {
  readonly text: string;
  readonly origin: Origin;
}

function ungovernedWorkloads({ cluster, program }: LintContext): ReadonlyMap<string, readonly Workload[]> {
  const found = new Map<string, Map<string, Workload>>();
  for (const { pods } of program.groups) {
    const first = pods[0]!;
    const group = program.groupOfPod[first]!;
    if (cluster.pods[first]!.hostNetwork || DIRECTIONS.some((direction) => program[direction].isGoverned(program[direction].subjectOfGroup[group]!))) continue;
    for (const index of pods) {
      const pod = cluster.pods[index]!;
      const workloads = found.get(pod.namespace) ?? new Map<string, Workload>();
      const text = describePod(pod);
      if (!workloads.has(text)) workloads.set(text, { text, origin: pod.origin });
      found.set(pod.namespace, workloads);
    }
  }
  return new Map([...found].map(([namespace, workloads]) => [namespace, [...workloads.values()].sort((a, b) => (a.text < b.text ? -1 : 1))]));
}

/** Whoever wrote no policy for a namespace may have left it open; who wrote some may have forgotten the pods to come. */
function lintDefaultDeny({ context, namespace, policies, ungoverned }: Scope): Finding[] {
  const pods = context.index.podsIn(namespace.name).filter(({ hostNetwork }) => !hostNetwork);
  const open = DIRECTIONS.filter((direction) => !isClosed(context, { namespace, policies, direction }));
  if (pods.length === 0 || open.length === 0) return [];
  const isWithoutPolicy = policies.length === 0 && ungoverned.length > 0;
  const name = `namespace \`${namespace.name}\``;
  const message = isWithoutPolicy
    ? `${name} has no NetworkPolicy: its ${ungoverned.length === 1 ? 'workload is' : `${ungoverned.length} workloads are`} open to everybody, ${namesOf(ungoverned)}`
    : `${name} has no default deny for ${open.join(' and ')}: a pod that no other policy selects is open there`;
  const origin = namespace.origin ?? policies[0]?.origin ?? pods[0]!.origin;
  const types = open.map((direction) => (direction === 'ingress' ? 'Ingress' : 'Egress')).join(', ');
  return [findInNamespace(namespace, origin, {
    code: 'no-default-deny',
    severity: isWithoutPolicy ? 'warning' : 'info',
    message,
    help: `add a policy with \`podSelector: {}\`, \`policyTypes: [${types}]\` and no rules`,
  })];
}

interface Side {
  readonly namespace: Namespace;
  readonly policies: readonly NetworkPolicy[];
  readonly direction: Direction;
}

/** A policy for every pod isolates, whatever it allows; so does a Deny of a higher tier for every namespace. */
function isClosed({ cluster }: LintContext, { namespace, policies, direction }: Side): boolean {
  const isDefault = ({ podSelector }: NetworkPolicy): boolean => podSelector.requirements.length === 0;
  return policies.some((policy) => isDefault(policy) && policy[direction] !== undefined) || cluster.clusterPolicies.some((policy) => deniesAll(policy, namespace, direction));
}

function deniesAll({ subject, ...policy }: ClusterPolicy, namespace: Namespace, direction: Direction): boolean {
  if (subject.podSelector.requirements.length > 0 || !selects(subject.namespaceSelector, namespace)) return false;
  return policy[direction].some(
    ({ action, peers, ports }) =>
      action === 'Deny' &&
      ports.kind === 'every' &&
      (peers.kind === 'everybody' || peers.peers.some(isEveryPod) || ([4, 6] as const).every((family) => peers.peers.some((peer) => isWholeFamily(peer, family)))),
  );
}

function isEveryPod(peer: TierPeer): boolean {
  return peer.kind === 'scoped-pods' && peer.namespaceSelector.requirements.length === 0 && peer.podSelector.requirements.length === 0;
}

/** `0.0.0.0/0` or `::/0`: whatever address a pod gets, it is in there. */
function isWholeFamily(peer: TierPeer, family: IpFamily): boolean {
  return peer.kind === 'ip-block' && peer.cidr.family === family && peer.cidr.first === 0n && peer.cidr.last === LAST_ADDRESS[family] && peer.except.length === 0;
}

function lintUngoverned({ namespace, policies, ungoverned }: Scope): Finding[] {
  const [first] = ungoverned;
  if (policies.length === 0 || first === undefined) return [];
  const message =
    ungoverned.length === 1
      ? `${first.text} of namespace \`${namespace.name}\` is selected by no policy: everybody may reach it, and it may reach everybody`
      : `${ungoverned.length} workloads of namespace \`${namespace.name}\` are selected by no policy, so everybody may reach them: ${namesOf(ungoverned)}`;
  return [findInNamespace(namespace, first.origin, { code: 'workload-not-selected', severity: 'warning', message, help: 'write a policy that selects them, or a default deny for the namespace' })];
}

function namesOf(workloads: readonly Workload[]): string {
  const named = workloads.slice(0, NAMED_MAX).map(({ text }) => text);
  return `${named.join(', ')}${workloads.length > NAMED_MAX ? ` and ${workloads.length - NAMED_MAX} more` : ''}`;
}

function findInNamespace({ name }: Namespace, origin: Origin, parts: Pick<Finding, 'code' | 'severity' | 'message'> & { readonly help: string }): Finding {
  return { ...parts, ...locateOrigin(below(origin, 'metadata', 'name')), object: { kind: 'Namespace', namespace: '', name } };
}
