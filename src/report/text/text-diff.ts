// What a repair changed, as a unified diff that `patch` takes.
import { structuredPatch } from 'diff';
import type { Style } from './style.ts';

const CONTEXT_LINES = 3;

export interface TextChange {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

/** Empty when nothing changed; what was empty is a new file. Colors aside the text is exact, so that it can be applied with `patch -p0`. */
export function unifiedDiff({ file, before, after }: TextChange, style: Style): string {
  const patch = structuredPatch(file, file, before, after, undefined, undefined, { context: CONTEXT_LINES });
  if (patch.hunks.length === 0) return '';
  const lines = [style.bold(`--- ${before === '' ? '/dev/null' : file}`), style.bold(`+++ ${file}`)];
  for (const hunk of patch.hunks) {
    lines.push(style.cyan(`@@ -${hunk.oldLines === 0 ? hunk.oldStart - 1 : hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`));
    for (const line of hunk.lines) lines.push(paintLine(line, style));
  }
  return `${lines.join('\n')}\n`;
}

// Blanks at the end of a line are what many repairs take away, and colored they can be seen.
function paintLine(line: string, style: Style): string {
  const content = line.slice(1);
  const end = content.trimEnd().length;
  if (line.startsWith('-')) return style.red(line.slice(0, end + 1)) + style.inverse(style.red(content.slice(end)));
  if (line.startsWith('+')) return style.green(line);
  return line;
}
