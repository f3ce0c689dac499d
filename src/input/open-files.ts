// Files that are opened for reading, and the lines of those that findings point into.
import type { Finding } from '../base/finding.ts';
import type { ReadFile } from '../read/read.ts';
import type { LineLookup } from '../report/findings/finding-text.ts';
import { fileChunks, keptChunks, shownText } from './file-chunks.ts';
import type { InputFile } from './list-inputs.ts';

export interface OpenedFiles {
  readonly readFiles: readonly ReadFile[];
  readonly lineOf: LineLookup;
  /** What was found out while opening them. */
  readonly findings?: readonly Finding[];
}

export function joinFiles(a: OpenedFiles, b: OpenedFiles): OpenedFiles {
  return { readFiles: [...a.readFiles, ...b.readFiles], lineOf: (file, line) => a.lineOf(file, line) ?? b.lineOf(file, line), findings: [...(a.findings ?? []), ...(b.findings ?? [])] };
}

/** Lines of a file are read again only when one is shown. */
export function openFiles(files: readonly InputFile[]): OpenedFiles {
  const texts = new Map<string, () => string | undefined>();
  const readFiles = files.map((file): ReadFile => {
    if (file.kind === 'file') return { name: file.name, chunks: () => fileChunks(file) };
    const kept = keptChunks(file);
    texts.set(file.name, kept.text);
    return { name: file.name, chunks: kept.chunks };
  });
  const lines = new Map<string, readonly string[]>();
  const lineOf: LineLookup = (file, line) => {
    let known = lines.get(file);
    if (known === undefined) {
      const text = texts.has(file) ? texts.get(file)!() : shownText(file);
      lines.set(file, (known = text?.split(/\r?\n/) ?? []));
    }
    return known[line - 1];
  };
  return { readFiles, lineOf };
}
