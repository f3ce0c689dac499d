// A rule as what it says: equal for equal rules wherever they stand, and short enough to be a name.
import type { TierPeer, TierPort, TierRule } from '../model/cluster-policy.ts';
import type { Direction, Peer, PolicyRule, PortMatch } from '../model/network-policy.ts';
import { formatSelector, type Selector } from '../model/selector.ts';

/** UTF-16 units; a longer one is cut, and has a sum of the rest. */
const LENGTH_MAX = 200;

const END: Readonly<Record<Direction, string>> = { ingress: 'from', egress: 'to' };

/** `from app=web on tcp/5432`: peers and ports in the order of their words, not of the text. */
export function ruleContent(direction: Direction, rule: PolicyRule | TierRule): string {
  const action = 'action' in rule ? `${rule.action} ` : '';
  const peers = rule.peers.kind === 'everybody' ? 'everybody' : rule.peers.peers.length === 0 ? 'nobody' : sortedWords(rule.peers.peers.map(peerText), ' or ');
  const ports = rule.ports.kind === 'every' ? 'every port' : sortedWords(rule.ports.ports.map(portText), ', ');
  return bounded(`${action}${END[direction]} ${peers} on ${ports}`);
}

function peerText(peer: Peer | TierPeer): string {
  switch (peer.kind) {
    case 'pods':
      return `${selectorText(peer.podSelector)}${peer.namespaces.kind === 'own' ? '' : ` of namespaces ${selectorText(peer.namespaces.selector)}`}`;
    case 'scoped-pods':
      return `${selectorText(peer.podSelector)} of namespaces ${selectorText(peer.namespaceSelector)}`;
    case 'nodes':
      return `nodes ${selectorText(peer.selector)}`;
    case 'domain-name':
      return peer.pattern;
    case 'ip-block':
      return peer.text;
  }
}

function portText(port: PortMatch | TierPort): string {
  switch (port.kind) {
    case 'protocol':
      return port.protocol.toLowerCase();
    case 'range':
      return `${port.protocol.toLowerCase()}/${port.first}${port.last === port.first ? '' : `-${port.last}`}`;
    case 'named':
      return `${port.protocol.toLowerCase()}/${port.name}`;
    case 'any-named':
      return port.name;
  }
}

function selectorText({ requirements }: Selector): string {
  if (requirements.length === 0) return formatSelector({ requirements });
  const parts = requirements.map((one) => formatSelector({ requirements: ['values' in one ? { ...one, values: [...new Set(one.values)].sort() } : one] }));
  return sortedWords(parts, ', ');
}

function sortedWords(words: readonly string[], separator: string): string {
  return [...new Set(words)].sort().join(separator);
}

/** FNV-1a (draft-eastlake-fnv). */
function bounded(text: string): string {
  if (text.length <= LENGTH_MAX) return text;
  let sum = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) sum = Math.imul(sum ^ text.charCodeAt(index), 0x01000193);
  return `${text.slice(0, LENGTH_MAX)}… (${(sum >>> 0).toString(16).padStart(8, '0')})`;
}
