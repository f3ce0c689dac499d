// Finds the manifests in prose: the fenced blocks of a Markdown or plain text that hold Kubernetes objects.

/** The lines of a manifest in a text, from 0, end exclusive. */
export interface ManifestBlock {
  readonly start: number;
  readonly end: number;
  /** The same with what frames them: fences, and of a command the lines around its heredoc. */
  readonly outer: { readonly start: number; readonly end: number };
}

/** Blocks of these languages hold commands or code, and a manifest only where they begin with one. */
const COMMAND_LANGUAGES: ReadonlySet<string> = new Set(['bash', 'sh', 'shell', 'zsh', 'console', 'powershell', 'go', 'python', 'json5', 'hcl']);

/** The fenced blocks with an `apiVersion` and a `kind`, of commands what stands between `<<EOF` and `EOF`; none in a text that is no prose. */
export function findManifestBlocks(text: string): ManifestBlock[] {
  const lines = text.split('\n');
  const blocks: ManifestBlock[] = [];
  for (let at = 0; at < lines.length; at++) {
    const fence = openingFence(lines[at]!);
    if (fence === undefined) continue;
    let end = at + 1;
    while (end < lines.length && !closesFence(lines[end]!, fence)) end++;
    const outer = { start: at, end: end + 1 };
    const inner = { start: at + 1, end };
    const parts = findHeredocs(lines, inner);
    for (const { start, end } of parts.length > 0 ? parts : [inner]) {
      const isOfCommand = parts.length === 0 && COMMAND_LANGUAGES.has(fence.language);
      if (isManifest(lines.slice(start, end), isOfCommand)) blocks.push({ start, end, outer });
    }
    at = end;
  }
  return blocks;
}

function findHeredocs(lines: readonly string[], { start, end }: { readonly start: number; readonly end: number }): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (let at = start; at < end; at++) {
    const word = heredocWord(lines[at]!);
    if (word === undefined) continue;
    const last = lines.findIndex((line, index) => index > at && endsHeredoc(line, word));
    if (last < 0 || last >= end) break;
    found.push({ start: at + 1, end: last });
    at = last;
  }
  return found;
}

/** The word that ends the heredoc which a line of the shell begins, undefined where it begins none. */
export function heredocWord(line: string): string | undefined {
  return /^[^:]*\b(?:cat|kubectl|oc|tee)\b.*<<-?\s*(['"]?)([A-Za-z_]\w*)\1/.exec(line)?.[2];
}

/** Perhaps behind the prompt of the shell, or a number of the listing. */
export function endsHeredoc(line: string, word: string): boolean {
  return line.replace(/^\s*(?:\d+\s+)?>?\s*/, '').trimEnd() === word;
}

/**
 * The manifests of a prose text, each on the lines where it stands in the file, so that positions agree;
 * lines of prose are empty, and `---` stands in place of each opening fence.
 */
export function extractManifests(text: string, blocks: readonly ManifestBlock[]): string {
  const lines = text.split('\n');
  const kept = lines.map(() => '');
  for (const block of blocks) {
    kept[block.start - 1] = '---';
    // In an indented block the marks between documents are indented too, where YAML would not take them for marks.
    for (let at = block.start; at < block.end; at++) kept[at] = lines[at]!.trim() === '---' ? '---' : lines[at]!;
  }
  return kept.join('\n');
}

interface Fence {
  readonly sign: string;
  readonly length: number;
  readonly language: string;
}

// A fence may stand in a list item, and be indented with it.
function openingFence(line: string): Fence | undefined {
  const match = /^\s*(?:(?:[*+-]|\d{1,9}[.)])\s+)?(`{3,}|~{3,})\s*([A-Za-z0-9_+-]*)/.exec(line);
  if (match === null) return undefined;
  const signs = match[1]!;
  if (signs.startsWith('`') && line.slice(line.indexOf(signs) + signs.length).includes('`')) return undefined;
  return { sign: signs[0]!, length: signs.length, language: match[2]!.toLowerCase() };
}

function closesFence(line: string, fence: Fence): boolean {
  const trimmed = line.trim();
  return trimmed.length >= fence.length && trimmed === fence.sign.repeat(trimmed.length);
}

const API_VERSION = /^[\s\u00a0\u200b\ufeff>]*["\u201c]?apiVersion["\u201d]?\s*:/;
const KIND = /^[\s\u00a0\u200b\ufeff>]*["\u201c]?kind["\u201d]?\s*:/;

function isManifest(lines: readonly string[], mustBeginWithIt: boolean): boolean {
  const first = lines.find((line) => !/^\s*(#|---|$)/.test(line)) ?? '';
  if (mustBeginWithIt && !API_VERSION.test(first) && !KIND.test(first)) return false;
  return lines.some((line) => API_VERSION.test(line)) && lines.some((line) => KIND.test(line));
}
