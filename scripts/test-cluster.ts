// What `npm run test:cluster` does: builds a real API server where none is cached, runs tests/cluster against it, and sweeps behind them.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { clusterRoot } from '../tests/cluster/api-server.ts';
import { policyCrdFiles } from '../tests/cluster/policy-crds.ts';
import { cloneRoot } from '../tests/needs.ts';

/** Processes of this run are known by it: a name that `lib.sh` takes, with room for what each test file adds. */
const RUN_NAME = `bh${process.pid}`;

const scripts = join(cloneRoot, 'tests/cluster');

process.exitCode = await main();

async function main(): Promise<number> {
  const { positionals } = parseArgs({ allowPositionals: true });
  const built = spawnSync(join(scripts, 'build.sh'), ['api'], { stdio: 'inherit' });
  if (built.status !== 0) {
    process.stdout.write('the API server could not be built; `go`, openssl and python3 are needed\n0 passed, 1 failed\n');
    return 1;
  }
  policyCrdFiles(); // fetched while there is a way to the network
  const files = positionals.length > 0 ? positionals : globSync('tests/cluster/*.test.ts', { cwd: cloneRoot }).sort();
  try {
    return await runTests(files);
  } finally {
    sweep();
  }
}

/** Ctrl-C reaches the tests by the terminal; a signal to this process alone is handed on. */
function runTests(files: readonly string[]): Promise<number> {
  const tests = spawn(process.execPath, [join(cloneRoot, 'scripts/test.ts'), ...files], { stdio: 'inherit', env: { ...process.env, BULKHEAD_CLUSTER_RUN: RUN_NAME } });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => tests.kill(signal));
  return new Promise((resolve) => tests.once('close', (status) => resolve(status ?? 1)));
}

/** Test files stop their servers themselves; one that was killed leaves its own behind. */
function sweep(): void {
  const states = join(clusterRoot(), 'state');
  for (const name of existsSync(states) ? readdirSync(states) : []) {
    if (name.startsWith(`${RUN_NAME}-`)) spawnSync(join(scripts, 'down.sh'), ['--purge'], { stdio: 'ignore', env: { ...process.env, LAB_NAME: name } });
  }
}
