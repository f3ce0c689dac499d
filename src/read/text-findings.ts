// Says what is wrong with a text that cannot be read, and names the mistake where its line shows it.
import type { FindingCode } from '../base/finding-code.ts';
import type { Finding } from '../base/finding.ts';
import { addFinding, type FindingList } from './finding-list.ts';
import type { ReadSettings } from './read-settings.ts';
import type { TextDocument } from './text-document.ts';
import type { TextProblem, TextProblemDetails } from './text-problem.ts';

export function addTextProblem(
  reading: { readonly settings: ReadSettings; readonly findings: FindingList },
  document: TextDocument,
  text: string,
  problem: TextProblem,
): void {
  const details = problem.details.code === 'yaml-syntax' ? nameMistake(text, problem.details) : problem.details;
  addFinding(reading.findings, findingOf(reading.settings, document, details));
}

function findingOf(settings: ReadSettings, document: TextDocument, details: TextProblemDetails): Finding {
  const range = document.rangeOf({ start: details.start, end: details.end ?? details.start });
  const left = settings.isLenient ? '; the answer leaves this document out' : '';
  return {
    code: details.code,
    severity: settings.refusal,
    message: `${details.message}${left}`,
    file: document.file,
    range,
    ...(details.help === undefined ? {} : { help: details.help }),
    ...(details.edits === undefined ? {} : { edits: details.edits }),
    ...(details.related === undefined
      ? {}
      : { related: [{ message: details.related.message, file: document.file, range: document.rangeOf(details.related) }] }),
  };
}

interface Mistake {
  readonly code: FindingCode;
  readonly pattern: RegExp;
  readonly message: string;
  readonly help: string;
}

// In the order in which they are looked for, in the line of the error and the one before it.
const MISTAKES: readonly Mistake[] = [
  { code: 'yaml-tab', pattern: /^[ ]*\t/, message: 'a tab indents this line, and YAML takes only blanks', help: 'put blanks in place of the tab' },
  {
    code: 'yaml-typographic-dash',
    pattern: /^\s*[\u2010-\u2015\u2212](?=\s)/,
    message: 'this line begins with a typographic dash, which YAML takes for text',
    help: 'write `-`',
  },
  { code: 'yaml-syntax', pattern: /\{\{/, message: 'this is a template, not a manifest', help: 'render it first, for example with `helm template`' },
];

function nameMistake(text: string, details: TextProblemDetails): TextProblemDetails {
  for (const lineStart of nearbyLines(text, details.start)) {
    const lineEnd = text.indexOf('\n', lineStart);
    const line = text.slice(lineStart, lineEnd < 0 ? text.length : lineEnd);
    for (const mistake of MISTAKES) {
      const match = mistake.pattern.exec(line);
      if (match === null) continue;
      const end = lineStart + match.index + match[0].length;
      return { code: mistake.code, message: mistake.message, help: mistake.help, start: mistake.code === 'yaml-syntax' ? lineStart + match.index : end - 1, end };
    }
  }
  if (/indentation/.test(details.message)) return { ...details, code: 'yaml-indentation', help: details.help ?? 'indent the keys of one map alike, and what belongs to a key further than the key' };
  return details;
}

/** The starts of the line of an offset and of the two before it. */
function nearbyLines(text: string, offset: number): number[] {
  const starts: number[] = [];
  let at = Math.min(offset, text.length);
  for (let count = 0; count < 3; count++) {
    const start = at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1;
    starts.push(start);
    if (start === 0) break;
    at = start - 1;
  }
  return starts;
}
