// Says what is wrong with a text that cannot be read, and names the mistake where its line shows it.
import type { FindingCode } from '../../base/finding-code.ts';
import type { Finding } from '../../base/finding.ts';
import { addFinding, type FindingList } from '../values/finding-list.ts';
import type { ReadSettings } from '../values/read-settings.ts';
import type { TextDocument } from '../text/text-document.ts';
import type { TextProblem, TextProblemDetails } from '../text/text-problem.ts';

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
    ...(details.repair === undefined ? {} : { edits: [{ range: document.rangeOf(details.repair), text: details.repair.text }] }),
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
  return { ...details, ...reword(details.message) };
}

// What the parser says, and what it means to somebody who looks at the line.
const REWORDED: readonly (readonly [RegExp, FindingCode, string, string])[] = [
  [/^end of the stream or a document/, 'yaml-indentation', 'this line belongs to nothing above it; kubectl would pass over it and all that follows', 'indent it like the lines it belongs to, or begin a new document with `---`'],
  [/indentation of a mapping/, 'yaml-indentation', 'this line is indented further than the map above it allows', 'indent the keys of one map alike'],
  [/indentation of a sequence/, 'yaml-indentation', 'this list item is not indented like those above it', 'indent the items of one list alike'],
  [/^deficient indentation/, 'yaml-indentation', 'this line is indented less than what it belongs to', 'indent it further'],
  [/^tab characters/, 'yaml-tab', 'a tab indents this line, and YAML takes only blanks', 'put blanks in place of the tab'],
  [/^expected ':' after|multiline key/, 'yaml-syntax', 'this is no `key: value`', 'write a colon and a blank behind the key'],
  [/whitespace character is expected after the key/, 'yaml-syntax', 'a blank is missing behind the colon', 'put a blank behind the colon'],
  [/^missed comma/, 'yaml-syntax', 'a comma is missing between two entries', 'put a comma before this'],
  [/stream within a flow/, 'yaml-syntax', 'a bracket is opened and never closed', 'close it'],
  [/(stream|document) within a (single|double) quoted/, 'yaml-syntax', 'a quote is opened and never closed', 'close it'],
  [/^nesting exceeded/, 'yaml-syntax', 'the document nests too deep to be a Kubernetes object', 'take it out of the input'],
];

function reword(message: string): { readonly code: FindingCode; readonly message: string; readonly help: string } | undefined {
  const found = REWORDED.find(([pattern]) => pattern.test(message));
  return found === undefined ? undefined : { code: found[1], message: found[2], help: found[3] };
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
