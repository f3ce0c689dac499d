// A command on a terminal of its own: what it prints is read and what a person would type is written, Ctrl-C included.
import { spawn } from 'node:child_process';
import { closeSync, openSync, read, writeSync } from 'node:fs';
import type { TestContext } from 'node:test';
import koffi from 'koffi';
import { cloneRoot } from '../needs.ts';
import { BULKHEAD, plainEnvironment } from './run-bulkhead.ts';

export interface TerminalRun {
  /** Resolves when the text has been printed since the last wait; rejects when the command ends before. */
  waitFor(text: string): Promise<void>;
  type(text: string): void;
  /** The exit status, and all that was printed on the terminal. */
  readonly ended: Promise<{ readonly status: number | null; readonly printed: string; readonly stdout: string }>;
}

export const CTRL_C = '\u0003';

export interface TerminalOptions {
  /** In place of the command line under test. */
  readonly program?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Standard output goes to a pipe, as in `bulkhead new … > policy.yaml`; the rest is the terminal. */
export function runOnTerminal(test: TestContext, words: readonly string[], { program = BULKHEAD, env }: TerminalOptions = {}): TerminalRun {
  const { master, slave } = openTerminal();
  const child = spawn(program, [...words], { cwd: cloneRoot, env: { ...plainEnvironment(), TERM: 'xterm', ...env }, stdio: [slave, 'pipe', slave] });
  closeSync(slave);
  test.after(() => child.kill('SIGKILL'));
  let printed = '';
  let seen = 0;
  let look: () => void = () => undefined;
  readEach(master, (piece) => {
    printed += piece;
    look();
  });
  let stdout = '';
  child.stdout!.setEncoding('utf8').on('data', (piece: string) => (stdout += piece));
  const ended = new Promise<{ status: number | null; printed: string; stdout: string }>((resolve) => child.once('close', (status) => resolve({ status, printed, stdout })));
  const waitFor = (text: string): Promise<void> => new Promise((resolve, reject) => {
    look = () => {
      const at = printed.indexOf(text, seen);
      if (at < 0) return;
      seen = at + text.length;
      look = () => undefined;
      resolve();
    };
    void ended.then(({ status }) => reject(new Error(`ended with ${status} before printing \`${text}\`:\n${printed}`)));
    look();
  });
  return { waitFor, type: (text) => void writeSync(master, text), ended };
}

/** The two ends of a new pseudo-terminal (pty(7)). */
function openTerminal(): { readonly master: number; readonly slave: number } {
  const libc = koffi.load('libc.so.6');
  const master = libc.func('int posix_openpt(int flags)')(O_RDWR_NOCTTY) as number;
  libc.func('int grantpt(int fd)')(master);
  libc.func('int unlockpt(int fd)')(master);
  const name = libc.func('const char *ptsname(int fd)')(master) as string | null;
  if (name === null) throw new Error('no pseudo-terminal can be opened');
  return { master, slave: openSync(name, O_RDWR_NOCTTY) };
}

/** O_RDWR and O_NOCTTY of Linux: the test's own process takes no terminal. */
const O_RDWR_NOCTTY = 0o2 | 0o400;

/** Ends when the last holder of the other side is gone, which reading reports as EIO. */
function readEach(fd: number, each: (piece: string) => void): void {
  const buffer = Buffer.alloc(4096);
  const next = (): void => read(fd, buffer, 0, buffer.length, null, (error, size) => {
    if (error !== null || size === 0) return closeSync(fd);
    each(buffer.toString('utf8', 0, size));
    next();
  });
  next();
}
