// Whether this host lets us enforce policy in its kernel, asked by trying; with the reason where it does not.
import { spawnSync } from 'node:child_process';
import { detectNamespaceRight } from '../lab/enter-user-namespace.ts';

export type Enforcement =
  | { readonly kind: 'direct' | 'user-namespace' }
  | { readonly kind: 'none'; readonly reason: string; readonly help: string };

export function findEnforcement(): Enforcement {
  const right = detectNamespaceRight();
  if (right.kind === 'none') return right;
  // Administrators' programs are not on a plain user's path on Debian.
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
  const nft = spawnSync('nft', ['--version'], { stdio: 'ignore', env });
  if (nft.error !== undefined) return { kind: 'none', reason: 'the program `nft` is not installed', help: 'install the package nftables' };
  return right;
}
