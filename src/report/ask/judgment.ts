// What a release would do to a cluster, and what stands against it: as text, Markdown, workflow commands and JSON.
import type { Finding } from '../../base/finding.ts';
import type { Judgment } from '../../release/judge-release.ts';
import type { GuardWitness } from '../../release/guards.ts';
import { ownershipNotes, type Objection } from '../../release/objections.ts';
import type { ObjectChange } from '../../release/prepare-objects.ts';
import { placeLabel } from '../../release/release-object.ts';
import { countFailures, type TestReport } from '../../probe/check-expectations.ts';
import { changeRows, differenceGithub, differenceMarkdown, differenceSummary, differenceText } from './difference.ts';
import { jsonFinding } from '../findings/finding-json.ts';
import { githubCommand, workflowCommand } from '../findings/finding-github.ts';
import { placeOf } from '../findings/finding-text.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { testText } from './test-report.ts';
import { countOf } from '../text/truth-table.ts';

export const JUDGMENT_FORMATS = ['text', 'json', 'yaml', 'md', 'github'] as const;

export interface JudgedRelease {
  readonly release: string;
  readonly revision: number;
  readonly judgment: Judgment;
  /** Labels of what belongs to the release and stands in no file any more. */
  readonly left: readonly string[];
  /** New with it. */
  readonly findings: readonly Finding[];
  readonly tests: TestReport | undefined;
  /** In sentences, what nobody could find out. */
  readonly unknown: readonly string[];
  readonly objections: readonly Objection[];
}

export function judgmentText(judged: JudgedRelease, style: Style): string {
  const { judgment, tests, objections, left, unknown } = judged;
  const paint = { '+': style.green, '-': style.red, '~': style.yellow } as const;
  const objects = judgment.changes.map((change) => `  ${paint[signOf(change)](`${signOf(change)} ${printable(placeLabel(change.place))}`)}\n`);
  return [
    `${style.bold(`release ${judged.release}, revision ${judged.revision}`)}: ${countsText(judgment)}\n`,
    ...objects,
    ...judgment.changes.flatMap(ownershipNotes).map((note) => `${printable(note)}\n`),
    ...left.map((label) => `${printable(label)} belongs to the release and is in no file: it stays; --prune takes it away\n`),
    ...differenceText(judgment.difference, style),
    `${orderText(judgment)}\n`,
    ...judgment.cuts.map((cut) => `${style.yellow(cut.guard)}: ${printable(cutText(cut))}\n`),
    ...unknown.map((sentence) => `${printable(sentence)}\n`),
    ...(tests === undefined ? [] : [testText(tests, style)]),
    ...objections.map(({ message, help }) => `${style.red('refused')}: ${printable(message)}\n  ${style.cyan('help:')} ${printable(help)}\n`),
  ].join('');
}

function signOf({ held, result }: ObjectChange): '+' | '-' | '~' {
  return held === undefined ? '+' : result === undefined ? '-' : '~';
}

const COUNTED = { '+': 'new', '~': 'changed', '-': 'removed' } as const;

function countsText({ changes, unchanged }: Judgment): string {
  const counts = (['+', '~', '-'] as const).flatMap((sign) => {
    const count = changes.filter((change) => signOf(change) === sign).length;
    return count === 0 ? [] : [`${count} ${COUNTED[sign]}`];
  });
  const same = unchanged.length === 0 ? [] : [`${unchanged.length} as ${unchanged.length === 1 ? 'it is' : 'they are'}`];
  return [...counts, ...same].join(', ') || 'nothing';
}

function orderText({ plan: { steps, harms } }: Judgment): string {
  const helpers = new Set(steps.filter(({ role }) => role === 'helper').map(({ policy }) => policy.name)).size;
  const by = helpers === 0 ? '' : `, with ${countOf(helpers, 'helper')} that ${helpers === 1 ? 'goes' : 'go'} again`;
  if (steps.length === 0) return 'order: no policy that is enforced is written';
  return `order: ${countOf(steps.length, 'write')}${by}${harms.size === 0 ? '; no state in between opens or cuts anything else' : ''}`;
}

function cutText({ message, traffic, policy, related, more, guard }: GuardWitness): string {
  const others = more === 0 ? '' : ` (and ${more} more like it)`;
  if (guard === 'order' || guard === 'webhooks') return `${message}${guard === 'order' ? `: ${traffic}, in ${policy}` : ''}${others}`;
  const place = related[0]?.file === undefined || related[0].file.startsWith('cluster ') ? '' : ` at ${placeOf(related[0].file, related[0].range)}`;
  if (guard === 'flows') return `${message} on ${traffic}, and would be refused${others}`;
  if (guard === 'namespace') return `${message}: ${policy}${place} isolates it, and no rule lets anything through`;
  return `${message} on ${traffic} today, and ${policy}${place} refuses it${others}`;
}

/** For a comment below a change. */
export function judgmentMarkdown({ release, judgment, tests, objections, left, unknown }: JudgedRelease): string {
  const plain = (text: string): string => printable(text).replace(/[\\|`<>*_[\]]/g, (sign) => `\\${sign}`);
  const points = [
    ...judgment.changes.map((change) => `${COUNTED[signOf(change)]}: ${placeLabel(change.place)}`),
    ...judgment.changes.flatMap(ownershipNotes),
    ...left.map((label) => `in no file any more, and stays: ${label}`),
    ...judgment.cuts.map((cut) => `${cut.guard}: ${cutText(cut)}`),
    ...(tests === undefined ? [] : [testsText(tests)]),
    ...unknown,
  ];
  const verdict = objections.length === 0 ? 'may be applied' : 'refused';
  return [
    `**Release ${plain(release)}: ${verdict}**, ${countsText(judgment)}.\n`,
    ...objections.map(({ message, help }) => `\n> ${plain(message)}: ${plain(help)}\n`),
    `\n${differenceMarkdown(judgment.difference)}\n`,
    ...points.map((point) => `- ${plain(point)}\n`),
  ].join('');
}

function testsText(report: TestReport): string {
  const { held, failed } = countFailures(report);
  const first = report.tests.flatMap(({ results }) => results).find(({ holds }) => !holds);
  return `tests: ${held} hold${first === undefined ? '' : `, ${failed} ${failed === 1 ? 'fails' : 'fail'}: ${first.expectation.sentence}`}`;
}

export function judgmentGithub({ release, judgment, tests, objections, findings }: JudgedRelease): string {
  return [
    ...findings.filter(({ severity }) => severity !== 'info').map(githubCommand),
    differenceGithub(judgment.difference),
    ...judgment.cuts.map((cut) => workflowCommand('warning', { title: cut.guard, message: cutText(cut) })),
    ...(tests === undefined ? [] : [workflowCommand(countFailures(tests).failed === 0 ? 'notice' : 'error', { title: 'tests', message: testsText(tests) })]),
    ...objections.map(({ message, help }) => workflowCommand('error', { title: `release ${release}`, message: `${message}: ${help}` })),
  ].join('');
}

export function judgmentJson({ release, revision, judgment, left, findings, tests, unknown, objections }: JudgedRelease): string {
  const document = {
    apiVersion: 'bulkhead/v1',
    kind: 'Judgment',
    release,
    revision,
    isRefused: objections.length > 0,
    objections,
    objects: [...judgment.changes.map((change) => ({ object: placeLabel(change.place), becomes: COUNTED[signOf(change)], notes: ownershipNotes(change) })), ...judgment.unchanged.map(({ place }) => ({ object: placeLabel(place), becomes: 'unchanged', notes: [] }))],
    left,
    summary: differenceSummary(judgment.difference),
    changes: [...changeRows(judgment.difference.comparison)],
    order: { way: judgment.plan.way, writes: judgment.plan.steps.length, isHarmless: judgment.plan.harms.size === 0 },
    cuts: judgment.cuts.map(({ guard, message, traffic, policy, more }) => ({ guard, message, traffic, policy, more })),
    tests: tests === undefined ? null : countFailures(tests),
    unknown,
    findings: findings.map(jsonFinding),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
