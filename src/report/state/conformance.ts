// What became of the cases of conformance: which features an engine really has, as a table, JUnit and data.
import type { ConformanceResult, FeatureResult } from '../../doctor/conformance.ts';
import type { CaseResult } from '../../doctor/conformance-lane.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { alignColumns } from '../text/table.ts';
import { xmlText } from '../text/xml-text.ts';

export const CONFORMANCE_FORMATS = ['table', 'wide', 'md', 'json', 'yaml', 'junit'] as const;

/** Cases that fail and are named below the plain table; more are counted. */
const FAILURES_MAX = 10;

export function conformanceJson({ cases, features, effects, isConformant }: ConformanceResult): string {
  return `${JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'Conformance', conformant: isConformant, effectsMs: effects ?? null, features: features.map((one) => ({ ...one, has: wordOf(one) })), cases }, undefined, 2)}\n`;
}

export function conformanceText(result: ConformanceResult, style: Style, { isWide }: { readonly isWide: boolean }): string {
  const { cases, features, effects } = result;
  const rows = features.map((one) => {
    const word = wordOf(one);
    return [one.dimension, one.name, { text: word, painted: word === 'yes' ? style.green(word) : word === 'no' ? style.red(word) : style.yellow(word) }, `${one.held} of ${one.count}`];
  });
  const failed = cases.filter(({ holds }) => !holds);
  const shown = isWide ? failed : failed.slice(0, FAILURES_MAX);
  const more = failed.length - shown.length;
  return [
    ...alignColumns([['OF', 'FEATURE', 'HAS', 'CASES'], ...rows]),
    '',
    ...shown.flatMap(({ name, wrong }) => [`${style.red('FAIL')} ${printable(name)}`, ...wrong.slice(0, 3).map((text) => `  ${printable(text)}`)]),
    ...(more > 0 ? [`and ${more} more, with -o wide`] : []),
    `${cases.length - failed.length} of ${cases.length} cases hold, ${sumOf(cases)} connections${effects === undefined ? '' : `; a change had its effect within ${secondsText(effects.p50)} (median), ${secondsText(effects.p99)} (99 of 100), ${secondsText(effects.max)} (slowest)`}`,
    '',
  ].join('\n');
}

export function conformanceMarkdown({ cases, features }: ConformanceResult): string {
  const rows = features.map((one) => `| ${one.dimension} | ${one.name} | ${wordOf(one)} | ${one.held} of ${one.count} |`);
  const failed = cases.filter(({ holds }) => !holds).map(({ name }) => `- ${name}`);
  return `${['# Conformance', '', '| of | feature | has | cases |', '|---|---|---|---|', ...rows, '', ...(failed.length === 0 ? ['Every case holds.'] : ['These do not hold:', '', ...failed])].join('\n')}\n`;
}

/** One suite, a case for each. */
export function conformanceJunit({ cases }: ConformanceResult): string {
  const failures = cases.filter(({ holds }) => !holds).length;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bulkhead doctor" tests="${cases.length}" failures="${failures}" errors="0">\n  <testsuite name="conformance" tests="${cases.length}" failures="${failures}" errors="0" skipped="0">\n${cases.map(junitCase).join('')}  </testsuite>\n</testsuites>\n`;
}

function junitCase({ name, holds, wrong, tookMs }: CaseResult): string {
  const head = `    <testcase classname="conformance" name="${xmlText(name)}" time="${(tookMs / 1000).toFixed(3)}"`;
  if (holds) return `${head}/>\n`;
  return `${head}>\n      <failure message="${xmlText(wrong[0] ?? 'does not hold')}">${xmlText(wrong.join('\n'))}</failure>\n    </testcase>\n`;
}

function wordOf({ held, count }: FeatureResult): 'yes' | 'partly' | 'no' {
  return held === count ? 'yes' : held === 0 ? 'no' : 'partly';
}

function sumOf(cases: readonly CaseResult[]): number {
  return cases.reduce((sum, { connections }) => sum + connections, 0);
}

function secondsText(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
