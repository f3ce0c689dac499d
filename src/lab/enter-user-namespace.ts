// The way of a plain user to namespaces: this program starts itself once more inside a user namespace of its own.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isInOtherUserNamespace } from './internal/user-namespace.ts';
import { LabError } from './lab-error.ts';
import type { LabState } from './lab-state.ts';

/** `direct`: this process may make namespaces. `user-namespace`: it may from inside one. `none`: not at all on this host. */
export type NamespaceRight =
  | { readonly kind: 'direct' }
  | { readonly kind: 'user-namespace' }
  | { readonly kind: 'none'; readonly reason: string; readonly help: string };

/** Asks the host by trying it. */
export function detectNamespaceRight(): NamespaceRight {
  if (process.platform !== 'linux') return { kind: 'none', reason: `network namespaces are Linux's, and this is ${process.platform}`, help: 'run it on a Linux host' };
  if (tries('unshare', ['-nm', 'true'])) return { kind: 'direct' };
  if (isMarkedInside()) return { kind: 'none', ...whyRefused() };
  return tries('unshare', ['-Urnm', 'true']) ? { kind: 'user-namespace' } : { kind: 'none', ...whyRefused() };
}

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

function tries(program: string, words: readonly string[]): boolean {
  return spawnSync(program, [...words], { stdio: 'ignore' }).status === 0;
}

/** The known switches by which hosts refuse user namespaces. */
function whyRefused(): { readonly reason: string; readonly help: string } {
  const settings: readonly (readonly [file: string, refusing: string, name: string, help: string])[] = [
    ['/proc/sys/kernel/apparmor_restrict_unprivileged_userns', '1', 'kernel.apparmor_restrict_unprivileged_userns=1', 'run it as root, or `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`'],
    ['/proc/sys/kernel/unprivileged_userns_clone', '0', 'kernel.unprivileged_userns_clone=0', 'run it as root, or `sudo sysctl kernel.unprivileged_userns_clone=1`'],
    ['/proc/sys/user/max_user_namespaces', '0', 'user.max_user_namespaces=0', 'run it as root, or `sudo sysctl user.max_user_namespaces=10000`'],
  ];
  for (const [file, refusing, name, help] of settings) {
    if (readSetting(file) === refusing) return { reason: `this host refuses user namespaces to plain users: ${name}`, help };
  }
  if (spawnSync('unshare', ['--version'], { stdio: 'ignore' }).error !== undefined) return { reason: '`unshare` is not installed', help: 'install the package util-linux' };
  return { reason: 'this host refuses namespaces to this process (`unshare -Urnm true` fails)', help: 'run it as root; in a container, give it CAP_SYS_ADMIN or a seccomp profile that allows unshare(2)' };
}

function readSetting(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
