// A page of `cases/` that shows commands: a sentence of purpose, files, and what `bulkhead …` prints of them.
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runBulkhead } from '../cli/run-bulkhead.ts';
import { cloneRoot } from '../needs.ts';

/** Folders of `cases/` whose pages are of this kind. */
export const COMMAND_FOLDERS: readonly string[] = ['convert', 'diff', 'drift', 'engine', 'explain', 'exposure', 'impact', 'prove', 'recommend', 'report', 'services', 'test'];

export interface CommandPage {
  /** From the root of the clone: `cases/diff/01-gained-and-lost.md`. */
  readonly file: string;
  readonly text: string;
  readonly purpose: string;
  /** Content by name, of the blocks ```` ```yaml NAME ````. */
  readonly files: Readonly<Record<string, string>>;
  readonly commands: readonly ShownCommand[];
}

export interface ShownCommand {
  readonly words: readonly string[];
  /** All that follows it in the block, the line `exit N` included where the status is not 0. */
  readonly printed: string;
}

const BLOCK = /^```(\S+)(?: (\S+))?\n([^]*?)^```$/gm;

/** Throws with the page and what it lacks. */
export function readCommandPage(file: string): CommandPage {
  const text = readFileSync(join(cloneRoot, file), 'utf8');
  const purpose = /^# .+\n\n(\S.*)/.exec(text)?.[1];
  if (purpose === undefined) throw new Error(`${file}: starts with no title and sentence of purpose`);
  const files: Record<string, string> = {};
  const commands: ShownCommand[] = [];
  for (const [, language, name, body] of text.matchAll(BLOCK)) {
    if (language === 'console') commands.push(...parseCommands(file, body!));
    else if (name !== undefined) files[name] = body!;
    else throw new Error(`${file}: a block \`${language}\` without the name of its file`);
  }
  if (commands.length === 0) throw new Error(`${file}: no command`);
  return { file, text, purpose, files, commands };
}

export function commandPages(): readonly CommandPage[] {
  return COMMAND_FOLDERS.flatMap((folder) => globSync(`cases/${folder}/*.md`, { cwd: cloneRoot }).sort().map(readCommandPage));
}

/** What each command prints, both streams, in a folder that holds the page's files. */
export function answerCommands({ files, commands }: CommandPage): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-case-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    return commands.map(({ words }) => {
      const { status, stdout, stderr } = runBulkhead(words, { cwd: folder, env: { COLUMNS: '120' } });
      return `${stdout}${stderr}${status === 0 ? '' : `exit ${status}\n`}`;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The page with other answers, in the order of its commands. */
export function withAnswers({ text }: CommandPage, answers: readonly string[]): string {
  let at = 0;
  return text.replace(/^```console\n([^]*?)^```$/gm, (_, body: string) => {
    const lines = body.split('\n').filter((line) => line.startsWith('$ '));
    return `\`\`\`console\n${lines.map((line) => `${line}\n${answers[at++]!}`).join('')}\`\`\``;
  });
}

function parseCommands(file: string, body: string): ShownCommand[] {
  const parts = body.split(/^\$ bulkhead /m);
  if (parts[0] !== '') throw new Error(`${file}: a block \`console\` starts with \`$ bulkhead …\``);
  return parts.slice(1).map((part) => {
    const end = part.indexOf('\n');
    return { words: splitWords(part.slice(0, end)), printed: part.slice(end + 1) };
  });
}

/** As a shell does, with quotes of both kinds and without anything else that a shell knows. */
function splitWords(line: string): string[] {
  return Array.from(line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g), ([, double, single, plain]) => double ?? single ?? plain!);
}
