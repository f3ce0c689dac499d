// What `npm run test:kernels` does: runs the kernel suite in emulated machines with the kernels and nft of other Debian releases. Takes an hour: a part of the nightly run.
import { globSync } from 'node:fs';
import { cloneRoot } from '../tests/needs.ts';
import { unpackPackages } from '../tests/machine/debian-packages.ts';
import { runMachine, whyNoMachine } from '../tests/machine/virtual-machine.ts';

interface Release {
  readonly name: string;
  /** Whether its own nft is one that we work with; else this host's is taken. */
  readonly hasNft: boolean;
}

/** The oldest kernel first. */
const RELEASES: Readonly<Record<string, Release>> = {
  '5.10': { name: 'bullseye', hasNft: false },
  '6.1': { name: 'bookworm', hasNft: false },
  '6.12': { name: 'trixie', hasNft: true },
};
const NFT_PACKAGES = ['nftables', 'libnftables1', 'libnftnl11', 'libc6', 'libmnl0', 'libxtables12', 'libjansson4', 'libgmp10', 'libedit2', 'libtinfo6', 'libbsd0', 'libmd0'];
/** Emulated, a file takes minutes. */
const TIMEOUT_MS = 90 * 60_000;

process.exitCode = await main(process.argv.slice(2));

/** Words: versions of kernels, then files of tests; all where none is named. */
async function main(words: readonly string[]): Promise<number> {
  const why = whyNoMachine();
  if (why !== undefined) {
    process.stdout.write(`${why}\n0 passed, 1 failed\n`);
    return 1;
  }
  const versions = words.filter((word) => word in RELEASES);
  const files = words.filter((word) => !(word in RELEASES));
  const counts = { passed: 0, failed: 0 };
  for (const version of versions.length > 0 ? versions : Object.keys(RELEASES)) {
    const [passed, failed] = await runSuite(RELEASES[version]!, files.length > 0 ? files : suite());
    counts.passed += passed;
    counts.failed += failed;
  }
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
}

function suite(): readonly string[] {
  return globSync('tests/{kernel,machine}/*.test.ts', { cwd: cloneRoot }).sort();
}

/** Passed and failed; a machine that ends without its count has failed. */
async function runSuite({ name, hasNft }: Release, files: readonly string[]): Promise<readonly [number, number]> {
  const kernel = unpackPackages(name, ['linux-image-cloud-amd64']);
  const nft = hasNft ? unpackPackages(name, NFT_PACKAGES) : undefined;
  const command = `$NODE scripts/test.ts --require --one-at-a-time --timeout ${TIMEOUT_MS} ${files.join(' ')}`;
  const started = performance.now();
  const said = await runMachine({ kernel, nft, command, timeoutMs: TIMEOUT_MS }, (text) => process.stdout.write(text));
  process.stdout.write(`Debian ${name}: ${((performance.now() - started) / 60_000).toFixed(1)} minutes\n`);
  const count = /^(\d+) passed, (\d+) failed$/m.exec(said);
  return count === null ? [0, 1] : [Number(count[1]), Number(count[2])];
}
