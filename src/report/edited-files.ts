// The files of a cluster with what is added to their policies: each is read again, and stands only where it says what it was meant to say and all else as before.
import type { NetworkPolicy } from '../model/network-policy.ts';
import { applyEdits } from '../mend/apply-edits.ts';
import { withLineEnds } from '../mend/prove-edits.ts';
import { isSameCluster } from '../mend/same-meaning.ts';
import { readManifests, sourceFromText, type ReadOptions } from '../read/read.ts';
import { withAdditions } from '../recommend/additions.ts';
import type { EditedPolicy, EditOptions, PolicyEdits } from '../recommend/edit-policies.ts';
import { additionEdits } from './addition-text.ts';
import type { TextChange } from './text-diff.ts';

export interface WrittenEdits {
  readonly edits: PolicyEdits;
  /** Of the files that change. */
  readonly changes: readonly TextChange[];
}

/**
 * `texts` are the files as they are written. What cannot be written into one is planned anew, with a policy beside it; every
 * round knows one more of them.
 */
export function planInFiles(texts: ReadonlyMap<string, string>, options: ReadOptions, plan: (isEditable: EditOptions['isEditable']) => PolicyEdits): WrittenEdits {
  const refused = new Set<string>();
  for (;;) {
    const edits = plan((policy) => texts.has(policy.origin.document.file) && !refused.has(nameKey(policy)));
    const files = [...Map.groupBy(edits.edited, ({ policy }) => policy.origin.document.file)].map(([file, own]) => editFile({ file, before: texts.get(file)!, options }, own));
    const failed = files.flatMap((one) => one.refused);
    if (failed.length === 0) return { edits, changes: files.flatMap(({ change }) => change ?? []) };
    for (const policy of failed) refused.add(nameKey(policy));
  }
}

interface FileText {
  readonly file: string;
  readonly before: string;
  readonly options: ReadOptions;
}

interface EditedFile {
  readonly change: TextChange | undefined;
  readonly refused: readonly NetworkPolicy[];
}

/** All at once; where that cannot be proven, those that can be by themselves are told from the others. */
function editFile(text: FileText, own: readonly EditedPolicy[]): EditedFile {
  const after = provenText(text, own);
  if (after !== undefined) return { change: { file: text.file, before: text.before, after }, refused: [] };
  const refused = own.length === 1 ? own : own.filter((one) => provenText(text, [one]) === undefined);
  return { change: undefined, refused: (refused.length === 0 ? own : refused).map(({ policy }) => policy) };
}

function provenText({ file, before, options }: FileText, own: readonly EditedPolicy[]): string | undefined {
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
