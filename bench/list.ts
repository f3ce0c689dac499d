// How long a `List` of 100,000 pods takes to be read as `kubectl get pods -o json` prints it: CPU and resident memory of the whole process.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileChunks } from '../src/input/file-chunks.ts';
import { readManifests } from '../src/read/read.ts';
import { writePodList } from './generate-list.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PODS = 100_000;
const REPEATS = 3;
const GOAL_SECONDS = 8;
const GOAL_MEGABYTES = 500;

interface Run {
  readonly pods: number;
  readonly seconds: number;
  readonly megabytes: number;
}

if (process.argv[2] === 'read') process.stdout.write(JSON.stringify(measureRead(process.argv[3]!)));
else reportAll();

function reportAll(): void {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-bench-'));
  try {
    const file = join(folder, 'pods.json');
    writePodList(file, PODS);
    const runs = Array.from({ length: REPEATS }, () => readApart(file));
    const least = (pick: (run: Run) => number): number => Math.min(...runs.map(pick));
    const gigabytes = statSync(file).size / 1e9;
    console.log(
      `List of ${runs[0]!.pods} pods, ${gigabytes.toFixed(2)} GB of indented JSON: ${least(({ seconds }) => seconds).toFixed(2)} s CPU, ${least(({ megabytes }) => megabytes).toFixed(0)} MB resident, ` +
        `least of ${REPEATS} (goal ${GOAL_SECONDS} s, ${GOAL_MEGABYTES} MB; read whole, a string cannot hold it)`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In a process of its own, started as the command line starts. */
function readApart(file: string): Run {
  const child = spawnSync(join(ROOT, 'bin/node'), ['--max-semi-space-size=32', fileURLToPath(import.meta.url), 'read', file], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout) as Run; // written by measureRead below
}

function measureRead(file: string): Run {
  const { cluster, findings } = readManifests([{ name: file, chunks: () => fileChunks({ kind: 'file', name: file }) }]);
  if (findings.length > 0) throw new Error(findings[0]!.message);
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return { pods: cluster.pods.length, seconds: (userCPUTime + systemCPUTime) / 1e6, megabytes: maxRSS / 1024 };
}
