// What `npm test` runs: every test that this host can run, a line per file, what was left out and why, and the count.
import { spawnSync } from 'node:child_process';
import { closeSync, globSync, openSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { parseArgs } from 'node:util';
import { linkUp, LOOPBACK_INDEX, Rtnetlink } from '../src/kernel/rtnetlink.ts';
import { cloneRoot, whyMissing } from '../tests/needs.ts';

/** Test files that run at the same time, unless they are to run one at a time. */
const FILES_AT_ONCE = 2;
/** After this a test counts as hanging and fails; the nightly setting has no bound of its own. */
const TEST_TIMEOUT_MS = process.env['BULKHEAD_NIGHTLY'] === '1' ? 7_200_000 : 300_000;

/** Suites of their own, `npm run test:cluster` and `test:kernels`: they build an API server, or want a kernel that nobody else uses. */
const OTHER_SUITES: readonly string[] = ['tests/cluster/**', 'tests/machine/**'];

/** Folders of tests that Go builds. */
const GO_FOLDERS: readonly string[] = ['tests/read/kubectl-yaml', 'tests/report/sarif-schema'];

const USAGE = `usage: npm test -- [--fast] [--require] [--one-at-a-time] [--timeout MS] [FILE…]
  --fast           without the tests that need the kernel or other programs
  --require        a test that this host cannot run is a failure (also BULKHEAD_REQUIRE=1)
  --one-at-a-time  no two files at once
  --timeout MS     after which a test counts as hanging and fails
`;

interface Failure {
  readonly file: string;
  readonly line: number | undefined;
  readonly name: string;
  readonly error: unknown;
}

process.exitCode = await main();

async function main(): Promise<number> {
  const words = readWords();
  if (words === undefined) return 2;
  if (words.fast) process.env['BULKHEAD_FAST'] = '1';
  if (words.require) process.env['BULKHEAD_REQUIRE'] = '1';
  if (!words.fast) {
    const status = runInUserNamespace();
    if (status !== undefined) return status;
  }
  const files = words.files.length > 0 ? words.files : globSync('tests/**/*.test.ts', { cwd: cloneRoot, exclude: OTHER_SUITES }).sort();
  return runTests(files, words);
}

interface Words {
  readonly fast: boolean;
  readonly require: boolean;
  readonly isOneAtATime: boolean;
  readonly timeoutMs: number;
  readonly files: readonly string[];
}

function readWords(): Words | undefined {
  try {
    const { values, positionals } = parseArgs({
      options: { fast: { type: 'boolean', default: false }, require: { type: 'boolean', default: false }, 'one-at-a-time': { type: 'boolean', default: false }, timeout: { type: 'string', default: `${TEST_TIMEOUT_MS}` } },
      allowPositionals: true,
    });
    const require = values.require || process.env['BULKHEAD_REQUIRE'] === '1';
    if (values.fast && require) throw new Error('--fast leaves tests out and --require forbids it: choose one');
    return { fast: values.fast, require, isOneAtATime: values['one-at-a-time'], timeoutMs: Number(values.timeout), files: positionals };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}`);
    return undefined;
  }
}

/**
 * A plain user becomes root of a user namespace of its own, in which the kernel tests may make network namespaces.
 * Gives the exit status of the run in there, or undefined where this process is to run the tests itself.
 */
function runInUserNamespace(): number | undefined {
  if (process.platform !== 'linux' || process.getuid?.() === 0) {
    if (process.env['BULKHEAD_IN_USERNS'] === '1') raiseLoopback();
    return undefined;
  }
  const refused = whyMissing('userns');
  if (refused !== undefined) {
    process.stdout.write(`running as a plain user: ${refused}\n`);
    return undefined;
  }
  process.stdout.write('running as a plain user, inside a user namespace (unshare -Urnm) that lets the kernel tests run\n');
  fetchGoModules();
  const inside = spawnSync('unshare', ['-Urnm', process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, BULKHEAD_IN_USERNS: '1', PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
  return inside.status ?? 1;
}

/** From inside there is no way to the network: what Go needs is fetched before. Where it cannot be, the tests that build it say so. */
function fetchGoModules(): void {
  for (const folder of GO_FOLDERS) spawnSync('go', ['mod', 'download'], { cwd: join(cloneRoot, folder), stdio: 'ignore' });
}

/** A new network namespace starts with its loopback down; tests of servers talk over it. */
function raiseLoopback(): void {
  const namespace = openSync('/proc/self/ns/net', 'r');
  const rtnetlink = new Rtnetlink(namespace);
  rtnetlink.apply([linkUp(LOOPBACK_INDEX)]);
  rtnetlink.close();
  closeSync(namespace);
}

async function runTests(files: readonly string[], { require: isEverythingRequired, isOneAtATime, timeoutMs }: Words): Promise<number> {
  const failures: Failure[] = [];
  const leftOut = new Map<string, string[]>();
  let passed = 0;
  const events = run({ files: [...files], cwd: cloneRoot, concurrency: isOneAtATime ? 1 : FILES_AT_ONCE, timeout: timeoutMs });
  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr') {
      process.stdout.write(data.message);
    } else if (type === 'test:pass') {
      if (data.skip !== undefined || data.todo !== undefined) leaveOut(leftOut, `${placeOf(data.file)}: ${data.name}`, String(data.skip ?? data.todo));
      else if (data.details.type !== 'suite') passed++;
    } else if (type === 'test:fail' && !isFailureOfParts(data.details.error)) {
      failures.push({ file: placeOf(data.file), line: data.line, name: data.name, error: data.details.error });
    } else if (type === 'test:summary' && data.file !== undefined) {
      printFile(placeOf(data.file), data.counts, data.duration_ms, data.success);
    }
  }
  failures.forEach(printFailure);
  printLeftOut(leftOut, isEverythingRequired);
  const leftOutCount = [...leftOut.values()].flat().length;
  const failed = failures.length + (isEverythingRequired ? leftOutCount : 0);
  if (passed + failed === 0) process.stdout.write('no test ran: that is a failure\n');
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

/** A suite or test that failed only because a test in it did, which is counted by itself. */
function isFailureOfParts(error: unknown): boolean {
  return error instanceof Error && 'failureType' in error && error.failureType === 'subtestsFailed';
}

function placeOf(file: string | undefined): string {
  return file === undefined ? 'no file' : relative(cloneRoot, file);
}

function leaveOut(leftOut: Map<string, string[]>, name: string, reason: string): void {
  const names = leftOut.get(reason);
  if (names === undefined) leftOut.set(reason, [name]);
  else names.push(name);
}

function printFile(file: string, counts: { passed: number; failed: number; skipped: number }, durationMs: number, isGood: boolean): void {
  const parts = [`${counts.passed} passed`];
  if (counts.failed > 0) parts.push(`${counts.failed} failed`);
  if (counts.skipped > 0) parts.push(`${counts.skipped} left out`);
  process.stdout.write(`${isGood ? 'ok  ' : 'FAIL'} ${file}  ${parts.join(', ')}  ${(durationMs / 1000).toFixed(1)} s\n`);
}

function printFailure(failure: Failure): void {
  const cause = failure.error instanceof Error ? (failure.error.cause ?? failure.error) : failure.error;
  const text = errorText(cause);
  const place = failure.line === undefined ? failure.file : `${failure.file}:${failure.line}`;
  process.stdout.write(`\nFAIL ${place}  ${failure.name}\n${text.replaceAll(/^/gm, '  ')}\n`);
}

/** With what lies below it: a property that fails says why in the cause of its error. */
function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.stack ?? error.message;
  return error.cause === undefined ? text : `${text}\ncaused by ${errorText(error.cause)}`;
}

function printLeftOut(leftOut: ReadonlyMap<string, readonly string[]>, isFailure: boolean): void {
  for (const [reason, names] of leftOut) {
    process.stdout.write(`\nleft out${isFailure ? ' (a failure here)' : ''}: ${reason}\n`);
    for (const name of names) process.stdout.write(`  ${name}\n`);
  }
  process.stdout.write('\n');
}
