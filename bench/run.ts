// Runs every benchmark beside it and writes `bench/results.md`: what each one printed, with machine, date and commit.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(FOLDER);
/** What is run by the others, or makes their input. */
const NO_BENCHES: ReadonlySet<string> = new Set(['run.ts', 'generate-cluster.ts', 'generate-list.ts', 'scale-shapes.ts']);
const TIMEOUT_MS = 10 * 60_000;

interface BenchRun {
  readonly name: string;
  /** The first line of the file. */
  readonly purpose: string;
  readonly output: string;
  readonly hasFailed: boolean;
}

const wanted = process.argv.slice(2);
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.ts') && !NO_BENCHES.has(name)).sort();
const runs = names.filter((name) => wanted.length === 0 || wanted.includes(name.replace(/\.ts$/, ''))).map(runBench);
writeFileSync(join(FOLDER, 'results.md'), formatResults(runs));
if (runs.some(({ hasFailed }) => hasFailed)) process.exitCode = 1;

function runBench(name: string): BenchRun {
  const file = join(FOLDER, name);
  process.stderr.write(`${name}\n`);
  const child = spawnSync(join(ROOT, 'bin/node'), [file], { encoding: 'utf8', timeout: TIMEOUT_MS, stdio: ['ignore', 'pipe', 'inherit'] });
  const purpose = readFileSync(file, 'utf8').split('\n')[0]!.replace(/^\/\/ /, '');
  process.stdout.write(child.stdout);
  return { name, purpose, output: child.stdout, hasFailed: child.status !== 0 };
}

function formatResults(all: readonly BenchRun[]): string {
  const sections = all.map(
    ({ name, purpose, output, hasFailed }) =>
      `## bench/${name}\n\n${purpose}\n\n\`\`\`text\n${output.trimEnd()}\n\`\`\`\n${hasFailed ? '\nIt ended with an error.\n' : ''}`,
  );
  return `# Results\n\nWritten by \`npm run bench\`; \`npm run bench -- NAME…\` writes those benchmarks alone.\n\n${describeRun()}\n\n${sections.join('\n')}`;
}

function describeRun(): string {
  const git = (...words: readonly string[]): string => spawnSync('git', words, { cwd: ROOT, encoding: 'utf8' }).stdout.trim();
  const changed = git('status', '--porcelain', '--untracked-files=no', 'src', 'bench') === '' ? '' : ', with changes that are not committed';
  const [cpu] = cpus();
  return [
    `- Machine: ${cpu?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}`,
    `- Load at the end: ${loadavg().map((load) => load.toFixed(1)).join(', ')} (1, 5, 15 minutes)`,
    `- Date: ${new Date().toISOString().slice(0, 10)}`,
    `- Commit: ${git('rev-parse', '--short=12', 'HEAD')}${changed}`,
  ].join('\n');
}
