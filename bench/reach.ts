// What `reach` costs: whole processes from YAML to JSON, and a large cluster from memory; CPU of all threads, the least of the repeats.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type Koffi from 'koffi';
import { countPairs } from '../src/analyze/count-pairs.ts';
import { compileCluster } from '../src/compile/compile.ts';
import type { DirectionProgram } from '../src/compile/program.ts';
import { readManifests } from '../src/read/read.ts';
import { generateYaml, type ClusterMode } from './generate-cluster.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const REPEATS = 5;

/** The goals of section 10 of the engine's design; the peers' figures are those of peers/static-analysis §6. */
const PROCESSES: readonly { readonly mode: ClusterMode; readonly pods: number; readonly goalSeconds: number; readonly goalMegabytes?: number; readonly peer: string }[] = [
  { mode: 'deployments', pods: 1000, goalSeconds: 0.35, peer: 'netpol-analyzer 7.1 s' },
  { mode: 'bare', pods: 1000, goalSeconds: 0.6, peer: 'network-config-analyzer 74 s' },
  { mode: 'pods', pods: 1000, goalSeconds: 0.6, peer: 'netpol-analyzer 7.1 s' },
  { mode: 'bare', pods: 5000, goalSeconds: 2.5, goalMegabytes: 350, peer: 'every peer unfinished after minutes' },
];
const LARGE = { mode: 'bare' as const, pods: 10_000, namespaces: 50, goalSeconds: 0.4, goalMegabytes: 350 };

const RUSAGE_CHILDREN = -1;
/** Of Linux with 64 bits: two times and fourteen numbers of eight bytes each. */
const RUSAGE_BYTES = 144;
const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
const getrusage = koffi.load('libc.so.6').func('int getrusage(int who, _Out_ uint8_t *usage)') as (who: number, usage: Uint8Array) => number;

if (process.argv[2] === 'large') measureLarge(process.argv[3]!);
else reportAll();

function reportAll(): void {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-bench-'));
  try {
    for (const { mode, pods, ...goals } of PROCESSES) {
      const file = join(folder, `${mode}-${pods}.yaml`);
      writeFileSync(file, generateYaml({ mode, pods }));
      reportProcess(`reach -o json, ${pods} pods, ${mode}, ${pods / 5} policies`, { file, ...goals });
    }
    const file = join(folder, 'large.yaml');
    writeFileSync(file, generateYaml(LARGE));
    reportLarge(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function reportProcess(name: string, { file, goalSeconds, goalMegabytes, peer }: { file: string; goalSeconds: number; goalMegabytes?: number; peer: string }): void {
  const answer = `${file}.json`;
  const runs = Array.from({ length: REPEATS }, () => {
    const out = openSync(answer, 'w');
    const before = childrenCpuSeconds();
    const child = spawnSync(join(ROOT, 'bin/bulkhead'), ['reach', '-o', 'json', '-f', file], { stdio: ['ignore', out, 'inherit'] });
    closeSync(out);
    if (child.status !== 0) throw new Error(`reach ended with ${child.status}`);
    return childrenCpuSeconds() - before;
  });
  const seconds = Math.min(...runs);
  console.log(`${name}: ${seconds.toFixed(3)} s CPU, least of ${REPEATS} (goal ${goalSeconds} s; ${peer})`);
  // The most of all children so far; the largest cluster stands last.
  if (goalMegabytes !== undefined) console.log(`  most resident ${(childrenMostKilobytes() / 1024).toFixed(0)} MB (goal ${goalMegabytes} MB)`);
}

/** CPU of every child so far that has ended, the launcher's shell included: Node tells it of itself only (getrusage(2), RUSAGE_CHILDREN). */
function childrenCpuSeconds(): number {
  const at = childrenUsage();
  const time = (offset: number): number => Number(at.getBigInt64(offset, true)) + Number(at.getBigInt64(offset + 8, true)) / 1e6;
  return time(0) + time(16);
}

/** `ru_maxrss` stands behind the two times. */
function childrenMostKilobytes(): number {
  return Number(childrenUsage().getBigInt64(32, true));
}

function childrenUsage(): DataView {
  const usage = new Uint8Array(RUSAGE_BYTES);
  if (getrusage(RUSAGE_CHILDREN, usage) !== 0) throw new Error('getrusage failed');
  return new DataView(usage.buffer);
}

function reportLarge(file: string): void {
  const runs = Array.from({ length: REPEATS }, () => {
    const child = spawnSync(join(ROOT, 'bin/node'), [fileURLToPath(import.meta.url), 'large', file], { encoding: 'utf8' });
    if (child.status !== 0) throw new Error(child.stderr);
    return JSON.parse(child.stdout) as LargeRun; // written by measureLarge below
  });
  const least = (pick: (run: LargeRun) => number): number => Math.min(...runs.map(pick));
  const parts = `compile ${least((run) => run.compile).toFixed(3)}, rows ${least((run) => run.rows).toFixed(3)}, count ${least((run) => run.count).toFixed(3)}`;
  const total = least((run) => run.compile + run.rows + run.count);
  const megabytes = least((run) => run.megabytes);
  console.log(`${LARGE.pods} pods, ${LARGE.mode}, ${LARGE.pods / 5} policies from memory: ${total.toFixed(3)} s CPU (${parts}), least of ${REPEATS} (goal ${LARGE.goalSeconds} s)`);
  console.log(`  ${runs[0]!.allowed} of ${runs[0]!.pairs} pairs allowed; most resident ${megabytes.toFixed(0)} MB, reading the YAML included (goal ${LARGE.goalMegabytes} MB)`);
}

interface LargeRun {
  readonly compile: number;
  readonly rows: number;
  readonly count: number;
  readonly pairs: number;
  readonly allowed: number;
  readonly megabytes: number;
}

/** In a process of its own: reads first, and measures from the loaded cluster on. */
function measureLarge(file: string): void {
  const { cluster } = readManifests([{ name: file, chunks: () => [readFileSync(file)] }], {});
  const start = process.cpuUsage();
  const program = compileCluster(cluster);
  const compiled = process.cpuUsage(start);
  for (const direction of [program.ingress, program.egress]) touchRows(direction);
  const rowed = process.cpuUsage(start);
  const { pairs, allowed } = countPairs(program);
  const counted = process.cpuUsage(start);
  const seconds = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6;
  const run: LargeRun = {
    compile: seconds(compiled),
    rows: seconds(rowed) - seconds(compiled),
    count: seconds(counted) - seconds(rowed),
    pairs,
    allowed,
    megabytes: process.resourceUsage().maxRSS / 1024,
  };
  console.log(JSON.stringify(run));
}

function touchRows(direction: DirectionProgram): void {
  for (const subject of new Set(direction.subjectOfGroup)) direction.rowOf(subject);
}
