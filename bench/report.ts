// What `report` costs of a cluster of 10,000 pods and 1,000 policies: whole processes from YAML to the page, with a scope; CPU of all threads, the least of the repeats.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from '../src/cli/cli.ts';
import { generateYaml, type ClusterMode } from './generate-cluster.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const REPEATS = 3;
const SIZE = { pods: 10_000, policies: 1000, namespaces: 50 };
const MODES: readonly ClusterMode[] = ['deployments', 'bare'];
const GOAL_SECONDS = 10;
const SCOPE = 'db: tier=db from tier=api hops 3';

interface Used {
  readonly seconds: number;
  readonly megabytes: number;
}

if (process.argv[2] === 'report') await reportApart(process.argv[3]!, process.argv[4]!);
else reportAll();

function reportAll(): void {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-bench-'));
  try {
    for (const mode of MODES) {
      const file = join(folder, `${mode}.yaml`);
      writeFileSync(file, generateYaml({ mode, ...SIZE }));
      const runs = Array.from({ length: REPEATS }, () => run(file));
      const least = (pick: (used: Used) => number): number => Math.min(...runs.map(pick));
      console.log(`${SIZE.pods} pods, ${mode}, ${SIZE.policies} policies: ${least(({ seconds }) => seconds).toFixed(2)} s CPU, ${least(({ megabytes }) => megabytes).toFixed(0)} MB resident, least of ${REPEATS} (goal ${GOAL_SECONDS} s); a page of ${Math.round(statSync(`${file}.html`).size / 1024)} kB`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(file: string): Used {
  const usage = `${file}.json`;
  const child = spawnSync(join(ROOT, 'bin/node'), [fileURLToPath(import.meta.url), 'report', file, usage], { encoding: 'utf8', maxBuffer: 1 << 29 });
  if (child.status !== 0) throw new Error(child.stderr);
  writeFileSync(`${file}.html`, child.stdout);
  return JSON.parse(readFileSync(usage, 'utf8')) as Used; // written by reportApart below
}

/** In a process of its own, as the command line runs it. */
async function reportApart(file: string, usage: string): Promise<void> {
  const status = await runCommandLine(['report', file, '--scope', SCOPE]);
  const { user, system } = process.cpuUsage();
  writeFileSync(usage, JSON.stringify({ seconds: (user + system) / 1e6, megabytes: process.resourceUsage().maxRSS / 1024 } satisfies Used));
  process.exitCode = status;
}
