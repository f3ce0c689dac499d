// The nft program: loads text in a namespace, atomically. Used for the skeleton and its removal, never for elements.
import { spawnSync } from 'node:child_process';
import { FirewallError } from '../firewall-error.ts';
import { inNamespace, type NamespaceFd } from '../network-namespace.ts';

/** More than the skeleton needs on the slowest machine; a hanging nft must not hang us. */
const NFT_TIMEOUT_MS = 30_000;
const OUTPUT_BYTES_MAX = 64 << 20;

/** Administrators' programs are not on a plain user's path on Debian. */
const ADMIN_PATH = '/usr/sbin:/sbin:/usr/local/sbin';

/** This process' environment with those programs on its path, and messages in English. */
export function adminEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? ''}:${ADMIN_PATH}`, LC_ALL: 'C' };
}

/** A child starts in the namespace of the thread that forks it, so nothing but `nft` itself is needed. */
export function runNft(args: readonly string[], options: { readonly namespace: NamespaceFd | undefined; readonly input?: string; readonly doing: string }): string {
  const { namespace, input = '', doing } = options;
  const spawn = (): ReturnType<typeof spawnSync> =>
    spawnSync('nft', args, { input, env: adminEnvironment(), encoding: 'utf8', timeout: NFT_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX });
  const result = namespace === undefined ? spawn() : inNamespace(namespace, spawn);
  if (result.error !== undefined) {
    const isMissing = (result.error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new FirewallError({ code: isMissing ? 'nft-missing' : 'nft-refused', doing, said: isMissing ? 'there is no `nft` on this host' : result.error.message, cause: result.error });
  }
  if (result.status !== 0) throw nftError(String(result.stderr), input, doing);
  return String(result.stdout);
}

/** Loads text as one transaction. */
export function loadNft(text: string, options: { readonly namespace: NamespaceFd | undefined; readonly doing: string }): void {
  runNft(['-f', '-'], { ...options, input: text });
}

// nft says `/dev/stdin:12:3-9: Error: …` with the line below it.
function nftError(stderr: string, input: string, doing: string): FirewallError {
  const found = /^[^\n]*?:(\d+):\d+-\d+: Error: ([^\n]*)/m.exec(stderr);
  const said = found?.[2] ?? stderr.trim().split('\n')[0] ?? '';
  const code = /Operation not permitted/.test(stderr) ? 'not-permitted' : 'nft-refused';
  const line = found === null ? undefined : input.split('\n')[Number(found[1]) - 1]?.trim();
  return new FirewallError({ code, doing, said, ...(line === undefined ? {} : { offender: line }) });
}
