// What compile, all rows and the count of allowed pairs cost on large clusters in memory: CPU, and the most that was resident, inputs included.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countPairs } from '../src/analyze/count-pairs.ts';
import { compileCluster } from '../src/compile/compile.ts';
import type { DirectionProgram } from '../src/compile/program.ts';
import { SHAPES, type Shape } from './scale-shapes.ts';

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

const [word, ...wanted] = process.argv.slice(2);
if (word === 'one') measure(SHAPES[Number(wanted[0])]!);
else reportAll([word, ...wanted].filter((name) => name !== undefined));

function reportAll(names: readonly string[]): void {
  for (const [index, shape] of SHAPES.entries()) {
    if (names.length === 0 || names.includes(String(index))) report(index, shape);
  }
}

function report(index: number, { name, goalSeconds, goalMegabytes }: Shape): void {
  const runs = Array.from({ length: REPEATS }, () => {
    const child = spawnSync(join(ROOT, 'bin/node'), [fileURLToPath(import.meta.url), 'one', String(index)], { encoding: 'utf8' });
    if (child.status !== 0) throw new Error(child.stderr);
    return JSON.parse(child.stdout) as Run; // written by `measure` below
  });
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
