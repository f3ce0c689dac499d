// A ClusterNetworkPolicy as the YAML that a server takes.
import { stringify } from 'yaml';
import type { Protocol } from '../base/port-set.ts';
import type { ScopedPods, TierPeer, TierPort, TierRule } from '../model/cluster-policy.ts';
import type { Direction } from '../model/network-policy.ts';
import type { Requirement, Selector } from '../model/selector.ts';
import { peerUnits } from '../compare/split-rule.ts';
import type { ConvertedPolicy } from '../compare/convert.ts';
import { printable } from './printable.ts';

/** One document for each, with what it replaces in a comment. */
export function* convertedYaml(policies: readonly ConvertedPolicy[]): Generator<string> {
  for (const [index, { policy, replaces }] of policies.entries()) {
    const object = {
      apiVersion: 'policy.networking.k8s.io/v1alpha2',
      kind: 'ClusterNetworkPolicy',
      metadata: { name: policy.name },
      spec: {
        tier: policy.tier,
        priority: policy.priority,
        subject: scopeObject(policy.subject),
        ...section('ingress', policy.ingress),
        ...section('egress', policy.egress),
      },
    };
    const from = replaces.kind === 'ClusterNetworkPolicy' ? `had the priority ${replaces.priority}` : `was the ${replaces.kind} ${printable(replaces.name)}`;
    // Read by kubectl as YAML 1.1, to which a bare `yes` is no text.
    yield `${index === 0 ? '' : '---\n'}# ${from}\n${stringify(object, { version: '1.1', lineWidth: 0 })}`;
  }
}

function section(direction: Direction, rules: readonly TierRule[]): Readonly<Record<string, unknown>> {
  return rules.length === 0 ? {} : { [direction]: rules.map((rule) => ruleObject(direction, rule)) };
}

function ruleObject(direction: Direction, { name, action, peers, ports }: TierRule): object {
  const listed = peers.kind === 'listed' ? peers.peers : [];
  return {
    ...(name === undefined ? {} : { name }),
    action,
    [direction === 'ingress' ? 'from' : 'to']: peerUnits(listed).map(unitObject),
    ...(ports.kind === 'every' ? {} : { protocols: ports.ports.map(portObject) }),
  };
}

function unitObject(unit: readonly TierPeer[]): object {
  const first = unit[0]!;
  switch (first.kind) {
    case 'scoped-pods':
      return scopeObject(first);
    case 'nodes':
      return { nodes: selectorObject(first.selector) };
    case 'ip-block':
      return { networks: unit.flatMap((peer) => (peer.kind === 'ip-block' ? [peer.text] : [])) };
    case 'domain-name':
      return { domainNames: unit.flatMap((peer) => (peer.kind === 'domain-name' ? [peer.pattern] : [])) };
  }
}

function scopeObject({ namespaceSelector, podSelector }: ScopedPods): object {
  if (podSelector.requirements.length === 0) return { namespaces: selectorObject(namespaceSelector) };
  return { pods: { namespaceSelector: selectorObject(namespaceSelector), podSelector: selectorObject(podSelector) } };
}

function portObject(port: TierPort): object {
  switch (port.kind) {
    case 'any-named':
      return { destinationNamedPort: port.name };
    case 'range':
      return transport(port.protocol, port.first === port.last ? { number: port.first } : { range: { start: port.first, end: port.last } });
    case 'protocol':
      return transport(port.protocol, { range: { start: 1, end: 65535 } });
    case 'named':
      throw new Error(`bug: the port name ${port.name} of one protocol has no form in a cluster-wide policy`);
  }
}

function transport(protocol: Protocol, destinationPort: object): object {
  return { [protocol.toLowerCase()]: { destinationPort } };
}

/** One value is a label to match, unless the key stands there already. */
function selectorObject({ requirements }: Selector): object {
  const matchLabels = new Map<string, string>();
  const rest: Requirement[] = [];
  for (const requirement of requirements) {
    const [value, ...more] = requirement.kind === 'In' ? requirement.values : [];
    if (value !== undefined && more.length === 0 && !matchLabels.has(requirement.key)) matchLabels.set(requirement.key, value);
    else rest.push(requirement);
  }
  return {
    ...(matchLabels.size === 0 ? {} : { matchLabels: Object.fromEntries(matchLabels) }),
    ...(rest.length === 0 ? {} : { matchExpressions: rest.map(({ kind, key, ...values }) => ({ key, operator: kind, ...values })) }),
  };
}
