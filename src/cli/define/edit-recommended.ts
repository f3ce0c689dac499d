// `bulkhead recommend --diff` and `--fix`: what recorded flows need, added to the policies of the files that were read.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { comparePrograms } from '../../compare/compare.ts';
import { groupChanges } from '../../compare/group-changes.ts';
import { compileCluster } from '../../compile/compile.ts';
import { unusedRules } from '../../flow/group-flows.ts';
import { readOptionsOf, type Input } from '../../input/input.ts';
import type { InputOptions } from '../../input/input-options.ts';
import { repairInputs } from '../../input/repair-inputs.ts';
import { editPolicies, type AddedPolicy, type EditOptions, type PolicyEdits } from '../../recommend/edit/edit-policies.ts';
import { opennessOf } from '../../recommend/proof/openness.ts';
import { planInFiles } from '../../report/define/edited-files.ts';
import { editJson, editSentences, editTable, type BesideEdits } from '../../report/define/policy-edits.ts';
import { policiesYaml } from '../../report/define/policy-yaml.ts';
import { PLAIN_STYLE, type Style } from '../../report/text/style.ts';
import { unifiedDiff, type TextChange } from '../../report/text/text-diff.ts';
import { countOf } from '../../report/text/truth-table.ts';
import { UsageError } from '../../terminal/failures.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { terminalOf } from '../../terminal/terminal.ts';
import { pathBelow, writeWhole } from './write-whole.ts';

export interface EditWords extends InputOptions {
  readonly fix?: boolean;
  /** Folder of new policies; missing: that of the policy beside which one stands. */
  readonly write?: string;
  /** Days. */
  readonly removeUnused?: number;
  readonly output: 'yaml' | 'table' | 'md' | 'json';
}

const DAY_MS = 86_400_000;

/** `words` name the files. */
export async function runEdits(input: Input, words: readonly string[], options: EditWords, wanted: Omit<EditOptions, 'isEditable'>): Promise<void> {
  const texts = new Map(repairInputs(words.filter((word) => word !== '-')).flatMap(({ file, before }) => (before === undefined ? [] : [[file.name, before] as const])));
  const { edits, changes } = planInFiles(texts, readOptionsOf(options), (isEditable, isRemovable) => editPolicies(input.cluster, input.written, { ...wanted, isEditable, removal: options.removeUnused === undefined ? undefined : { stableMs: options.removeUnused * DAY_MS, isRemovable } }));
  const beside = besideEdits(edits);
  const created = edits.added.map((added) => ({ file: placeOf(added, texts, options), before: '', after: [...policiesYaml([added.draft])].join('') }));
  if (options.fix === true) for (const { file, after } of [...changes, ...created]) writeWhole(file, after);
  await writeAnswer(format(edits, { beside, changes: [...changes, ...created], options, style: terminalOf(process.stdout).style }));
  if (options.output === 'yaml') await writeNote(editSentences(edits, beside).map((sentence) => `bulkhead: ${sentence}\n`).join(''));
  if (options.fix === true && changes.length + created.length > 0) await writeNote(`bulkhead: changed ${countOf(changes.length, 'file')}, wrote ${created.length} new\n`);
}

function besideEdits({ before, after, table, removal }: PolicyEdits): BesideEdits {
  const programs = { before: compileCluster(before), after: compileCluster(after) };
  const comparison = comparePrograms(programs);
  const records = Array.from({ length: table.size }, (_, row) => table.recordAt(row));
  const known = new Map(before.policies.map((policy) => [`${policy.namespace}/${policy.name}`, policy]));
  const isOld = ({ namespace, name, direction, index }: BesideEdits['unused'][number]): boolean => namespace === '' || (removal === undefined && index < (known.get(`${namespace}/${name}`)?.[direction] ?? []).length);
  const shrink = removal === undefined ? undefined : { before: opennessOf(programs.before), after: opennessOf(programs.after) };
  return { difference: { comparison, groups: groupChanges(comparison) }, unused: unusedRules(after, records).filter(isOld), shrink };
}

/** A file that is there is never written over. */
function placeOf({ draft: { policy: { namespace, name } }, beside }: AddedPolicy, texts: ReadonlyMap<string, string>, { write, fix }: EditWords): string {
  const { file } = beside.origin.document;
  if (write === undefined && !texts.has(file) && fix === true) throw new UsageError(`a new policy is needed beside \`${beside.name}\`, which stands in no file`, 'name a folder for new policies with --write DIR');
  const folder = write !== undefined ? pathBelow(write, namespace) : texts.has(file) ? dirname(file) : namespace;
  for (let number = 1; ; number++) {
    const path = pathBelow(folder, `${name}${number === 1 ? '' : `-${number}`}.yaml`);
    if (!existsSync(path)) return path;
  }
}

interface Layout {
  readonly beside: BesideEdits;
  readonly changes: readonly TextChange[];
  readonly options: EditWords;
  readonly style: Style;
}

function format(edits: PolicyEdits, { beside, changes, options, style }: Layout): readonly string[] {
  switch (options.output) {
    case 'yaml':
      return changes.map((change) => unifiedDiff(change, style));
    case 'table':
      return [editTable(edits, beside, style)];
    case 'json':
      return [editJson(edits, beside)];
    case 'md':
      return [editSentences(edits, beside).join('\n'), '\n\n```diff\n', ...changes.map((change) => unifiedDiff(change, PLAIN_STYLE)), '```\n'];
  }
}
