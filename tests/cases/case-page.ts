// A page of `cases/`: a sentence of purpose, manifests, and the expected answer, as one Markdown text.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cloneRoot } from '../needs.ts';

export interface CasePage {
  /** From the root of the clone: `cases/reach/01-default-open.md`. */
  readonly file: string;
  readonly text: string;
  readonly title: string;
  /** Documents of the blocks ```` ```yaml cluster ```` and ```` ```yaml policies ````, in that order. */
  readonly manifests: string;
  /** Inside of the block ```` ```reach ````. */
  readonly expected: string;
}

/** All pages of a verb, in order. */
export function readCases(verb: string): readonly CasePage[] {
  const folder = join('cases', verb);
  const names = readdirSync(join(cloneRoot, folder)).filter((name) => name.endsWith('.md')).sort();
  return names.map((name) => parseCase(join(folder, name), readFileSync(join(cloneRoot, folder, name), 'utf8')));
}

/** Throws with the page and what it lacks: a page that cannot be read must not pass as one without expectations. */
export function parseCase(file: string, text: string): CasePage {
  const title = /^# (.+)\n\n\S/.exec(text)?.[1];
  if (title === undefined) throw new Error(`${file}: starts with no title and sentence of purpose`);
  const blocks = [...text.matchAll(/^```(.+)\n([^]*?)^```$/gm)].map((match) => ({ kind: match[1]!, body: match[2]! }));
  const manifests = blocks.filter(({ kind }) => kind === 'yaml cluster' || kind === 'yaml policies').map(({ body }) => body);
  const expected = blocks.filter(({ kind }) => kind === 'reach');
  if (manifests.length === 0) throw new Error(`${file}: no block \`yaml cluster\``);
  if (expected.length !== 1) throw new Error(`${file}: ${expected.length} blocks \`reach\`, wanted one`);
  if (blocks.length !== manifests.length + 1) throw new Error(`${file}: a block of a kind that cases do not have`);
  return { file, text, title, manifests: manifests.join('---\n'), expected: expected[0]!.body };
}

/** The page with another expected answer. */
export function withExpected(page: CasePage, expected: string): string {
  return page.text.replace(/^```reach\n[^]*?^```$/m, () => `\`\`\`reach\n${expected}\`\`\``);
}
