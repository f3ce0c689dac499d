// What compile, all rows and the count of allowed pairs cost on large clusters in memory: CPU, and the most that was resident, inputs included.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countPairs } from '../src/analyze/count-pairs.ts';
import { comparePrograms } from '../src/compare/compare.ts';
import { explain } from '../src/analyze/explain.ts';
import { findImpact } from '../src/analyze/impact.ts';
import { compileCluster } from '../src/compile/compile.ts';
import type { DirectionProgram, Program } from '../src/compile/program.ts';
import { readManifests } from '../src/read/read.ts';
import { Chance } from './generate-cluster.ts';
import { listChunks, repeatedMix, SHAPES, SMALL, type Shape } from './scale-shapes.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const REPEATS = Number(process.env['BENCH_REPEATS'] ?? 2);

interface Run {
  readonly compile: number;
  readonly rows: number;
  readonly count: number;
  readonly pairs: number;
  readonly allowed: number;
  readonly groups: number;
  readonly subjects: readonly number[];
  readonly classes: readonly number[];
  readonly megabytes: number;
}

/** Shapes of which the other questions are asked too. */
const ASKED_SHAPES = [1, 2];
/** How many times each pod is there. */
const GROWTH = [1, 10] as const;
const PAIRS = 2000;

interface AskedRun {
  readonly explainP50: number;
  readonly explainP99: number;
  readonly impact: number;
  readonly diff: number;
  readonly changes: number;
}

const [word, ...wanted] = process.argv.slice(2);
if (word === 'one') measure(SHAPES[Number(wanted[0])]!);
else if (word === 'ask') ask(SHAPES[Number(wanted[0])]!);
else if (word === 'grown') grow(Number(wanted[0]));
else reportAll([word, ...wanted].filter((name) => name !== undefined));

function reportAll(names: readonly string[]): void {
  for (const [index, shape] of SHAPES.entries()) {
    if (names.length === 0 || names.includes(String(index))) report(index, shape);
  }
  for (const index of ASKED_SHAPES) if (names.length === 0 || names.includes(`ask${index}`)) reportAsked(index, SHAPES[index]!);
  if (names.length === 0 || names.includes('grow')) reportGrowth();
}

/** In a process of its own, with the nursery that `bin/bulkhead` gives itself. */
function runChild(...words: readonly string[]): string {
  const child = spawnSync(join(ROOT, 'bin/node'), ['--max-semi-space-size=32', fileURLToPath(import.meta.url), ...words], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return child.stdout;
}

function reportAsked(index: number, { name }: Shape): void {
  const run = JSON.parse(runChild('ask', String(index))) as AskedRun; // written by `ask` below
  console.log(`${name}: explain p50 ${run.explainP50.toFixed(3)} ms, p99 ${run.explainP99.toFixed(3)} ms of ${PAIRS} pairs (goal 0.2 ms); impact ${run.impact.toFixed(2)} s (goal 0.5 s); diff of one policy in 100 removed ${run.diff.toFixed(2)} s, ${run.changes} pairs in blocks (goal 2 s)`);
}

function report(index: number, { name, goalSeconds, goalMegabytes }: Shape): void {
  const runs = Array.from({ length: REPEATS }, () => JSON.parse(runChild('one', String(index))) as Run); // written by `measure` below
  const best = runs.reduce((a, b) => (total(a) <= total(b) ? a : b));
  const { compile, rows, count, groups, subjects, classes, allowed, megabytes } = best;
  console.log(`${name}: ${total(best).toFixed(2)} s CPU (compile ${compile.toFixed(2)}, rows ${rows.toFixed(2)}, count ${count.toFixed(2)}; goal ${goalSeconds} s), ${megabytes.toFixed(0)} MB${goalMegabytes === undefined ? '' : ` (goal ${goalMegabytes} MB)`}`);
  console.log(`  ${groups} groups, subjects ${subjects.join(' in, ')} out, classes ${classes.join(' in, ')} out, ${allowed} pairs allowed`);
}

function total({ compile, rows, count }: Run): number {
  return compile + rows + count;
}

function measure({ make }: Shape): void {
  const cluster = make();
  const seconds = stopwatch();
  const program = compileCluster(cluster);
  const compile = seconds();
  for (const direction of [program.ingress, program.egress]) touchRows(direction);
  const rows = seconds() - compile;
  const { pairs, allowed } = countPairs(program);
  const count = seconds() - compile - rows;
  const run: Run = {
    compile,
    rows,
    count,
    pairs,
    allowed,
    groups: program.groups.length,
    subjects: [program.ingress.subjectCount, program.egress.subjectCount],
    classes: [program.ingress.classCount, program.egress.classCount],
    megabytes: process.resourceUsage().maxRSS / 1024,
  };
  console.log(JSON.stringify(run));
}

/** CPU of all threads of the process since the start. */
function stopwatch(): () => number {
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  };
}

function touchRows(direction: DirectionProgram): void {
  for (const subject of new Set(direction.subjectOfGroup)) direction.rowOf(subject);
}

function ask({ make }: Shape): void {
  const cluster = make();
  const program = compileCluster(cluster);
  const times = explainTimes(program);
  const seconds = stopwatch();
  findImpact(program, 0);
  const impact = seconds();
  const after = compileCluster({ ...cluster, policies: cluster.policies.filter((_, index) => index % 100 !== 0) });
  for (const direction of [program.ingress, program.egress, after.ingress, after.egress]) touchRows(direction);
  const compared = stopwatch();
  let changes = 0;
  for (const { sources, targets } of comparePrograms({ before: program, after }).blocks()) changes += sources.length * targets.length;
  const run: AskedRun = { explainP50: times[PAIRS / 2]!, explainP99: times[Math.floor(PAIRS * 0.99)]!, impact, diff: compared(), changes };
  console.log(JSON.stringify(run));
}

/** In milliseconds, ascending. */
function explainTimes(program: Program): number[] {
  const chance = new Chance(3);
  const end = (): { readonly kind: 'pod'; readonly pod: number } => ({ kind: 'pod', pod: chance.below(program.cluster.pods.length) });
  const times = Array.from({ length: PAIRS * 2 }, () => {
    const [source, target] = [end(), end()];
    const start = process.hrtime.bigint();
    explain(program, { source, target });
    return Number(process.hrtime.bigint() - start) / 1e6;
  });
  return times.slice(PAIRS).sort((a, b) => a - b);
}

interface GrownRun {
  readonly pods: number;
  readonly groups: number;
  readonly read: number;
  readonly answer: number;
}

/** Each in processes of their own, so that all are as cold. */
function reportGrowth(): void {
  const [before, after] = GROWTH.map((times) => {
    const runs = Array.from({ length: REPEATS + 1 }, () => JSON.parse(runChild('grown', String(times))) as GrownRun); // written by `grow` below
    const least = (pick: (run: GrownRun) => number): number => Math.min(...runs.map(pick));
    return { ...runs[0]!, read: least(({ read }) => read), answer: least(({ answer }) => answer) };
  });
  for (const { pods, groups, read, answer } of [before!, after!]) {
    console.log(`${pods} pods in ${groups} groups: read ${read.toFixed(2)} s CPU; compile, rows and count ${answer.toFixed(2)} s`);
  }
  console.log(`  ten times the pods in the same groups: ${(after!.answer - before!.answer).toFixed(2)} s more to answer (goal: at most the ${(after!.read - before!.read).toFixed(2)} s more to read)`);
}

function grow(times: number): void {
  const chunks = [...listChunks(repeatedMix(SMALL, times))];
  const seconds = stopwatch();
  const { cluster } = readManifests([{ name: 'generated', chunks: () => chunks }]);
  const read = seconds();
  const program = compileCluster(cluster);
  for (const direction of [program.ingress, program.egress]) touchRows(direction);
  countPairs(program);
  const run: GrownRun = { pods: cluster.pods.length, groups: program.groups.length, read, answer: seconds() - read };
  console.log(JSON.stringify(run));
}
