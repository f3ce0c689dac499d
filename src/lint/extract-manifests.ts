// Finds the manifests in prose: the fenced blocks of a Markdown or plain text that hold Kubernetes objects.

/** A fenced block, as lines of its text from 0, end exclusive, the fences themselves left out. */
export interface FencedBlock {
  readonly start: number;
  readonly end: number;
}

/** Blocks of these languages hold commands or code, and a manifest only where they begin with one. */
const COMMAND_LANGUAGES: ReadonlySet<string> = new Set(['bash', 'sh', 'shell', 'zsh', 'console', 'powershell', 'go', 'python', 'json5', 'hcl']);

/** The fenced blocks with an `apiVersion` and a `kind`; none in a text that is no prose. */
export function findManifestBlocks(text: string): FencedBlock[] {
  const lines = text.split('\n');
  const blocks: FencedBlock[] = [];
  for (let at = 0; at < lines.length; at++) {
    const fence = openingFence(lines[at]!);
    if (fence === undefined) continue;
    const start = at + 1;
    let end = start;
    while (end < lines.length && !closesFence(lines[end]!, fence)) end++;
    if (isManifest(lines.slice(start, end), COMMAND_LANGUAGES.has(fence.language))) blocks.push({ start, end });
    at = end;
  }
  return blocks;
}

/**
 * The manifests of a prose text, each on the lines where it stands in the file, so that positions agree;
 * lines of prose are empty, and `---` stands in place of each opening fence. undefined: no manifest in it.
 */
export function extractManifests(text: string): string | undefined {
  const blocks = findManifestBlocks(text);
  if (blocks.length === 0) return undefined;
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

const API_VERSION = /^[\s\u00a0\u200b\ufeff]*["\u201c]?apiVersion["\u201d]?\s*:/;
const KIND = /^[\s\u00a0\u200b\ufeff]*["\u201c]?kind["\u201d]?\s*:/;

function isManifest(lines: readonly string[], mustBeginWithIt: boolean): boolean {
  const first = lines.find((line) => !/^\s*(#|---|$)/.test(line)) ?? '';
  if (mustBeginWithIt && !API_VERSION.test(first) && !KIND.test(first)) return false;
  return lines.some((line) => API_VERSION.test(line)) && lines.some((line) => KIND.test(line));
}
