// What two sets of manifests allow differently: grouped as text, Markdown and workflow commands; row by row as JSON.
import type { Finding } from '../../base/finding.ts';
import { isOutside, type Endpoint } from '../../analyze/endpoints.ts';
import type { Comparison, Presence } from '../../compare/compare.ts';
import type { ChangeGroup, GroupedChanges } from '../../compare/group-changes.ts';
import { endLister } from './end-list.ts';
import { jsonFinding } from '../findings/finding-json.ts';
import { workflowCommand } from '../findings/finding-github.ts';
import { jsonPorts } from '../text/port-json.ts';
import { formatPorts } from '../text/port-text.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { alignColumns } from '../text/table.ts';
import { countOf } from '../text/truth-table.ts';

export const DIFFERENCE_FORMATS = ['text', 'json', 'yaml', 'md', 'github'] as const;

export interface Difference {
  readonly comparison: Comparison;
  readonly groups: GroupedChanges;
}

export function isSame({ comparison, groups }: Difference): boolean {
  return groups.gainedPairs === 0 && groups.lostPairs === 0 && comparison.presence.every((presence, index) => presence === 'both' || isOutside(comparison.endpoints[index]!));
}

/** `3 pairs of ends gain connections, 1 loses some`. */
export function differenceSummary(difference: Difference): string {
  const { gainedPairs, lostPairs } = difference.groups;
  const workloads = (['after', 'before'] as const).map((presence) => namesOf(difference, presence).length);
  const parts = [
    gainedPairs === 0 ? '' : `${countOf(gainedPairs, 'pair')} of ends ${gainedPairs === 1 ? 'gains' : 'gain'} connections`,
    lostPairs === 0 ? '' : `${countOf(lostPairs, 'pair')} of ends ${lostPairs === 1 ? 'loses' : 'lose'} connections`,
    workloads[0] === 0 ? '' : `${countOf(workloads[0]!, 'workload')} appear${workloads[0] === 1 ? 's' : ''}`,
    workloads[1] === 0 ? '' : `${countOf(workloads[1]!, 'workload')} vanish${workloads[1] === 1 ? 'es' : ''}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'no connection is gained or lost' : parts.join(', ');
}

/** Ends that are named together may be many; one line of them must not push all others off the screen. */
const CELL_MAX = 40;

export function* differenceText(difference: Difference, style: Style): Generator<string> {
  for (const section of sectionsOf(difference)) {
    yield `${style.bold(section.title)}\n`;
    const paint = section.sign === '+' ? style.green : style.red;
    const rows = section.rows.map(({ source, target, ports }) => [`  ${section.sign} ${printable(source)}`, '→', printable(target), ports]);
    yield alignColumns(rows, CELL_MAX).map((line) => `${paint(line)}\n`).join('');
  }
  yield `${differenceSummary(difference)}\n`;
}

/** Rows of Markdown shown open; more are folded away under a summary. */
const OPEN_ROWS_MAX = 12;

export function differenceMarkdown(difference: Difference): string {
  const parts = [`**Network policy:** ${differenceSummary(difference)}.\n`];
  for (const { title, sign, rows } of sectionsOf(difference)) {
    if (rows.length === 0) {
      parts.push(`\n${markdown(title)}\n`);
      continue;
    }
    const lines = rows.map(({ source, target, ports }) => `| ${sign} | ${markdown(source)} | ${markdown(target)} | ${ports} |\n`);
    const table = `| | source | target | traffic |\n|---|---|---|---|\n${lines.join('')}`;
    parts.push(rows.length <= OPEN_ROWS_MAX ? `\n#### ${markdown(title)}\n\n${table}` : `\n<details><summary>${markdown(title)}: ${rows.length} rows</summary>\n\n${table}\n</details>\n`);
  }
  return parts.join('');
}

/** GitHub shows ten of each kind for a step; more are counted. */
const COMMANDS_MAX = 10;

export function differenceGithub(difference: Difference): string {
  const commands = sectionsOf(difference).flatMap(({ title, sign, rows }) => {
    const shown = rows.slice(0, COMMANDS_MAX).map(({ source, target, ports }) => `${source} → ${target}  ${ports}`);
    const rest = rows.length > COMMANDS_MAX ? [`and ${rows.length - COMMANDS_MAX} more`] : [];
    return [...shown, ...rest].map((message) => workflowCommand(sign === '+' ? 'warning' : 'notice', { title, message }));
  });
  return [...commands, workflowCommand('notice', { title: 'connections', message: differenceSummary(difference) })].join('');
}

/** Row by row, as `reach -o json`: one change a line, sorted by source, then target. */
export function* differenceJson({ comparison }: Difference, findings: readonly Finding[]): Generator<string> {
  const { endpoints, presence } = comparison;
  yield '{\n"apiVersion": "bulkhead/v1",\n"kind": "Difference",\n"endpoints": [';
  yield* separated(endpoints.map((endpoint, index) => JSON.stringify({ ...endpoint, presence: presence[index]! })));
  yield '],\n"changes": [';
  yield* separated(jsonLines(changeRows(comparison)));
  yield '],\n"findings": [';
  yield* separated(findings.map((finding) => JSON.stringify(jsonFinding(finding))));
  yield ']\n}\n';
}

/** One for each pair of ends that gains or loses something. */
export function* changeRows({ endpoints, changes }: Comparison): Generator<object> {
  for (const { source, target, gained, lost } of changes()) {
    yield { source: endpoints[source]!.id, target: endpoints[target]!.id, gained: jsonPorts(gained), lost: jsonPorts(lost) };
  }
}

function* jsonLines(rows: Iterable<object>): Generator<string> {
  for (const row of rows) yield JSON.stringify(row);
}

function* separated(texts: Iterable<string>): Generator<string> {
  let separator = '\n';
  for (const text of texts) {
    yield separator + text;
    separator = ',\n';
  }
  if (separator !== '\n') yield '\n';
}

interface Section {
  readonly title: string;
  readonly sign: '+' | '-';
  readonly rows: readonly Row[];
}

interface Row {
  readonly source: string;
  readonly target: string;
  readonly ports: string;
}

function sectionsOf(difference: Difference): Section[] {
  const { gained, lost, appeared, vanished } = difference.groups;
  const list = endLister(difference.comparison.endpoints);
  const rowsOf = (groups: readonly ChangeGroup[]): Row[] => groups.map(({ sources, targets, ports }) => ({ source: list(sources), target: list(targets), ports: formatPorts(ports) }));
  const [fresh, gone] = [namesOf(difference, 'after'), namesOf(difference, 'before')];
  const sections: Section[] = [
    { title: 'gained', sign: '+', rows: rowsOf(gained) },
    { title: 'lost', sign: '-', rows: rowsOf(lost) },
    { title: `new: ${named(fresh)}`, sign: '+', rows: rowsOf(appeared) },
    { title: `gone: ${named(gone)}`, sign: '-', rows: rowsOf(vanished) },
  ];
  const isNamed = [false, false, fresh.length > 0, gone.length > 0];
  return sections.filter(({ rows }, index) => rows.length > 0 || isNamed[index]!);
}

/** Workloads named in a title; the rest is counted. */
const TITLE_NAMES_MAX = 20;

function named(names: readonly string[]): string {
  if (names.length === 0) return 'addresses';
  const shown = names.slice(0, TITLE_NAMES_MAX).join(', ');
  return names.length > TITLE_NAMES_MAX ? `${shown} and ${names.length - TITLE_NAMES_MAX} more` : shown;
}

function namesOf({ comparison: { endpoints, presence } }: Difference, wanted: Presence): string[] {
  return endpoints.flatMap((endpoint, index) => (presence[index] === wanted && isWorkload(endpoint) ? [`${endpoint.id} (${endpoint.kind})`] : []));
}

function isWorkload(endpoint: Endpoint): boolean {
  return !isOutside(endpoint);
}

function markdown(text: string): string {
  return printable(text).replace(/[\\|`<>*_[\]]/g, (sign) => `\\${sign}`);
}
