// Whether policy can be enforced on this host, found out by doing it once in a namespace that is thrown away.
import { spawnSync } from 'node:child_process';
import { endianness } from 'node:os';
import { FirewallError } from './firewall-error.ts';
import { GENERATION_MASK } from './generation-number.ts';
import { explainMissing, findMissingFeatures, KERNEL_FEATURES } from './kernel-features.ts';
import { adminEnvironment } from './internal/run-nft.ts';
import { hookText, skeletonText } from './internal/skeleton.ts';
import { loadLibc } from './libc.ts';
import { detectNamespaceRight } from './namespace-right.ts';
import { closeNamespace, createNamespace } from './network-namespace.ts';
import { openFirewall } from './nft-firewall.ts';

/** `how` says what this process has to do first: nothing, or run inside a user namespace. Sentences without a final stop. */
export type KernelSupport =
  | { readonly canEnforce: true; readonly how: 'direct' | 'user-namespace'; readonly nftVersion: string }
  | { readonly canEnforce: false; readonly reason: string; readonly remedy: string };

/** The least version of nft that the skeleton was tried with. What really decides is whether it loads. */
export const NFT_VERSION_TRIED = '1.0.6';

const TABLE = 'bulkhead_probe';

/** Takes some 100 ms; changes nothing on the host. */
export function detectKernel(): KernelSupport {
  if (process.platform !== 'linux') return cannot(`the kernel rules are Linux's nftables, and this is ${process.platform}`, 'run it on a Linux host');
  if (endianness() !== 'LE') return cannot('this processor is big-endian, which the netlink encoder was not written for', 'use x86-64 or arm64');
  const libcProblem = whyNoLibc();
  if (libcProblem !== undefined) return cannot(`the C library cannot be called: ${libcProblem}`, 'run `npm ci` on this host; musl-based systems are not supported');
  const nftVersion = findNftVersion();
  if (nftVersion === undefined) return cannot('there is no `nft` on this host', 'install the package nftables');
  const right = detectNamespaceRight();
  switch (right.kind) {
    case 'none':
      return cannot(right.reason, right.remedy);
    case 'direct':
      return explainLoad(tryDirectly(), right.kind, nftVersion);
    case 'user-namespace':
      return explainLoad(tryInUserNamespace(), right.kind, nftVersion);
  }
}

function cannot(reason: string, remedy: string): KernelSupport {
  return { canEnforce: false, reason, remedy };
}

function whyNoLibc(): string | undefined {
  try {
    loadLibc();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split('\n')[0] : String(error);
  }
}

/** undefined: there is no `nft`. */
export function findNftVersion(): string | undefined {
  const { stdout, status } = spawnSync('nft', ['--version'], { encoding: 'utf8', env: adminEnvironment() });
  return status === 0 ? (/v(\d+(?:\.\d+)+)/.exec(stdout)?.[1] ?? 'of an unknown version') : undefined;
}

/** What went wrong; undefined when all is well. */
function tryDirectly(): string | undefined {
  const namespace = createNamespace();
  try {
    const firewall = openFirewall({ namespace, table: TABLE });
    try {
      firewall.load([]);
      firewall.read();
    } finally {
      firewall.close();
    }
    return undefined;
  } catch (error) {
    if (error instanceof FirewallError) return error.message;
    throw error;
  } finally {
    closeNamespace(namespace);
  }
}

function tryInUserNamespace(): string | undefined {
  const problem = whyRefused(skeletonText({ table: TABLE, deny: 'drop', generation: 1, mask: GENERATION_MASK }) + hookText({ table: TABLE, mask: GENERATION_MASK }));
  if (problem === undefined) return undefined;
  return explainMissing(findMissingFeatures((text) => whyRefused(text) === undefined, TABLE))?.reason ?? problem;
}

/** Each text in a namespace of its own. */
function whyRefused(input: string): string | undefined {
  const { status, stderr } = spawnSync('unshare', ['-Urn', 'nft', '-f', '-'], { input, encoding: 'utf8', env: adminEnvironment() });
  return status === 0 ? undefined : (stderr.trim().split('\n')[0] ?? 'nft failed');
}

function explainLoad(problem: string | undefined, how: 'direct' | 'user-namespace', nftVersion: string): KernelSupport {
  if (problem === undefined) return { canEnforce: true, how, nftVersion };
  const lack = /this kernel lacks [^;]*/.exec(problem)?.[0];
  if (lack !== undefined || /not supported|No such file|EOPNOTSUPP|EPROTONOSUPPORT|ENOENT/i.test(problem)) {
    return cannot(lack ?? `this kernel lacks a part of nf_tables or conntrack (${problem})`, 'load the modules: `sudo modprobe -a nf_tables nft_ct nft_reject_inet nf_conntrack nf_conntrack_netlink`, or use a newer kernel');
  }
  return cannot(`nft ${nftVersion} or this kernel refuses our rules (${problem})`, `use nftables ${NFT_VERSION_TRIED} or newer, and Linux ${KERNEL_FEATURES.at(-1)!.since} or newer`);
}
