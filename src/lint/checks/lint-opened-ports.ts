// Port numbers that none of the pods meant opens: a mistake, or the port of a Service where that of the pods is needed.
import type { Finding } from '../../base/finding.ts';
import { PROTOCOLS, type Protocol } from '../../base/port-set.ts';
import { below } from '../../model/origin.ts';
import type { Pod } from '../../model/cluster.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type PolicyRule, type PortMatch } from '../../model/network-policy.ts';
import type { LintContext } from '../context/lint-context.ts';
import { describePod } from '../context/near-label.ts';
import { portText, type PodPorts, type ServicePortUse } from '../context/pod-ports.ts';
import { findAt, replaceScalar } from '../edits/policy-place.ts';

type PortRange = PortMatch & { readonly kind: 'range' };

/** Ports named in one message. */
const NAMED_MAX = 5;

export function lintOpenedPorts(context: LintContext, policy: NetworkPolicy): Finding[] {
  return DIRECTIONS.flatMap((direction) =>
    (policy[direction] ?? []).flatMap((rule) => {
      const ranges = rule.ports.kind === 'listed' ? rule.ports.ports.filter((port) => port.kind === 'range') : [];
      const pods = ranges.length === 0 ? [] : listenersOf(context, policy, { direction, rule });
      return pods.length === 0 ? [] : ranges.flatMap((range) => lintRange(policy, range, { direction, pods, known: context.portsOf(pods) }));
    }),
  );
}

/** The pods that a rule names by their labels; empty where others, who are not in the input, may be meant as well. */
function listenersOf({ index }: LintContext, policy: NetworkPolicy, { direction, rule }: { readonly direction: Direction; readonly rule: PolicyRule }): readonly Pod[] {
  if (direction === 'ingress') return policy.podSelector.requirements.length === 0 ? [] : index.selectedBy(policy).pods;
  if (rule.peers.kind === 'everybody') return [];
  const lists = rule.peers.peers.map((peer) => (peer.kind === 'pods' && peer.podSelector.requirements.length > 0 ? index.matchedBy(peer, policy).pods : []));
  if (lists.some((pods) => pods.length === 0)) return [];
  return lists.length === 1 ? lists[0]! : lists.flat();
}

interface Listeners {
  readonly direction: Direction;
  readonly pods: readonly Pod[];
  readonly known: PodPorts;
}

function lintRange(policy: NetworkPolicy, range: PortRange, listeners: Listeners): Finding[] {
  const { known } = listeners;
  if (opensAny(known, range)) return [];
  const use = range.first === range.last ? known.servicePorts.get(portText(range.protocol, range.first)) : undefined;
  if (use !== undefined) return [servicePort(policy, range, { ...listeners, use })];
  return known.isDeclared ? [notOpened(policy, range, listeners)] : [];
}

function opensAny({ opened }: PodPorts, { protocol, first, last }: PortRange): boolean {
  if (first === last) return opened.has(portText(protocol, first));
  return [...opened].some((text) => {
    const port = numberOf(text, protocol);
    return port !== undefined && first <= port && port <= last;
  });
}

function numberOf(text: string, protocol: Protocol): number | undefined {
  return text.startsWith(`${protocol}/`) ? Number(text.slice(protocol.length + 1)) : undefined;
}

function servicePort(policy: NetworkPolicy, range: PortRange, { direction, pods, use }: Listeners & { readonly use: ServicePortUse }): Finding {
  const message = `${range.protocol} ${range.first} is the port of the Service \`${use.service}\`, and ${listenersText(direction, pods)} on ${use.target}: policies are judged at the pods, so this entry matches nothing`;
  const origin = below(range.origin, 'port');
  return findAt(policy, { code: 'service-port-used', severity: 'warning', message, origin, help: `write the target port, ${use.target}`, edits: replaceScalar(range.origin, 'port', { before: String(range.first), after: String(use.target) }) });
}

function notOpened(policy: NetworkPolicy, range: PortRange, { direction, pods, known }: Listeners): Finding {
  const text = range.first === range.last ? `${range.first}` : `${range.first}-${range.last}`;
  const otherProtocol = PROTOCOLS.find((protocol) => protocol !== range.protocol && opensAny(known, { ...range, protocol }));
  const ports = [...known.opened];
  const named = `${ports.slice(0, NAMED_MAX).map((port) => port.replace('/', ' ')).join(', ')}${ports.length > NAMED_MAX ? ` and ${ports.length - NAMED_MAX} more` : ''}`;
  const message = `no ${direction === 'ingress' ? 'selected' : 'destination'} pod declares ${range.protocol} ${text}; ${listenersText(direction, pods)} on ${named}`;
  const help = otherProtocol === undefined ? 'write a port on which the pods listen, or declare it at their containers' : `write \`protocol: ${otherProtocol}\``;
  return findAt(policy, { code: 'port-not-opened', severity: 'warning', message, origin: below(range.origin, 'port'), help });
}

function listenersText(direction: Direction, pods: readonly Pod[]): string {
  const workloads = [...new Set(pods.map(describePod))];
  const who = workloads.length === 1 ? workloads[0]! : `${workloads[0]!} and ${workloads.length - 1} more`;
  return `${who}${direction === 'ingress' ? '' : ', whom the peers name,'} ${workloads.length === 1 ? 'listens' : 'listen'}`;
}
