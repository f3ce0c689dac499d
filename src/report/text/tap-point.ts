// One point of the Test Anything Protocol, version 14, with its diagnostics as YAML.
import { printable } from './printable.ts';

export interface TapPoint {
  readonly holds: boolean;
  readonly name: string;
  /** Lines of YAML; none: no diagnostics. */
  readonly diagnostics: readonly string[];
}

export function tapDocument(points: readonly TapPoint[]): string {
  return `TAP version 14\n1..${points.length}\n${points.map(tapPoint).join('')}`;
}

function tapPoint({ holds, name, diagnostics }: TapPoint, index: number): string {
  const lines = diagnostics.length === 0 ? [] : ['---', ...diagnostics, '...'];
  return `${holds ? 'ok' : 'not ok'} ${index + 1} - ${tapText(name)}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

// `#` would start a directive, and `\` escapes it.
function tapText(text: string): string {
  return printable(text).replace(/[\\#]/g, (sign) => `\\${sign}`);
}
