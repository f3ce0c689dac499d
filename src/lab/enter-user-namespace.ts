// The way of a plain user to namespaces: this program starts itself once more inside a user namespace of its own.
import { spawnSync } from 'node:child_process';
import { isInOtherUserNamespace } from './internal/user-namespace.ts';
import { LabError } from './lab-error.ts';
import type { LabState } from './lab-state.ts';

/**
 * Replaces this process by itself inside a user, network and mount namespace: same process number, same terminal,
 * so that signals and the exit status need nobody to pass them on. Comes back only by throwing, or at once when it is inside already.
 */
export function enterUserNamespace(): void {
  if (isMarkedInside()) return;
  replaceProcess('unshare', ['-Urnm', '--', ...ownCommand()]);
}

/**
 * The same for a process that wants into the namespaces of a running lab of this user. It gets a network namespace
 * besides: from inside, the way back to the host's own would be closed.
 */
export function enterLabUserNamespace(state: LabState): void {
  if (isMarkedInside() || !isInOtherUserNamespace(state.pid)) return;
  replaceProcess('nsenter', ['-t', `${state.pid}`, '-U', '--preserve-credentials', '--', 'unshare', '-n', '--', ...ownCommand()]);
}

const MARK = 'BULKHEAD_IN_USER_NAMESPACE';

function isMarkedInside(): boolean {
  return process.env[MARK] === '1';
}

function ownCommand(): string[] {
  return [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
}

function replaceProcess(program: string, words: readonly string[]): never {
  const path = findProgram(program);
  const environment = Object.fromEntries(Object.entries({ ...process.env, [MARK]: '1' }).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
  process.execve!(path, [program, ...words], environment);
  throw new LabError('no-namespaces', `cannot start \`${path}\``);
}

/** execve(2) searches no path. */
function findProgram(name: string): string {
  const { stdout, status } = spawnSync('/bin/sh', ['-c', 'command -v "$1"', 'sh', name], { encoding: 'utf8', env: { PATH: `${process.env['PATH'] ?? ''}:/usr/bin:/bin:/usr/sbin:/sbin` } });
  const path = stdout?.trim();
  if (status === 0 && path !== undefined && path.startsWith('/')) return path;
  throw new LabError('no-namespaces', `\`${name}\` is not installed`, { help: 'install the package util-linux' });
}
