// Whether this process may make network namespaces, by itself or from inside a user namespace, and which setting forbids it.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** `direct`: this process may. `user-namespace`: it may once it runs inside one. */
export type NamespaceRight =
  | { readonly kind: 'direct' }
  | { readonly kind: 'user-namespace' }
  | { readonly kind: 'none'; readonly reason: string; readonly remedy: string };

/** Asks the host by trying it; two processes of some milliseconds. */
export function detectNamespaceRight(): NamespaceRight {
  if (process.platform !== 'linux') return { kind: 'none', reason: `network namespaces are Linux's, and this is ${process.platform}`, remedy: 'run it on a Linux host' };
  const direct = spawnSync('unshare', ['-n', 'true'], { stdio: 'ignore' });
  if (direct.error !== undefined) return { kind: 'none', reason: '`unshare` is not installed', remedy: 'install the package util-linux' };
  if (direct.status === 0) return { kind: 'direct' };
  if (spawnSync('unshare', ['-Urn', 'true'], { stdio: 'ignore' }).status === 0) return { kind: 'user-namespace' };
  return { kind: 'none', ...explainRefusal(readSetting) };
}

interface Refusal {
  readonly reason: string;
  readonly remedy: string;
}

/** The settings by which hosts refuse user namespaces to plain users. */
const SETTINGS: readonly { readonly name: string; readonly refusing: string; readonly allowing: string }[] = [
  // AppArmor, since Ubuntu 23.10.
  { name: 'kernel.apparmor_restrict_unprivileged_userns', refusing: '1', allowing: '0' },
  // Debian's own patch, before Debian 11 refusing by default.
  { name: 'kernel.unprivileged_userns_clone', refusing: '0', allowing: '1' },
  { name: 'user.max_user_namespaces', refusing: '0', allowing: '10000' },
];

/** `read` gives a setting's value by its sysctl name; undefined where the kernel has none of that name. */
export function explainRefusal(read: (name: string) => string | undefined): Refusal {
  const found = SETTINGS.find(({ name, refusing }) => read(name) === refusing);
  if (found === undefined) {
    return {
      reason: 'this process may make no namespaces (`unshare -Urn true` fails)',
      remedy: 'run it as root; in a container, give it CAP_SYS_ADMIN or a seccomp profile that allows unshare(2)',
    };
  }
  const { name, refusing, allowing } = found;
  return { reason: `this host refuses user namespaces to plain users (\`${name}\` is ${refusing})`, remedy: `run it as root, or \`sudo sysctl ${name}=${allowing}\`` };
}

function readSetting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}
