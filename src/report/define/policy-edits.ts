// What is added to the policies of a cluster and taken from them, as sentences, a table and JSON; new policies as files of their own.
import { NO_PORTS, portSetOf, unionPorts, type PortSet } from '../../base/port-set.ts';
import type { DirectedRule } from '../../flow/flow.ts';
import { nameOfPolicy, type PortMatch } from '../../model/network-policy.ts';
import { locateOrigin } from '../../model/origin.ts';
import type { Addition } from '../../recommend/edit/additions.ts';
import { beyondOf, type SeenOf } from '../../recommend/proof/beyond.ts';
import { endName, type Connection } from '../../recommend/ends/connection.ts';
import { newlyGoverned, type EditedPolicy, type EditProof, type PolicyEdits } from '../../recommend/edit/edit-policies.ts';
import type { Openness } from '../../recommend/proof/openness.ts';
import { peerEnd } from '../../recommend/edit/plan-additions.ts';
import type { Removal } from '../../recommend/edit/remove-unused.ts';
import type { UnusedPart } from '../../recommend/edit/unused-parts.ts';
import { changeRows, differenceSummary, type Difference } from '../ask/difference.ts';
import { networkPolicyObject, peerObject, portObject } from './policy-object.ts';
import { formatPorts } from '../text/port-text.ts';
import { printable } from '../text/printable.ts';
import { beyondSentence, CLOSED, jsonSeen, opennessText, seenCell } from './recommended-flows.ts';
import { alignColumns } from '../text/table.ts';
import { count, countOf } from '../text/truth-table.ts';
import type { Style } from '../text/style.ts';

export interface BesideEdits {
  /** From the policies as they are to those with what was added. */
  readonly difference: Difference;
  /** Rules of the input that let none of the flows through, and that nobody asked to take away. */
  readonly unused: readonly DirectedRule[];
  /** What is open as it is and with the edits, where rules were to be taken away. */
  readonly shrink: { readonly before: Openness; readonly after: Openness } | undefined;
}

/** What was held against what, what it took, what it opens, and what stays refused. */
export function editSentences({ table, before: cluster, edited, added, removal, proof }: PolicyEdits, { difference, unused, shrink }: BesideEdits): readonly string[] {
  const changed = [...edited, ...added];
  const connections = connectionsOf(changed);
  const sentences = [wantedSentence(proof)];
  if (changed.length > 0) {
    sentences.push(`Added: ${pieceWords(changed)} in ${placesText(edited.length, added.length)}.`);
    sentences.push(`Without ${proof.pieces === 1 ? 'it' : `any one of ${count(proof.pieces)} pieces`} a flow that it was added for would be refused.`, ...governedSentences(edited), beyondSentence(connections.map((connection) => beyondOf({ table, cluster }, connection))));
  }
  if (removal !== undefined) sentences.push(...removalSentences(removal));
  if (changed.length + (removal?.removed.length ?? 0) > 0) sentences.push(`${capital(differenceSummary(difference))}.`);
  if (shrink !== undefined) sentences.push(`${capital(opennessText(shrink.before, shrink.after))}.`);
  return [...sentences, ...leftSentences(proof), ...(unused.length === 0 ? [] : [`${countOf(unused.length, 'rule')} of the input let none of these flows through; nothing is taken away: -o table lists ${unused.length === 1 ? 'it' : 'them'}.`])];
}

function governedSentences(edited: readonly EditedPolicy[]): readonly string[] {
  const widened = edited.filter((one) => newlyGoverned(one).length > 0).length;
  if (widened === 0) return [];
  return [widened === 1 ? '1 policy governs a direction that it did not govern before: another isolates its pods there already.' : `${count(widened)} policies govern a direction that they did not govern before: others isolate their pods there already.`];
}

const KEPT = { learning: 'of policies over workloads that were not seen for so long without anything new', unwritable: 'written in a way from which nothing can be taken' } as const;

function removalSentences({ removed, kept }: Removal): readonly string[] {
  const policies = new Set(removed.map(({ policy }) => policy)).size;
  const taken = removed.length === 0 ? 'Taken away: nothing.' : `Taken away: ${partWords(removed)} of ${policies === 1 ? '1 policy' : `${count(policies)} policies`}; every recorded flow that went through before goes through without ${removed.length === 1 ? 'it' : 'them'}.`;
  const left = Object.entries(KEPT).flatMap(([why, words]) => {
    const own = kept.filter((one) => one.why === why);
    return own.length === 0 ? [] : [`${partWords(own)} ${words}`];
  });
  return [taken, ...(left.length === 0 ? [] : [`Unused, and left: ${left.join('; ')}.`])];
}

function partWords(parts: readonly UnusedPart[]): string {
  const kinds = ['rule', 'peer', 'port'] as const;
  return listed(kinds.flatMap((kind) => {
    const number = parts.filter(({ piece }) => (piece?.kind ?? 'rule') === kind).length;
    return number === 0 ? [] : [countOf(number, kind)];
  }));
}

function listed(words: readonly string[]): string {
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${words.at(-1)}` : words.join('');
}

function placesText(edited: number, added: number): string {
  const policies = edited === 0 ? [] : [`${count(edited)} ${edited === 1 ? 'policy' : 'policies'} of the input`];
  return [...policies, ...(added === 0 ? [] : [edited === 0 ? `${count(added)} new ${added === 1 ? 'policy' : 'policies'}` : countOf(added, 'new one')])].join(' and ');
}

function wantedSentence({ wanted, allowedBefore, allowed }: EditProof): string {
  if (allowedBefore === wanted) return `${wanted === 1 ? 'The recorded flow goes' : `All ${count(wanted)} recorded flows go`} through already: nothing is to be added.`;
  return `Replayed: of ${countOf(wanted, 'recorded flow')} ${allowedBefore === 0 ? 'none' : count(allowedBefore)} ${allowedBefore < 2 ? 'goes' : 'go'} through the policies of the input, and ${allowed === wanted ? 'all go' : count(allowed)} with what is added.`;
}

function pieceWords(changed: readonly Pick<EditedPolicy, 'additions'>[]): string {
  const additions = changed.flatMap((one) => one.additions);
  const size = (addition: Addition): number => (addition.kind === 'peers' ? addition.peers.length : addition.kind === 'ports' ? addition.ports.length : 1);
  const words = (['peers', 'ports', 'rule'] as const).flatMap((kind) => {
    const sum = additions.filter((addition) => addition.kind === kind).reduce((all, addition) => all + size(addition), 0);
    return sum === 0 ? [] : [countOf(sum, { peers: 'peer', ports: 'port', rule: 'rule' }[kind])];
  });
  return listed(words);
}

const LEFT: Readonly<Partial<Record<string, string>>> = { ...CLOSED, 'undecided': 'flows that wait for a decision', 'cluster-policy': 'flows that a cluster-wide policy refuses' };

function leftSentences({ left }: EditProof): readonly string[] {
  const words = [...left].flatMap(([why, rows]) => (LEFT[why] === undefined ? [] : [`${LEFT[why]} (${count(rows.length)})`]));
  const denied = (left.get('denied') ?? []).length;
  return [
    ...(words.length === 0 ? [] : [`Closed all the same: ${words.join(', ')}.`]),
    ...(denied === 0 ? [] : [`${countOf(denied, 'flow')} ${denied === 1 ? 'was' : 'were'} refused, and ${denied === 1 ? 'is' : 'are'} not granted: --with-denied grants ${denied === 1 ? 'it' : 'them'} as well.`]),
  ];
}

function capital(sentence: string): string {
  return `${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1)}`;
}

function connectionsOf(changed: readonly Pick<EditedPolicy, 'additions'>[]): readonly Connection[] {
  return changed.flatMap(({ additions }) => additions.flatMap(({ connections }) => connections));
}

/** What each policy gets, and which flows show it. */
export function editTable(edits: PolicyEdits, beside: BesideEdits, style: Style): string {
  const rows = [
    ...edits.edited.flatMap(({ policy, additions }) => rowsOf(`${policy.namespace}/${policy.name}`, placeText(policy.origin), additions)),
    ...edits.added.flatMap(({ draft: { policy }, additions }) => rowsOf(`${policy.namespace}/${policy.name}`, 'new', additions)),
  ];
  const lines = alignColumns([['policy', 'stands in', 'added', 'for', '', 'traffic', 'flows'], ...rows.map((row) => row.map(printable))]);
  const { removed, kept } = edits.removal ?? { removed: [], kept: [] };
  const taken = removed.map((one) => `  ${partText(one)}\n`);
  const left = kept.map((one) => `  ${partText(one)}: ${one.why === 'learning' ? 'not seen long enough' : 'not to be written'}\n`);
  const unused = beside.unused.map(({ direction, index, namespace, name }) => `  ${direction} rule ${index + 1} of ${namespace === '' ? name : `${namespace}/${name}`}\n`);
  return [
    ...(rows.length === 0 ? [] : [style.bold(lines[0]!), '\n', ...lines.slice(1).map((line) => `${line}\n`), '\n']),
    ...editSentences(edits, beside).map((sentence) => `${sentence}\n`),
    ...(taken.length === 0 ? [] : [`\n${style.bold('what is taken away')}\n`, ...taken.map(printableLine)]),
    ...(left.length === 0 ? [] : [`\n${style.bold('what let none of these flows through, and is left')}\n`, ...left.map(printableLine)]),
    ...(unused.length === 0 ? [] : [`\n${style.bold('rules that let none of these flows through')}\n`, ...unused.map(printableLine)]),
  ].join('');
}

function partText({ policy, direction, rule, piece }: UnusedPart): string {
  return `${piece === undefined ? '' : `${piece.kind} ${piece.index + 1} of `}${direction} rule ${rule + 1} of ${policy.namespace}/${policy.name}`;
}

function printableLine(line: string): string {
  return `${printable(line.slice(0, -1))}\n`;
}

function placeText(origin: EditedPolicy['policy']['origin']): string {
  const { file, range } = locateOrigin(origin);
  return `${file}:${range.start.line}`;
}

const KIND_WORDS = { peers: 'peer', ports: 'port', rule: 'rule' } as const;

function rowsOf(policy: string, place: string, additions: readonly Addition[]): readonly (readonly string[])[] {
  return additions.flatMap((addition) => addition.connections.map((connection) => [policy, place, `${addition.direction} ${KIND_WORDS[addition.kind]}`, endName(peerEnd(connection, addition.direction)), addition.direction === 'ingress' ? 'in' : 'out', formatPorts(portsOfAddition(addition, connection)), seenCell(connection)]));
}

/** Of a port that is added to a rule, that port alone. */
function portsOfAddition(addition: Addition, { ports }: Connection): PortSet {
  return addition.kind === 'ports' ? addition.ports.reduce<PortSet>((all, port) => unionPorts(all, setOf(port)), NO_PORTS) : ports;
}

function setOf(port: PortMatch): PortSet {
  return port.kind === 'range' ? portSetOf(port.protocol, port.first, port.last) : NO_PORTS;
}

export function editJson(edits: PolicyEdits, { difference, unused, shrink }: BesideEdits): string {
  const { table, before: cluster, edited, added, removal, proof } = edits;
  const document = {
    apiVersion: 'bulkhead/v1',
    kind: 'PolicyEdits',
    edited: edited.map(({ policy, additions }) => ({ policy: nameOfPolicy(policy), ...locateOrigin(policy.origin), governs: newlyGoverned({ policy, additions }), additions: additions.map((addition) => jsonAddition({ table, cluster }, addition)) })),
    added: added.map(({ draft, additions, beside }) => ({ policy: networkPolicyObject(draft.policy), beside: nameOfPolicy(beside), additions: additions.map((addition) => jsonAddition({ table, cluster }, addition)) })),
    proof: { ...proof, left: Object.fromEntries([...proof.left].map(([why, rows]) => [why, rows.length])) },
    changes: [...changeRows(difference.comparison)],
    unused,
    ...(removal === undefined ? {} : { removed: removal.removed.map(jsonPart), kept: removal.kept.map((one) => ({ ...jsonPart(one), why: one.why })), openness: shrink }),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function jsonPart({ policy, direction, rule, piece }: UnusedPart): object {
  return { policy: nameOfPolicy(policy), direction, index: rule, ...(piece === undefined ? {} : { piece }) };
}

function jsonAddition(seenOf: SeenOf, addition: Addition): object {
  const { kind, direction, connections } = addition;
  return {
    kind,
    direction,
    ...addedObject(addition),
    connections: connections.map((connection) => ({ source: endName(connection.source), target: endName(connection.target), ...jsonSeen(seenOf, connection) })),
  };
}

function addedObject(addition: Addition): object {
  switch (addition.kind) {
    case 'peers':
      return { rule: addition.rule, peers: addition.peers.map(peerObject) };
    case 'ports':
      return { rule: addition.rule, ports: addition.ports.map(portObject) };
    case 'rule':
      return { peers: addition.peers.map(peerObject), ...(addition.ports.kind === 'every' ? {} : { ports: addition.ports.ports.map(portObject) }) };
  }
}
