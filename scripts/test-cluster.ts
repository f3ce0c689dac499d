// What `npm run test:cluster` does: installs and builds what a real cluster is made of, runs tests/cluster against it, and sweeps behind them.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { policyCrdFiles } from '../tests/cluster/policy-crds.ts';
import { clusterRoot } from '../tests/cluster/run-script.ts';
import { cloneRoot } from '../tests/needs.ts';

/** Processes of this run are known by it: a name that `lib.sh` takes, with room for what each test file adds. */
const RUN_NAME = `bh${process.pid}`;

const scripts = join(cloneRoot, 'tests/cluster');

process.exitCode = await main();

async function main(): Promise<number> {
  const { positionals } = parseArgs({ allowPositionals: true });
  const missing = prepare();
  if (missing !== undefined) {
    process.stdout.write(`${missing}\n0 passed, 1 failed\n`);
    return 1;
  }
  policyCrdFiles(); // fetched while there is a way to the network
  sweepDead();
  try {
    return await runTests(positionals.length > 0 ? positionals : globSync('tests/cluster/**/*.test.ts', { cwd: cloneRoot }).sort());
  } finally {
    sweep((name) => name.startsWith(`${RUN_NAME}-`));
  }
}

/** Root gets clusters with nodes, anybody else an API server. What is wrong, if anything is. */
function prepare(): string | undefined {
  const isRoot = process.getuid?.() === 0;
  if (isRoot && !succeeds('install.sh')) return 'the packages of tests/cluster/install.sh could not be installed: it works on Debian; elsewhere install what it lists';
  if (!succeeds('build.sh', ...(isRoot ? [] : ['api']))) return `the ${isRoot ? 'cluster' : 'API server'} could not be built; \`go\`, openssl and python3 are needed`;
  if (isRoot) process.env['BULKHEAD_CLUSTER_NODES'] = '1';
  return undefined;
}

function succeeds(script: string, ...words: readonly string[]): boolean {
  return spawnSync(join(scripts, script), words, { stdio: 'inherit' }).status === 0;
}

/** One file at a time: a cluster with nodes takes both cores of a small machine. Ctrl-C reaches the tests by the terminal; a signal to this process alone is handed on. */
function runTests(files: readonly string[]): Promise<number> {
  const tests = spawn(process.execPath, [join(cloneRoot, 'scripts/test.ts'), '--one-at-a-time', ...files], { stdio: 'inherit', env: { ...process.env, BULKHEAD_CLUSTER_RUN: RUN_NAME } });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => tests.kill(signal));
  return new Promise((resolve) => tests.once('close', (status) => resolve(status ?? 1)));
}

/** Test files stop their servers themselves; one that was killed leaves its own behind. */
function sweep(isOurs: (name: string) => boolean): void {
  const states = join(clusterRoot(), 'state');
  for (const name of existsSync(states) ? readdirSync(states) : []) {
    if (isOurs(name)) spawnSync(join(scripts, 'down.sh'), ['--purge'], { stdio: 'ignore', env: { ...process.env, LAB_NAME: name } });
  }
}

/** A run that was itself killed left its clusters running. */
function sweepDead(): void {
  sweep((name) => {
    const run = /^bh([0-9]+)-/.exec(name)?.[1];
    return run !== undefined && !existsSync(`/proc/${run}`);
  });
}
