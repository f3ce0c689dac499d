// Edits that change what policies mean: asks for each on a terminal, makes all of them with `--yes`, else leaves them.
import type { Finding } from '../../base/finding.ts';
import { findingKey, proposeEdit, type EditState, type LintTexts } from '../../mend/prove-edits.ts';
import { findingText } from '../../report/findings/finding-text.ts';
import { terminalOf } from '../../terminal/terminal.ts';

export interface Answered {
  readonly state: EditState;
  readonly made: readonly Finding[];
}

export type Answers = 'yes' | 'ask' | 'none';

/** Whether somebody sits there who can be asked. */
export function answersOf({ yes }: { readonly yes?: boolean }): Answers {
  if (yes === true) return 'yes';
  return process.stdin.isTTY === true && process.stderr.isTTY === true ? 'ask' : 'none';
}

export async function answerProposals(start: EditState, lintTexts: LintTexts, answers: Answers): Promise<Answered> {
  let state = start;
  const made: Finding[] = [];
  const declined = new Set<string>();
  if (answers === 'none') return { state, made };
  for (;;) {
    const proposal = proposeEdit(state, lintTexts, declined);
    if (proposal === undefined) return { state, made };
    const { finding, next } = proposal;
    if (answers === 'yes' || (await isWanted(finding, state, next))) {
      state = next;
      made.push(finding);
    } else {
      declined.add(findingKey(finding));
    }
  }
}

async function isWanted(finding: Finding, before: EditState, after: EditState): Promise<boolean> {
  const [{ createInterface }, { unifiedDiff }] = await Promise.all([import('node:readline/promises'), import('../../report/text/text-diff.ts')]);
  const terminal = terminalOf(process.stderr);
  const file = finding.file!;
  const lines = before.texts.get(file)!.whole.split('\n');
  process.stderr.write(`\n${findingText(finding, { ...terminal, lineOf: (_, line) => lines[line - 1] })}`);
  process.stderr.write(unifiedDiff({ file, before: before.texts.get(file)!.whole, after: after.texts.get(file)!.whole }, terminal.style));
  const question = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await question.question('This changes what the policy means. Make it? [y/N] ')).trim());
  } finally {
    question.close();
  }
}
