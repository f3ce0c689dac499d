// Commands shown in the documentation: finds the fenced `console` blocks of a page, runs them in a folder of their own, and compares what they print.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ConsoleBlock {
  /** Line of the page, from 1, on which the block opens. */
  readonly line: number;
  /**
   * Words behind `console` in the fence. `kernel`: needs a kernel that enforces. `lab`: `bin/bulkhead lab up shop` runs
   * beside it. `cluster`: needs a cluster with nodes, which tests/cluster/nodes has. `status=1`: the exit status of the
   * last command, 0 when missing.
   */
  readonly words: readonly string[];
  readonly commands: readonly ShownCommand[];
}

export interface ShownCommand {
  readonly command: string;
  /** What follows it in the block, up to the next command. */
  readonly output: string;
}

/** What the commands of one page see: a folder with `bin/bulkhead` and `examples`, and a lab of its own. */
export interface PageFolder {
  readonly path: string;
  run(command: string): { readonly output: string; readonly status: number | null };
  /** Runs the lab of the blocks marked `lab`, once; resolves when it is up. */
  startLab(): Promise<void>;
  remove(): Promise<void>;
}

/** A line of a page that stands for any number of printed lines. */
export const ELLIPSIS = '…';

/** The longest that a command of the documentation may take. */
const COMMAND_TIMEOUT_MS = 120_000;

const FENCE = /^```console(.*)\n([\s\S]*?)^```$/gm;

/** What the last command of the block ends with. */
export function statusOf({ words }: ConsoleBlock): number {
  return Number(words.find((word) => word.startsWith('status='))?.slice('status='.length) ?? 0);
}

export function findConsoleBlocks(page: string): ConsoleBlock[] {
  return [...page.matchAll(FENCE)].map((match) => ({
    line: page.slice(0, match.index).split('\n').length,
    words: match[1]!.trim().split(/\s+/).filter((word) => word !== ''),
    commands: parseCommands(match[2]!),
  }));
}

/** The page with the outputs replaced by those of `outputs`, in order; where lines are left out, the same ones stay left out. */
export function rewriteConsoleBlocks(page: string, outputs: readonly string[]): string {
  let at = 0;
  return page.replace(FENCE, (_, words: string, body: string) => {
    const commands = parseCommands(body).map(({ command, output }) => `$ ${command}\n${refreshOutput(output, outputs[at++]!)}`);
    return `\`\`\`console${words}\n${commands.join('')}\`\`\``;
  });
}

/** `more`: environment of the commands. */
export function makePageFolder(cloneRoot: string, more: NodeJS.ProcessEnv = {}): PageFolder {
  const path = mkdtempSync(join(tmpdir(), 'bulkhead-docs-'));
  mkdirSync(join(path, 'bin'));
  symlinkSync(join(cloneRoot, 'bin', 'bulkhead'), join(path, 'bin', 'bulkhead'));
  cpSync(join(cloneRoot, 'examples'), join(path, 'examples'), { recursive: true });
  const env: NodeJS.ProcessEnv = { ...process.env, COLUMNS: '100', NO_COLOR: '1', ...more };
  let lab: ChildProcess | undefined;
  return {
    path,
    run: (command) => {
      // Both streams in the order of their writing.
      const { stdout, status } = spawnSync('sh', ['-c', `{ ${command}\n} 2>&1`], { cwd: path, env, encoding: 'utf8', timeout: COMMAND_TIMEOUT_MS });
      return { output: stdout, status };
    },
    startLab: async () => {
      if (lab !== undefined) return;
      lab = spawn('bin/bulkhead', ['lab', 'up', 'shop'], { cwd: path, env, stdio: ['ignore', 'pipe', 'ignore'] });
      // Other labs of this user may run meanwhile.
      env['BULKHEAD_LAB_PID'] = `${lab.pid}`;
      await untilPrinted(lab, 'Ctrl-C');
    },
    remove: async () => {
      if (lab !== undefined) {
        const ended = new Promise((resolve) => lab?.once('close', resolve));
        lab.kill('SIGINT');
        await ended;
      }
      rmSync(path, { recursive: true, force: true });
    },
  };
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

/** Of each part between ellipses the first and the last line with signs in it say where it is found again; one that is not found stays. */
function refreshOutput(shown: string, printed: string): string {
  const parts = splitAtEllipsis(shown.split('\n'));
  if (parts.length === 1) return printed;
  const lines = printed.split('\n');
  let at = 0;
  const refreshed = parts.map((part) => {
    const first = part.find((line) => line !== '');
    const last = part.findLast((line) => line !== '');
    if (first === undefined || last === undefined) return part;
    const start = lines.indexOf(first, at);
    const end = start < 0 ? -1 : lines.indexOf(last, start);
    if (end < 0) return part;
    at = end + 1;
    return [...part.slice(0, part.indexOf(first)), ...lines.slice(start, end + 1), ...part.slice(part.lastIndexOf(last) + 1)];
  });
  return refreshed.map((part) => part.join('\n')).join(`\n${ELLIPSIS}\n`);
}

function untilPrinted(child: ChildProcess, wanted: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout!.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      if (text.includes(wanted)) resolve();
    });
    child.once('close', (status) => reject(new Error(`the lab ended with ${status}`)));
  });
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
