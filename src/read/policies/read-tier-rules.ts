// Reads the rules of cluster-wide policies; one in which anything cannot be understood, at any depth, fails closed as a whole.
import { nearestWordAnyCase } from '../../base/near-miss.ts';
import type { TierAction, TierPeer, TierPort, TierPorts, TierRule } from '../../model/cluster-policy.ts';
import type { Direction } from '../../model/network-policy.ts';
import type { Path } from '../../model/origin.ts';
import { checkFields } from '../values/check-fields.ts';
import { readList, readMap, readText, REFUSED, refuseType, shorten } from '../values/loose-value.ts';
import { failClosed, originOf, refuse, remark, type ObjectContext } from '../values/object-context.ts';
import { readTierPeer } from './read-tier-peers.ts';
import type { TierDialect } from './tier-dialect.ts';
import type { LooseMap, Value } from '../text/yaml-value.ts';

interface Section {
  readonly value: Value | undefined;
  readonly path: Path;
}

/** Missing, null and empty: the policy has no effect in this direction. */
export function readTierSection(context: ObjectContext, dialect: TierDialect, direction: Direction, { value, path }: Section): readonly TierRule[] {
  const list = readList({ ...context, leftOut: `the ${direction} section denies everything` }, value, path);
  if (list === undefined) return [];
  if (list === REFUSED) return [closedRule(context, { index: 0, name: undefined, action: undefined, path })];
  checkCount(context, list, path, { itemsMax: dialect.itemsMax, leavesOut: 'all of them are read' });
  return list.map((item, index) => readTierRule(context, dialect, direction, { value: item, path: [...path, index], index }));
}

interface RulePlace extends Section {
  readonly index: number;
}

function readTierRule(context: ObjectContext, dialect: TierDialect, direction: Direction, { value, path, index }: RulePlace): TierRule {
  const map = readRequiredMap({ ...context, leftOut: CLOSED.Deny }, value ?? null, path);
  if (map === undefined) return closedRule(context, { index, name: undefined, action: undefined, path });
  const action = readAction(context, dialect, map['action'], [...path, 'action']);
  const name = readName(context, map['name'], [...path, 'name']);
  const own: ObjectContext = { ...context, tierPart: 'rule', leftOut: CLOSED[action ?? 'Deny'], refusals: 0 };
  checkFields(own, map, path, dialect.ruleLevel[direction], '');
  const peers = readPeers(own, dialect, direction, { map, path });
  const ports = readPorts(own, dialect, { value: map[dialect.portsField], path: [...path, dialect.portsField] });
  if (action !== undefined && action !== 'Accept') refuseDeniedNames(own, peers, action);
  if (direction === 'egress') remarkNamesBesideAddresses(own, peers, ports);
  if (action === undefined || own.refusals > 0) return closedRule(context, { index, name, action, path });
  return { index, name, action, peers: { kind: 'listed', peers }, ports, origin: originOf(context, path) };
}

/** What becomes of a rule that cannot be understood (ClusterNetworkPolicyIngressPeer, "fail closed"). */
const CLOSED: Readonly<Record<TierAction, string>> = {
  Accept: 'the whole rule fails closed and accepts nothing',
  Deny: 'the whole rule fails closed and denies everything',
  Pass: 'the whole rule fails closed: instead of passing anything it denies everything',
};

interface ClosedRule {
  readonly index: number;
  readonly name: string | undefined;
  /** undefined: not known either. */
  readonly action: TierAction | undefined;
  readonly path: Path;
}

function closedRule(context: ObjectContext, { index, name, action, path }: ClosedRule): TierRule {
  const origin = originOf(context, path);
  if (action === 'Accept') return { index, name, action, peers: { kind: 'listed', peers: [] }, ports: { kind: 'every' }, origin };
  return { index, name, action: 'Deny', peers: { kind: 'everybody' }, ports: { kind: 'every' }, origin };
}

function readAction(context: ObjectContext, dialect: TierDialect, value: Value | undefined, path: Path): TierAction | undefined {
  const leavesOut = CLOSED.Deny;
  const text = readText({ ...context, leftOut: leavesOut }, value, path);
  if (text === REFUSED) return undefined;
  const words = Object.keys(dialect.actions);
  if (text === undefined) {
    refuse(context, path, 'missing-field', 'a rule needs an `action`', { help: `write one of ${words.join(', ')}`, leavesOut });
    return undefined;
  }
  if (Object.hasOwn(dialect.actions, text)) return dialect.actions[text];
  const near = { Accept: 'Allow', Allow: 'Accept' }[text] ?? nearestWordAnyCase(text, words);
  refuse(context, path, 'invalid-value', `\`${shorten(text)}\` is no action here: there are ${words.join(', ')}`, {
    leavesOut,
    ...(near === undefined ? {} : { help: `did you mean \`${near}\`?`, replacement: near }),
  });
  return undefined;
}

const NAME_LENGTH_MAX = 100;

function readName(context: ObjectContext, value: Value | undefined, path: Path): string | undefined {
  const named: ObjectContext = { ...context, leftOut: 'nothing else changes' };
  const name = readText(named, value, path);
  if (name === undefined || name === REFUSED) return undefined;
  if (name.length > NAME_LENGTH_MAX) refuse(named, path, 'invalid-name', `a rule's name has at most ${NAME_LENGTH_MAX} signs`);
  return name;
}

function readPeers(context: ObjectContext, dialect: TierDialect, direction: Direction, { map, path }: { readonly map: LooseMap; readonly path: Path }): readonly TierPeer[] {
  const side = direction === 'ingress' ? 'from' : 'to';
  const place = [...path, side];
  const list = readList(context, map[side], place);
  if (list === REFUSED) return [];
  const everybody = direction === 'ingress' ? '`namespaces: {}` for every pod' : '`networks: [0.0.0.0/0, "::/0"]` for everybody';
  if (list === undefined) refuse(context, path, 'missing-field', `a rule needs \`${side}\``, { help: `write whom it is about, such as ${everybody}` });
  else if (list.length === 0) refuse(context, place, 'empty-list', `\`${side}\` needs at least one peer`, { help: `write whom it is about, such as ${everybody}` });
  else checkCount(context, list, place, { itemsMax: dialect.itemsMax });
  return (list ?? []).flatMap((item, index) => {
    const peer = readRequiredMap(context, item, [...place, index]);
    return peer === undefined ? [] : readTierPeer(context, dialect, direction, { map: peer, path: [...place, index] });
  });
}

function readPorts(context: ObjectContext, dialect: TierDialect, { value, path }: Section): TierPorts {
  const list = readList(context, value, path);
  if (list === undefined || list === REFUSED) return { kind: 'every' };
  if (list.length === 0) refuse(context, path, 'empty-list', `an empty \`${dialect.portsField}\` is refused`, { help: `take \`${dialect.portsField}\` away if every protocol is meant` });
  else checkCount(context, list, path, { itemsMax: dialect.itemsMax });
  const ports = list.flatMap((item, index): readonly TierPort[] => {
    const read = dialect.readPort(context, item, [...path, index]);
    return read === REFUSED ? [] : read;
  });
  return { kind: 'listed', ports };
}

/** A null in a list stays where it is, unlike one in a map, which is as good as missing. */
function readRequiredMap(context: ObjectContext, value: Value, path: Path): LooseMap | undefined {
  if (value === null) refuseType(context, null, path, 'a map');
  const map = readMap(context, value, path);
  return map === REFUSED ? undefined : map;
}

interface CountLimit {
  readonly itemsMax: number;
  readonly leavesOut?: string;
}

export function checkCount(context: ObjectContext, list: readonly Value[], path: Path, { itemsMax, leavesOut }: CountLimit): void {
  if (list.length <= itemsMax) return;
  refuse(context, path, 'too-many-items', `${list.length} items stand here, and ${itemsMax} are the most that the API takes`, {
    help: 'split the policy into several with priorities of their own',
    ...(leavesOut === undefined ? {} : { leavesOut }),
  });
}

/** Names are for Accept alone: which addresses a name does not stand for, nobody can know. */
function refuseDeniedNames(context: ObjectContext, peers: readonly TierPeer[], action: TierAction): void {
  const name = peers.find((peer) => peer.kind === 'domain-name');
  if (name === undefined) return;
  failClosed(context, name.origin.path, 'domain-name-denied', `\`domainNames\` is for Accept alone, and this rule says ${action}`, { help: 'deny everything behind a rule that accepts names' });
}

/** A name is looked up on a pod; behind an address nobody opens ports by name. */
function remarkNamesBesideAddresses(context: ObjectContext, peers: readonly TierPeer[], ports: TierPorts): void {
  const named = ports.kind === 'listed' ? ports.ports.find((port) => port.kind === 'any-named') : undefined;
  if (named === undefined || peers.every((peer) => peer.kind === 'scoped-pods')) return;
  remark(context, named.origin.path, 'named-port-beside-addresses', 'warning', `the port name \`${shorten(named.name)}\` matches no network, node or domain name`, { help: 'write numbers, in a rule of their own' });
}
