// Findings beside an answer: on stderr, the weighty ones in full, the rest counted.
import type { Finding } from '../base/finding.ts';
import { countFindings, findingText, type LineLookup } from '../report/findings/finding-text.ts';
import { writeNote } from './output.ts';
import { terminalOf } from './terminal.ts';

/** Findings printed beside an answer; `lint` prints all. */
const SHOWN_MAX = 20;

export interface FindingContext {
  readonly lineOf: LineLookup;
}

/** Errors and warnings; infos are counted and left to `lint`. */
export async function writeFindings(findings: readonly Finding[], { lineOf }: FindingContext): Promise<void> {
  const terminal = terminalOf(process.stderr);
  const weighty = findings.filter(({ severity }) => severity !== 'info');
  const shown = [...weighty.filter(({ severity }) => severity === 'error'), ...weighty.filter(({ severity }) => severity === 'warning')].slice(0, SHOWN_MAX);
  for (const finding of shown) await writeNote(findingText(finding, { ...terminal, lineOf }));
  if (shown.length < findings.length) {
    const rest = findings.filter((finding) => !shown.includes(finding));
    await writeNote(terminal.style.dim(`${shown.length === 0 ? '' : 'and '}${countFindings(rest)}: \`bulkhead lint\` shows ${rest.length === 1 ? 'it' : 'them'}\n`));
  }
}
