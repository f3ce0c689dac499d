// Commands shown in the documentation: finds the fenced `console` blocks of a page, runs them, and writes what they print.
import { spawnSync } from 'node:child_process';

export interface ConsoleBlock {
  /** Line of the page, from 1, on which the block opens. */
  readonly line: number;
  /** Words behind `console` in the fence: `kernel` needs a kernel that enforces; `status=1` is the exit status expected of the last command. */
  readonly words: readonly string[];
  readonly commands: readonly ShownCommand[];
}

export interface ShownCommand {
  readonly command: string;
  /** What follows it in the block, up to the next command. */
  readonly output: string;
}

/** A line of a page that stands for any number of printed lines. */
export const ELLIPSIS = '…';

/** The longest that a command of the documentation may take. */
const COMMAND_TIMEOUT_MS = 120_000;

const FENCE = /^```console(.*)\n([\s\S]*?)^```$/gm;

export function findConsoleBlocks(page: string): ConsoleBlock[] {
  return [...page.matchAll(FENCE)].map((match) => ({
    line: page.slice(0, match.index).split('\n').length,
    words: match[1]!.trim().split(/\s+/).filter((word) => word !== ''),
    commands: parseCommands(match[2]!),
  }));
}

/** The page with every block's output replaced by what its commands print now. Blocks with an ellipsis stay as they are. */
export function rewriteConsoleBlocks(page: string, run: (command: string) => string): string {
  return page.replace(FENCE, (block, words: string, body: string) => {
    const commands = parseCommands(body);
    if (words.includes('kernel') || commands.some(({ output }) => output.split('\n').includes(ELLIPSIS))) return block;
    return `\`\`\`console${words}\n${commands.map(({ command }) => `$ ${command}\n${run(command)}`).join('')}\`\`\``;
  });
}

/** Both streams in the order of their writing; no terminal, no color, a fixed width. */
export function runCommand(command: string, directory: string): { readonly output: string; readonly status: number | null } {
  const env = { ...process.env, COLUMNS: '100', NO_COLOR: '1' };
  const result = spawnSync('sh', ['-c', `{ ${command}\n} 2>&1`], { cwd: directory, env, encoding: 'utf8', timeout: COMMAND_TIMEOUT_MS });
  return { output: result.stdout, status: result.status };
}

/** Whether the page's text is the printed one, an ellipsis line standing for any lines, also none. */
export function matchesOutput(shown: string, printed: string): boolean {
  const lines = printed.split('\n');
  const [first = [], ...rest] = splitAtEllipsis(shown.split('\n'));
  if (rest.length === 0) return shown === printed;
  if (!startsWithLines(lines, first, 0)) return false;
  const last = rest.pop()!;
  let at = first.length;
  for (const part of rest) {
    while (at <= lines.length - part.length && !startsWithLines(lines, part, at)) at++;
    if (at > lines.length - part.length) return false;
    at += part.length;
  }
  return lines.length - last.length >= at && startsWithLines(lines, last, lines.length - last.length);
}

function splitAtEllipsis(lines: readonly string[]): string[][] {
  const parts: string[][] = [[]];
  for (const line of lines) {
    if (line === ELLIPSIS) parts.push([]);
    else parts.at(-1)!.push(line);
  }
  return parts;
}

function startsWithLines(lines: readonly string[], part: readonly string[], at: number): boolean {
  return part.every((line, index) => lines[at + index] === line);
}

function parseCommands(body: string): ShownCommand[] {
  const commands: { command: string; output: string }[] = [];
  for (const line of body.split('\n').slice(0, -1)) {
    if (line.startsWith('$ ')) commands.push({ command: line.slice(2), output: '' });
    else if (commands.length > 0) commands.at(-1)!.output += `${line}\n`;
  }
  return commands;
}
