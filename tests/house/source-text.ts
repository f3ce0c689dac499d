// A TypeScript source as the house rules see it: comments and the contents of literals blanked, and the imports found in the rest.

export interface SourceText {
  readonly file: string;
  /** The text itself. */
  readonly text: string;
  /** Same length and lines as the text; comments, strings, templates and regular expressions are blanks. */
  readonly code: string;
  readonly imports: readonly Import[];
}

export interface Import {
  /** As written: `../base/finding.ts`, `node:fs`, `yaml`. */
  readonly path: string;
  readonly line: number;
  /** Written as `export … from`. */
  readonly isHandedOn: boolean;
}

export function readSource(file: string, text: string): SourceText {
  const code = blankLiterals(text);
  return { file, text, code, imports: findImports(text, code) };
}

/** Number of the line of an offset, from 1. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

const TOKENS = [
  /\/\/[^\n]*/y,
  /\/\*[\s\S]*?\*\//y,
  /'(?:[^'\\\n]|\\[\s\S])*'/y,
  /"(?:[^"\\\n]|\\[\s\S])*"/y,
] as const;
const REGULAR_EXPRESSION = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
/** Behind these a slash starts a regular expression, not a division. */
const BEFORE_EXPRESSION = /(?:^|[([{},;=:!&|?+*%<>~-]|\breturn|\btypeof|\bcase)\s*$/;

function blankLiterals(text: string): string {
  let code = '';
  let at = 0;
  /** Depth of braces at which each open `${` ends. */
  const templates: number[] = [];
  let depth = 0;
  const keep = (): void => {
    code += text[at++];
  };
  while (at < text.length) {
    const sign = text[at]!;
    if (sign === '`' || (sign === '}' && templates.at(-1) === depth)) {
      if (sign === '}') templates.pop();
      const end = endOfTemplatePart(text, at + 1);
      code += blank(text.slice(at, end));
      at = end;
      if (text.startsWith('${', end - 2) && text[end - 1] === '{') templates.push(depth);
      continue;
    }
    const end = endOfLiteral(text, at, code);
    if (end > at) {
      code += blank(text.slice(at, end));
      at = end;
      continue;
    }
    if (sign === '{') depth++;
    if (sign === '}') depth--;
    keep();
  }
  return code;
}

function endOfLiteral(text: string, at: number, codeBefore: string): number {
  for (const token of TOKENS) {
    token.lastIndex = at;
    if (token.test(text)) return token.lastIndex;
  }
  if (text[at] !== '/' || !BEFORE_EXPRESSION.test(codeBefore.slice(-40))) return at;
  REGULAR_EXPRESSION.lastIndex = at;
  return REGULAR_EXPRESSION.test(text) ? REGULAR_EXPRESSION.lastIndex : at;
}

/** Behind the closing backtick, or behind the `${` that interrupts the template. */
function endOfTemplatePart(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '`') return at + 1;
    else if (text.startsWith('${', at)) return at + 2;
  }
  return text.length;
}

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, ' ');
}

const FROM = /\b(import|export)\b(?=[^;]*?)(?:\s+type)?[\s\w$*{},]*?\bfrom\s+(?=\s*)/g;
const BARE = /\bimport\s*\(?\s*/g;

function findImports(text: string, code: string): Import[] {
  const found = new Map<number, Import>();
  const add = (behind: number, isHandedOn: boolean): void => {
    const literal = /^\s*(['"`])([^'"`\n]+)\1/.exec(text.slice(behind));
    if (literal === null || code.slice(behind, behind + literal[0].length).trim() !== '') return;
    const at = behind + literal[0].length;
    found.set(at, { path: literal[2]!, line: lineOf(text, at - 1), isHandedOn });
  };
  for (const match of code.matchAll(FROM)) add(match.index + match[0].trimEnd().length, match[1] === 'export');
  for (const match of code.matchAll(BARE)) add(match.index + match[0].trimEnd().length, false);
  return [...found.entries()].sort(([a], [b]) => a - b).map(([, value]) => value);
}
