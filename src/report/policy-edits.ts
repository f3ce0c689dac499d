// What is added to the policies of a cluster, as sentences, a table and JSON; new policies as files of their own.
import { NO_PORTS, portSetOf, unionPorts, type PortSet } from '../base/port-set.ts';
import type { UnusedRule } from '../flow/group-flows.ts';
import { nameOfPolicy, type PortMatch } from '../model/network-policy.ts';
import { locateOrigin } from '../model/origin.ts';
import type { Addition } from '../recommend/additions.ts';
import { beyondOf } from '../recommend/beyond.ts';
import { endName, type Connection } from '../recommend/connection.ts';
import type { EditedPolicy, EditProof, PolicyEdits } from '../recommend/edit-policies.ts';
import { peerEnd } from '../recommend/plan-additions.ts';
import { changeRows, differenceSummary, type Difference } from './difference.ts';
import { networkPolicyObject, peerObject, portObject } from './policy-object.ts';
import { formatPorts } from './port-text.ts';
import { printable } from './printable.ts';
import { beyondSentence, CLOSED, jsonSeen, seenCell } from './recommended-flows.ts';
import { alignColumns } from './table.ts';
import { count, countOf } from './truth-table.ts';
import type { Style } from './style.ts';

export interface BesideEdits {
  /** From the policies as they are to those with what was added. */
  readonly difference: Difference;
  /** Rules of the input that let none of the flows through. */
  readonly unused: readonly UnusedRule[];
}

/** What was held against what, what it took, what it opens, and what stays refused. */
export function editSentences({ table, edited, added, proof }: PolicyEdits, { difference, unused }: BesideEdits): readonly string[] {
  const changed = [...edited, ...added];
  const connections = connectionsOf(changed);
  const sentences = [wantedSentence(proof)];
  if (changed.length > 0) {
    sentences.push(`Added: ${pieceWords(changed)} in ${placesText(edited.length, added.length)}.`);
    sentences.push(`Without ${proof.pieces === 1 ? 'it' : `any one of ${count(proof.pieces)} pieces`} a flow that it was added for would be refused.`, beyondSentence(connections.map((connection) => beyondOf(table, connection))), `${capital(differenceSummary(difference))}.`);
  }
  return [...sentences, ...leftSentences(proof), ...(unused.length === 0 ? [] : [`${countOf(unused.length, 'rule')} of the input let none of these flows through; nothing is taken away: -o table lists ${unused.length === 1 ? 'it' : 'them'}.`])];
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
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${words.at(-1)}` : words.join('');
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
  const unused = beside.unused.map(({ direction, index, namespace, name }) => `  ${direction} rule ${index + 1} of ${namespace === '' ? name : `${namespace}/${name}`}\n`);
  return [
    ...(rows.length === 0 ? [] : [style.bold(lines[0]!), '\n', ...lines.slice(1).map((line) => `${line}\n`), '\n']),
    ...editSentences(edits, beside).map((sentence) => `${sentence}\n`),
    ...(unused.length === 0 ? [] : [`\n${style.bold('rules that let none of these flows through')}\n`, ...unused.map(printableLine)]),
  ].join('');
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

export function editJson(edits: PolicyEdits, { difference, unused }: BesideEdits): string {
  const { table, edited, added, proof } = edits;
  const document = {
    apiVersion: 'bulkhead/v1',
    kind: 'PolicyEdits',
    edited: edited.map(({ policy, additions }) => ({ policy: nameOfPolicy(policy), ...locateOrigin(policy.origin), additions: additions.map((addition) => jsonAddition(table, addition)) })),
    added: added.map(({ draft, additions, beside }) => ({ policy: networkPolicyObject(draft.policy), beside: nameOfPolicy(beside), additions: additions.map((addition) => jsonAddition(table, addition)) })),
    proof: { ...proof, left: Object.fromEntries([...proof.left].map(([why, rows]) => [why, rows.length])) },
    changes: [...changeRows(difference.comparison)],
    unused,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function jsonAddition(table: PolicyEdits['table'], addition: Addition): object {
  const { kind, direction, connections } = addition;
  return {
    kind,
    direction,
    ...addedObject(addition),
    connections: connections.map((connection) => ({ source: endName(connection.source), target: endName(connection.target), ...jsonSeen(table, connection) })),
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
