// `bulkhead completion`: what a shell is to be told once, and the words that it asks for on each Tab.
import type { Command } from 'commander';
import { printable } from '../../report/text/printable.ts';
import { writeAnswer } from '../../terminal/output.ts';
import { choiceOf } from '../options/choice.ts';
import { completionNames } from './completion-names.ts';
import { completionPoint, type CompletionPoint, type Offer } from './completion-point.ts';
import { SHELL_SCRIPTS } from './completion-scripts.ts';

/** Nobody reads more of them. */
const WORDS_MAX = 1000;

/** What the shell does besides, as completion of kubectl and of other cobra programs says it in the last line. */
const DIRECTIVES = { files: ':0', nothing: ':4' };

const ASKED = ['bash', 'zsh', 'fish', 'powershell', 'words'] as const;

export function defineCompletion(command: Command): void {
  command
    .argument('<SHELL>', `one of: ${ASKED.join(', ')}`, choiceOf(ASKED))
    .argument('[WORDS...]', 'with words, behind --: what has been typed behind the name of the program, the last word still open')
    .addHelpText('after', `
Prints what the shell reads at its start. Each Tab then asks for words: verbs, options, their values, and the names of
namespaces and workloads, from the manifests, snapshots and flows that the line names, else from the current cluster,
for a second and a half at most. What cannot be had is left out, without a word.

Exit status: 0.

  bash:        source <(bulkhead completion bash)                    in ~/.bashrc
  zsh:         source <(bulkhead completion zsh)                     in ~/.zshrc, behind compinit
  fish:        bulkhead completion fish > ~/.config/fish/completions/bulkhead.fish
  PowerShell:  bulkhead completion powershell | Out-String | Invoke-Expression   in $PROFILE
  kubectl:     kubectl bulkhead completes where kubectl does, with kubectl_complete-bulkhead on the path`)
    .action(async (shell: (typeof ASKED)[number], words: readonly string[]) => {
      if (shell !== 'words') return writeAnswer([SHELL_SCRIPTS[shell]]);
      await writeAnswer(await wordLines(command.parent!, words)); // it is a verb of the program
      // A cluster that has not answered yet is not waited for.
      process.exit(0);
    });
}

/** `word`, or `word TAB what it is`, line by line; the directive last. */
async function wordLines(program: Command, words: readonly string[]): Promise<readonly string[]> {
  try {
    const point = completionPoint(program, words);
    const fitting = (await offersAt(point)).filter(({ word }) => word.startsWith(point.begun));
    const lines = fitting.slice(0, WORDS_MAX).map(({ word, says }) => `${printable(point.lead + word)}${says === '' ? '' : `\t${printable(says)}`}\n`);
    return [...lines, `${point.names === 'file' ? DIRECTIVES.files : DIRECTIVES.nothing}\n`];
  } catch {
    return [`${DIRECTIVES.nothing}\n`];
  }
}

async function offersAt(point: CompletionPoint): Promise<readonly Offer[]> {
  if (point.names === undefined || point.names === 'file') return point.offers;
  const names = await completionNames(point.names, point);
  return [...point.offers, ...[...new Set(names)].sort().map((word) => ({ word, says: '' }))];
}
