// Runs the benchmarks beside it and writes their sections of `bench/results.md`: what each one printed, with machine, date and commit.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(FOLDER);
/** What is run by the others, or makes their input. */
const NO_BENCHES: ReadonlySet<string> = new Set(['agent-shapes.ts', 'run.ts', 'generate-cluster.ts', 'generate-list.ts', 'generate-batches.ts', 'history-questions.ts', 'placed-cluster.ts', 'scale-shapes.ts']);
const TIMEOUT_MS = 40 * 60_000;

const RESULTS = join(FOLDER, 'results.md');

const wanted = process.argv.slice(2);
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.ts') && !NO_BENCHES.has(name)).sort();
const unknown = wanted.filter((name) => !names.includes(`${name}.ts`));
if (unknown.length > 0) throw new Error(`no benchmark ${unknown.join(', ')}; there are ${names.map((name) => name.replace(/\.ts$/, '')).join(', ')}`);
const sections = readSections();
for (const name of names) {
  if (wanted.length > 0 && !wanted.includes(name.replace(/\.ts$/, ''))) continue;
  sections.set(name, runBench(name));
  // After each, so that a later one that hangs takes nothing with it.
  writeFileSync(RESULTS, formatResults());
}

/** By the name of the benchmark, in the order of the names when written again. */
function readSections(): Map<string, string> {
  const [, ...found] = existsSync(RESULTS) ? readFileSync(RESULTS, 'utf8').split(/^(?=## bench\/)/m) : [];
  return new Map(found.map((section) => [/^## bench\/(.*)$/m.exec(section)![1]!, section.trimEnd()]));
}

function runBench(name: string): string {
  const file = join(FOLDER, name);
  process.stderr.write(`${name}\n`);
  const child = spawnSync(join(ROOT, 'bin/node'), [file], { encoding: 'utf8', timeout: TIMEOUT_MS, stdio: ['ignore', 'pipe', 'inherit'] });
  process.stdout.write(child.stdout);
  if (child.status !== 0) process.exitCode = 1;
  const purpose = readFileSync(file, 'utf8').split('\n')[0]!.replace(/^\/\/ /, '');
  const end = child.status === 0 ? '' : '\n\nIt ended with an error.';
  return `## bench/${name}\n\n${purpose}\n\n${describeRun()}\n\n\`\`\`text\n${child.stdout.trimEnd()}\n\`\`\`${end}`;
}

/** Without those whose benchmark is gone. */
function formatResults(): string {
  const kept = names.flatMap((name) => sections.get(name) ?? []);
  return `# Results\n\nWritten by \`npm run bench\`; \`npm run bench -- NAME…\` writes the sections of those benchmarks alone.\n\n${kept.join('\n\n')}\n`;
}

function describeRun(): string {
  const git = (...words: readonly string[]): string => spawnSync('git', words, { cwd: ROOT, encoding: 'utf8' }).stdout.trim();
  const changed = git('status', '--porcelain', '--untracked-files=no', 'src', 'bench', ':!bench/results.md') === '' ? '' : ', with changes that are not committed';
  const [cpu] = cpus();
  return [
    `- Machine: ${cpu?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}`,
    `- Load at the end: ${loadavg().map((load) => load.toFixed(1)).join(', ')} (1, 5, 15 minutes)`,
    `- Date: ${new Date().toISOString().slice(0, 10)}`,
    `- Commit: ${git('rev-parse', '--short=12', 'HEAD')}${changed}`,
  ].join('\n');
}
