// The files of a cluster with what is added to their policies and what is taken away: each is read again, and stands only where it says what it was meant to say and all else as before.
import type { TextEdit } from '../../base/finding.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy } from '../../model/network-policy.ts';
import type { Cluster } from '../../model/cluster.ts';
import { below } from '../../model/origin.ts';
import { readManifests, sourceFromText, type ReadOptions } from '../../read/read.ts';
import { applyEdits } from '../../mend/apply-edits.ts';
import { withLineEnds } from '../../mend/prove-edits.ts';
import { isSameCluster } from '../../mend/same-meaning.ts';
import { removeItems } from '../../lint/edits/block-list.ts';
import { withAdditions } from '../../recommend/edit/additions.ts';
import type { EditedPolicy, EditOptions, PolicyEdits } from '../../recommend/edit/edit-policies.ts';
import type { RemovalOptions } from '../../recommend/edit/remove-unused.ts';
import { withoutParts, type UnusedPart } from '../../recommend/edit/unused-parts.ts';
import { additionEdits } from './addition-text.ts';
import type { TextChange } from '../text/text-diff.ts';

export interface WrittenEdits {
  readonly edits: PolicyEdits;
  /** Of the files that change. */
  readonly changes: readonly TextChange[];
}

/**
 * `texts` are the files as they are written. What cannot be written into one is planned anew, with a policy beside it; every
 * round knows one more of them.
 */
export function planInFiles(texts: ReadonlyMap<string, string>, options: ReadOptions, plan: (isEditable: EditOptions['isEditable'], isRemovable: RemovalOptions['isRemovable']) => PolicyEdits): WrittenEdits {
  const refused = new Set<string>();
  const stands = (policy: NetworkPolicy): boolean => texts.has(policy.origin.document.file);
  for (;;) {
    const edits = plan((policy, direction) => stands(policy) && !refused.has(`${direction} ${nameKey(policy)}`), (part) => stands(part.policy) && !refused.has(partKey(part)));
    const fileOf = ({ policy }: { readonly policy: NetworkPolicy }): string => policy.origin.document.file;
    const removedOf = Map.groupBy(edits.removal?.removed ?? [], fileOf);
    const editedOf = Map.groupBy(edits.edited, fileOf);
    const files = [...new Set([...editedOf.keys(), ...removedOf.keys()])].map((file) => editFile({ file, before: texts.get(file)!, options }, editedOf.get(file) ?? [], removedOf.get(file) ?? []));
    const failed = files.flatMap((one) => one.refused);
    if (failed.length === 0) return { edits, changes: files.flatMap(({ change }) => change ?? []) };
    for (const key of failed) refused.add(key);
  }
}

interface FileText {
  readonly file: string;
  readonly before: string;
  readonly options: ReadOptions;
}

/** What a policy gets in one direction. */
interface OneDirection extends Pick<EditedPolicy, 'policy' | 'additions'> {
  readonly direction: Direction;
}

interface EditedFile {
  readonly change: TextChange | undefined;
  /** Keys of what cannot be written. */
  readonly refused: readonly string[];
}

/** All at once, what is taken away last; where that cannot be proven, what can be by itself is told from the rest. */
function editFile(text: FileText, own: readonly EditedPolicy[], removed: readonly UnusedPart[]): EditedFile {
  const added = own.length === 0 ? text.before : provenText(text, own);
  if (added === undefined) return { change: undefined, refused: refusedAdditions(text, own) };
  const widened = { ...text, before: added };
  const after = removed.length === 0 ? added : provenRemoval(widened, removed);
  if (after !== undefined) return { change: { file: text.file, before: text.before, after }, refused: [] };
  const refused = removed.filter((one) => provenRemoval(widened, [one]) === undefined);
  return { change: undefined, refused: (refused.length === 0 ? removed : refused).map(partKey) };
}

function refusedAdditions(text: FileText, own: readonly EditedPolicy[]): readonly string[] {
  const parts = own.flatMap(({ policy, additions }) => DIRECTIONS.map((direction): OneDirection => ({ policy, direction, additions: additions.filter((addition) => addition.direction === direction) }))).filter(({ additions }) => additions.length > 0);
  const refused = parts.length === 1 ? parts : parts.filter((part) => provenText(text, [part]) === undefined);
  return (refused.length === 0 ? parts : refused).map(({ policy, direction }) => `${direction} ${nameKey(policy)}`);
}

function provenRemoval({ file, before, options }: FileText, removed: readonly UnusedPart[]): string | undefined {
  const read = (text: string): Cluster => readManifests([sourceFromText(file, text)], options).cluster;
  const cluster = read(before);
  const policyOf = new Map(cluster.policies.map((policy) => [nameKey(policy), policy]));
  const edits = [...Map.groupBy(removed, listKey).values()].map((same) => {
    const own = policyOf.get(nameKey(same[0]!.policy)); // a group has one
    return own === undefined ? [] : listRemoval(own, same);
  });
  if (edits.some(({ length }) => length === 0)) return undefined;
  const after = applyEdits(before, withLineEnds(before, edits.flat()));
  return isSameCluster(read(after), withoutParts(cluster, removed)) ? after : undefined;
}

/** Of one list, which is a section, the peers of a rule or its ports. */
function listRemoval(own: NetworkPolicy, parts: readonly UnusedPart[]): readonly TextEdit[] {
  const { direction, rule, piece } = parts[0]!; // there is one
  const rules = own[direction] ?? [];
  if (piece === undefined) return removeItems(below(own.origin, 'spec', direction), rules.map(({ origin }) => origin), new Set(parts.map((one) => one.rule)));
  const { peers, ports, origin } = rules[rule]!; // as the text was read when it was planned
  const items = piece.kind === 'peer' ? (peers.kind === 'listed' ? peers.peers : []) : ports.kind === 'listed' ? ports.ports : [];
  const field = piece.kind === 'port' ? 'ports' : direction === 'ingress' ? 'from' : 'to';
  return removeItems(below(origin, field), items.map((item) => item.origin), new Set(parts.map((one) => one.piece!.index)));
}

function listKey({ policy, direction, rule, piece }: UnusedPart): string {
  return `${direction} ${piece === undefined ? '' : `${rule} ${piece.kind} `}${nameKey(policy)}`;
}

function partKey(part: UnusedPart): string {
  return `${part.piece === undefined ? part.rule : part.piece.index} ${listKey(part)}`;
}

function provenText({ file, before, options }: FileText, own: readonly Pick<EditedPolicy, 'policy' | 'additions'>[]): string | undefined {
  const read = (text: string): ReturnType<typeof readManifests> => readManifests([sourceFromText(file, text)], options);
  const { cluster } = read(before);
  const additionsOf = new Map(own.map(({ policy, additions }) => [nameKey(policy), additions]));
  const edits = cluster.policies.flatMap((policy) => {
    const additions = additionsOf.get(nameKey(policy));
    return additions === undefined ? [] : [additionEdits(policy, additions)];
  });
  if (edits.length !== own.length || edits.includes(undefined)) return undefined;
  const after = applyEdits(before, withLineEnds(before, edits.flatMap((some) => some ?? [])));
  const wanted = { ...cluster, policies: cluster.policies.map((policy) => withAdditions(policy, additionsOf.get(nameKey(policy)) ?? [])) };
  return isSameCluster(read(after).cluster, wanted) ? after : undefined;
}

function nameKey({ namespace, name }: NetworkPolicy): string {
  return `${namespace}/${name}`;
}
