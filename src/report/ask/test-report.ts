// What became of the expectations of test files: text, TAP, JUnit and JSON.
import type { ExpectationResult, TestReport } from '../../probe/check-expectations.ts';
import { countFailures } from '../../probe/check-expectations.ts';
import { formatDifference, type ProbeDifference } from '../../probe/compare-verdicts.ts';
import { examplesText, exampleSentence, jsonResult } from './assertion.ts';
import { placeOf } from '../findings/finding-text.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { tapDocument } from '../text/tap-point.ts';
import { countOf } from '../text/truth-table.ts';
import { xmlText } from '../text/xml-text.ts';

export const TEST_FORMATS = ['text', 'tap', 'junit', 'json', 'yaml'] as const;

export function testText(report: TestReport, style: Style): string {
  const parts = report.tests.flatMap(({ test, results }) => [`${style.bold(printable(test.name))}  ${style.dim(printable(test.file))}\n`, ...inOrder(report, results).map((result) => resultText(result, report, style))]);
  const { held, failed } = countFailures(report);
  const where = report.where === 'static' ? '' : `, ${countOf(triedConnections(report), 'connection')} tried ${report.where === 'lab' ? 'in the kernel of this host' : 'between the pods of the cluster'}`;
  const notes = (report.notes ?? []).map((note) => style.dim(`note: ${printable(note)}\n`)).join('');
  const summary = failed === 0 ? style.green(`${countOf(held, 'expectation')} ${held === 1 ? 'holds' : 'hold'}`) : `${held} held, ${style.red(`${failed} failed`)}`;
  return `${parts.join('')}${summary}${where}\n${notes}`;
}

/** Of a cluster that runs, what disagrees comes first. */
function inOrder({ where }: TestReport, results: readonly ExpectationResult[]): readonly ExpectationResult[] {
  return where === 'cluster' ? results.toSorted((a, b) => Number(a.holds) - Number(b.holds)) : results;
}

function triedConnections({ tests }: TestReport): number {
  return tests.flatMap(({ results }) => results).reduce((sum, { tried }) => sum + (tried?.tried ?? 0), 0);
}

function resultText(result: ExpectationResult, { where }: TestReport, style: Style): string {
  const { expectation, holds, problem, computed, tried } = result;
  const verdict = holds ? style.green('ok  ') : style.red(style.bold('FAIL'));
  const isUntried = where !== 'static' && problem === undefined && tried === undefined;
  const place = holds ? (isUntried ? style.dim('  (computed: nothing of it can be tried)') : '') : `  ${style.dim(printable(placeOf(expectation.file, expectation.range)))}`;
  const rest = tried?.leftOut === undefined ? '' : style.dim(`  (${countOf(tried.tried, 'connection')} for ${tried.tried + tried.leftOut})`);
  const lines = [`${verdict} ${printable(expectation.sentence)}${place}${rest}\n`];
  if (problem !== undefined) lines.push(`  ${printable(problem.message)}\n`, ...(problem.help === undefined ? [] : [`    ${style.cyan('help:')} ${printable(problem.help)}\n`]));
  if (computed?.holds === false) lines.push(examplesText(computed, style));
  for (const text of tried?.wrong ?? []) lines.push(`  seen: ${printable(text)}\n`);
  for (const difference of tried?.differences ?? []) lines.push(`  not as computed: ${printable(differenceSentence(difference))}\n`);
  return lines.join('').replace(/^(?=.)/gm, '  ');
}

/** Test Anything Protocol 14: one test point for each expectation, diagnostics as YAML. */
export function testTap(report: TestReport): string {
  const results = report.tests.flatMap(({ test, results: list }) => list.map((result) => ({ test, result })));
  return tapDocument(
    results.map(({ test, result }) => {
      const { file, range } = result.expectation;
      const diagnostics = [`at: ${JSON.stringify(placeOf(file, range))}`, 'messages:', ...messagesOf(result).map((message) => `  - ${JSON.stringify(message)}`)];
      return { holds: result.holds, name: `${test.name}: ${result.expectation.sentence}`, diagnostics: result.holds ? [] : diagnostics };
    }),
  );
}

/** A suite for each test file, a case for each expectation. */
export function testJunit(report: TestReport): string {
  const { held, failed } = countFailures(report);
  const suites = report.tests.map(({ test, results }) => {
    const failures = results.filter(({ holds }) => !holds).length;
    return `  <testsuite name="${xmlText(test.name)}" file="${xmlText(test.file)}" tests="${results.length}" failures="${failures}" errors="0" skipped="0">\n${results.map((result) => junitCase(test.name, result)).join('')}  </testsuite>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bulkhead test" tests="${held + failed}" failures="${failed}" errors="0">\n${suites.join('')}</testsuites>\n`;
}

function junitCase(name: string, result: ExpectationResult): string {
  const { sentence, file, range } = result.expectation;
  const head = `    <testcase classname="${xmlText(name)}" name="${xmlText(sentence)}" file="${xmlText(file)}" line="${range.start.line}"`;
  if (result.holds) return `${head}/>\n`;
  const [first = 'does not hold', ...rest] = messagesOf(result);
  return `${head}>\n      <failure message="${xmlText(first)}">${xmlText([first, ...rest].join('\n'))}</failure>\n    </testcase>\n`;
}

export function testJson(report: TestReport): string {
  const tests = report.tests.map(({ test, results }) => ({
    name: test.name,
    file: test.file,
    results: results.map((result) => {
      const { expectation, holds, problem, computed, tried } = result;
      return {
        expectation: expectation.sentence,
        holds,
        range: expectation.range,
        ...(problem === undefined ? {} : { problem: problem.message, help: problem.help }),
        ...(computed === undefined ? {} : { computed: jsonResult(computed) }),
        ...(tried === undefined ? {} : { tried: { connections: tried.tried, wrong: tried.wrong, differences: tried.differences.map(differenceSentence), ...(tried.leftOut === undefined ? {} : { leftOut: tried.leftOut }) } }),
        messages: messagesOf(result),
      };
    }),
  }));
  return `${JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'TestReport', in: report.where, ...(report.at === undefined ? {} : { at: report.at }), ...countFailures(report), tests, ...(report.notes === undefined ? {} : { notes: report.notes }) }, undefined, 2)}\n`;
}

/** What an expectation came to, and one line for each thing that is wrong with it. */
export function expectationLines(result: ExpectationResult): readonly string[] {
  return [`${result.holds ? 'ok  ' : 'FAIL'} ${result.expectation.sentence}`, ...(result.holds ? [] : messagesOf(result).map((message) => `  ${message}`))].map(printable);
}

/** One line each: what is wrong, and the rule that decided. */
function messagesOf({ problem, computed, tried }: ExpectationResult): string[] {
  return [
    ...(problem === undefined ? [] : [problem.message]),
    ...(computed?.counterexamples ?? []).map(exampleSentence),
    ...(tried?.wrong ?? []).map((text) => `seen: ${text}`),
    ...(tried?.differences ?? []).map((difference) => `not as computed: ${differenceSentence(difference)}`),
  ];
}

/** With the rule that decides, where that was looked up. */
function differenceSentence(difference: ProbeDifference): string {
  const { why } = difference;
  return why === undefined ? formatDifference(difference) : `${formatDifference(difference)}; ${exampleSentence(why)}`;
}
