// A shell in the namespace of a pod of a running lab, with names resolved as the pod resolves them.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isInOtherUserNamespace } from './internal/user-namespace.ts';
import { LabError } from './lab-error.ts';
import { nameSwitchFile, namespaceOf, resolverFile, type LabState } from './lab-state.ts';
import { findPod } from './lab-end.ts';

/**
 * Runs the command, or the user's own shell, on this terminal; gives its exit status (128 and the signal's number where
 * it was killed). The host's files are seen as they are, except for how names are resolved.
 */
export async function openShell(state: LabState, podName: string, command: readonly string[] = []): Promise<number> {
  const pod = findPod(state, podName);
  const words = [
    ...(isInOtherUserNamespace(state.pid) ? ['-t', `${state.pid}`, '-U', '--preserve-credentials'] : []),
    `--net=/proc/${state.pid}/fd/${pod.fd}`,
    '--', 'unshare', '-m', '-u', '--',
    '/bin/sh', '-c', PREPARE, 'sh',
    pod.name.slice(pod.name.indexOf('/') + 1), resolverFile(state, namespaceOf(pod.name)), nameSwitchFile(state),
    ...(command.length > 0 ? command : [process.env['SHELL'] ?? '/bin/sh']),
  ];
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, BULKHEAD_POD: pod.name };
  return waitForExit('nsenter', words, env);
}

// A fixed text; all that comes from elsewhere is an argument. The mounts and the host name are those of this namespace alone.
const PREPARE = `
hostname "$1" 2>/dev/null
mount --bind "$2" /etc/resolv.conf || echo 'bulkhead: names are not resolved here: /etc/resolv.conf cannot be replaced' >&2
if [ -e /etc/nsswitch.conf ]; then mount --bind "$3" /etc/nsswitch.conf 2>/dev/null; fi
shift 3
exec "$@"
`;

// The terminal sends Ctrl-C to both; it is meant for the shell. Other ends are passed on.
async function waitForExit(program: string, words: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(program, [...words], { stdio: 'inherit', env });
  const ignore = (): void => undefined;
  const passOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, ignore);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, passOn);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', (cause) => reject(new LabError('shell-failed', `cannot start \`${program}\``, { help: 'install the package util-linux', cause })));
      child.once('exit', (status, signal) => resolve(status ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  } finally {
    for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.off(signal, ignore);
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.off(signal, passOn);
  }
}
