// What a test needs of the host: gives the options that leave it out with a reason where the host lacks it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * `kernel`: Linux where this process may make network namespaces and nft works in them. `userns`: a plain user may
 * make user namespaces. `root`: uid 0 here, also when only mapped. `nft`: the nft program. `shared`: the shared
 * folder of real manifests. `go`: the Go toolchain. `apiserver`: a real API server,
 * which `npm run test:cluster` builds. `nodes`: a whole cluster, which it builds where it is root. `iptables`: both kinds of it. `chromium`: a browser. `script`: a terminal for the command under test. `zsh`, `fish`: these shells.
 */
export type Need = 'apiserver' | 'kernel' | 'iptables' | 'userns' | 'root' | 'nft' | 'shared' | 'go' | 'chromium' | 'script' | 'nodes' | 'zsh' | 'fish';

/** Debian's package; set BULKHEAD_CHROMIUM where another one is to be used. */
export const CHROMIUM: string = process.env['BULKHEAD_CHROMIUM'] ?? '/usr/bin/chromium';

export interface TestNeeds {
  readonly skip?: string;
}

/** Options for `test()`: empty when everything is there, or when BULKHEAD_REQUIRE=1 wants a missing part to fail. */
export function needs(...wanted: readonly Need[]): TestNeeds {
  if (process.env['BULKHEAD_FAST'] === '1' && wanted.some((need) => UNFIT_FOR_FAST.has(need))) {
    return { skip: 'left out by --fast' };
  }
  if (process.env['BULKHEAD_REQUIRE'] === '1') return {};
  for (const need of wanted) {
    const reason = whyMissing(need);
    if (reason !== undefined) return { skip: reason };
  }
  return {};
}

/** A path below the shared folder, there or not. */
export function sharedPath(...parts: readonly string[]): string {
  return join(process.env['BULKHEAD_SHARED'] ?? resolve(cloneRoot, '..', 'shared'), ...parts);
}

/** The folder of the clone. */
export const cloneRoot: string = dirname(dirname(fileURLToPath(import.meta.url)));

const UNFIT_FOR_FAST: ReadonlySet<Need> = new Set(['apiserver', 'nodes', 'kernel', 'iptables', 'userns', 'root', 'go', 'chromium']);

const known = new Map<Need, string | undefined>();

/** undefined when the need is met. Asks the host once per process. */
export function whyMissing(need: Need): string | undefined {
  if (!known.has(need)) known.set(need, look[need]());
  return known.get(need);
}

const look: Readonly<Record<Need, () => string | undefined>> = {
  apiserver: () => (process.env['BULKHEAD_CLUSTER_RUN'] === undefined ? 'needs a real API server: `npm run test:cluster` builds one and runs this' : undefined),
  nodes: () => (process.env['BULKHEAD_CLUSTER_NODES'] === undefined ? 'needs a real cluster: `npm run test:cluster`, as root, builds one and runs this' : undefined),
  kernel: () => {
    if (process.platform !== 'linux') return `needs Linux, this is ${process.platform}`;
    const nft = whyMissing('nft');
    if (nft !== undefined) return nft;
    if (succeeds('unshare', ['-nm', 'nft', 'list', 'tables'])) return undefined;
    const userns = whyMissing('userns');
    return userns === undefined
      ? 'needs the right to make network namespaces; `npm test` gets it by a user namespace of its own'
      : `needs root or a user namespace: ${userns}`;
  },
  userns: () => {
    if (process.platform !== 'linux') return `needs Linux, this is ${process.platform}`;
    return succeeds('unshare', ['-Urnm', 'true'])
      ? undefined
      : 'user namespaces are refused here (`unshare -Urnm true` fails; on Ubuntu 24.04 see kernel.apparmor_restrict_unprivileged_userns)';
  },
  root: () => (process.getuid?.() === 0 ? undefined : 'needs root'),
  nft: () => (succeeds('nft', ['--version']) ? undefined : 'needs `nft`, from the package nftables'),
  shared: () => (existsSync(sharedPath('data')) ? undefined : `needs the shared folder, looked for at ${sharedPath()}`),
  iptables: () =>
    ['iptables-nft', 'iptables-legacy', 'ip6tables-legacy'].every((program) => succeeds('unshare', ['-nm', program, '-S']))
      ? undefined
      : 'needs `iptables-nft` and `iptables-legacy`, from the package iptables, and a kernel with both',
  chromium: () => (existsSync(CHROMIUM) ? undefined : `needs Chromium at ${CHROMIUM}, from the package chromium`),
  script: () => (succeeds('script', ['--version']) ? undefined : 'needs `script`, from util-linux (on Debian the package bsdutils)'),
  zsh: () => (succeeds('zsh', ['--version']) ? undefined : 'needs `zsh`'),
  fish: () => (succeeds('fish', ['--version']) ? undefined : 'needs `fish`'),
  go: () => (succeeds('go', ['version']) ? undefined : 'needs `go`'),
};

// Administrators' programs are not on a plain user's path on Debian.
function succeeds(program: string, words: readonly string[]): boolean {
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
  return spawnSync(program, words, { stdio: 'ignore', env }).status === 0;
}
