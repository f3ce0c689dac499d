// A diagnosis of what enforces policies, as text, Markdown or data.
import type { Diagnosis, FoundEngine, NodeDiagnosis, SupportFinding } from '../../doctor/doctor.ts';
import type { FilledRemedy } from '../../doctor/commands.ts';
import type { Source } from '../../doctor/knowledge.ts';
import { grantText, rightText } from '../../doctor/rights.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { alignColumns, type Cell } from '../text/table.ts';

export const SUPPORT_FORMATS = ['table', 'wide', 'md', 'json', 'yaml'] as const;

/** Nodes named beside a finding, and alike nodes of the plain table; more are counted. */
const NODES_SHOWN_MAX = 5;
const ROWS_MAX = 50;

/** Holds of every engine: what semantics and lint say of DNS and metadata. */
export const OWN_NODE_NOTE = 'no NetworkPolicy judges what listens on a pod\'s own node, such as node-local DNS, or a proxy of the metadata service';

export function supportJson(diagnosis: Diagnosis): string {
  const { takenAt, provider, nodes, findings, engines, policies, unread, isEnforced } = diagnosis;
  return `${JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'Support', takenAt, enforced: isEnforced, provider: provider ?? null, nodes, engines, findings, policies, unread: unread.map((one) => ({ ...one, right: rightText(one) })), notes: [OWN_NODE_NOTE] }, undefined, 2)}\n`;
}

export function supportText(diagnosis: Diagnosis, style: Style, { isWide }: { readonly isWide: boolean }): string {
  const { nodes, findings, unread } = diagnosis;
  const shown = isWide ? findings : findings.filter(({ severity }) => severity !== 'info');
  const notes = findings.length - shown.length;
  const blocks = [
    nodeTable(nodes, style, { isWide }).join('\n'),
    ...shown.map((finding) => findingText(finding, style)),
    ...(isWide ? diagnosis.engines.map((engine) => featureTable(engine).join('\n')) : []),
    ...(unread.length === 0 ? [] : [[`${style.yellow('not read')}: ${unread.map((one) => printable(rightText(one))).join(', ')}`, `  help: ${printable(grantText(unread))}`].join('\n')]),
    [summary(diagnosis, style), style.dim(`note: ${OWN_NODE_NOTE}`), ...(notes === 0 ? [] : [style.dim(`${notes} ${notes === 1 ? 'note' : 'notes'} more with -o wide`)])].join('\n'),
  ];
  return `${blocks.join('\n\n')}\n`;
}

const PAINT = { enforced: 'green', inert: 'red', unknown: 'yellow' } as const;

function nodeTable(nodes: readonly NodeDiagnosis[], style: Style, { isWide }: { readonly isWide: boolean }): readonly string[] {
  if (nodes.length === 0) return ['the cluster has no nodes'];
  const rows = nodes.slice(0, isWide ? nodes.length : ROWS_MAX).map(({ node, standing, engines, evidence }): readonly (Cell | string)[] => [
    printable(node),
    { text: standing, painted: style[PAINT[standing]](standing) },
    printable(engines.join(' + ') || '-'),
    printable((isWide ? evidence : evidence.slice(0, 2)).join('; ')),
  ]);
  const more = nodes.length - rows.length;
  return [...alignColumns([['NODE', 'POLICIES', 'BY', 'EVIDENCE'], ...rows]), ...(more > 0 ? [`and ${more} more, with -o wide`] : [])];
}

function findingText({ code, severity, message, nodes, remedies, source }: SupportFinding, style: Style): string {
  const paint = severity === 'error' ? style.red : severity === 'warning' ? style.yellow : style.dim;
  const head = `${paint(severity)}[${printable(code)}] ${printable(message)}`;
  return [head, ...(nodes.length === 0 ? [] : [`  on ${nodeNames(nodes)}`]), ...(source === undefined ? [] : [`  known from ${sourceText(source)}`]), ...remedies.flatMap((remedy) => remedyLines(remedy, style))].join('\n');
}

function remedyLines({ title, commands, effects, needs, deadline, source }: FilledRemedy, style: Style): readonly string[] {
  return [
    `  ${style.bold(`${printable(title)}:`)}`,
    ...commands.flatMap((command) => command.split('\n')).map((line) => `    ${printable(line)}`),
    `    what it does: ${printable(effects)}`,
    ...(needs === undefined ? [] : [`    needs: ${printable(needs)}`]),
    ...(deadline === undefined ? [] : [`    deadline: ${printable(deadline)}`]),
    ...(source === undefined ? [] : [`    known from ${sourceText(source)}`]),
  ];
}

function sourceText({ title, date, isChecked }: Source): string {
  return `${printable(title)} (${date}${isChecked ? '' : ', not checked again since'})`;
}

function nodeNames(nodes: readonly string[]): string {
  const more = nodes.length - NODES_SHOWN_MAX;
  return `${nodes.slice(0, NODES_SHOWN_MAX).map(printable).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function featureTable({ title, version, features, engineWord }: FoundEngine): readonly string[] {
  const rows = features.map(({ name, has, says, isChecked }) => [name, has, printable(`${says ?? ''}${isChecked ? '' : `${says === undefined ? '' : '; '}not checked again`}`)]);
  const word = engineWord === undefined ? [] : [`where it departs from the API: bulkhead lint --engine ${engineWord}`];
  return [...alignColumns([[printable(version === undefined ? title : `${title} ${version}`), 'HAS', ''], ...rows]), ...word];
}

function summary({ nodes, policies, isEnforced }: Diagnosis, style: Style): string {
  const count = (standing: NodeDiagnosis['standing']): number => nodes.filter((node) => node.standing === standing).length;
  const counted = (['enforced', 'inert', 'unknown'] as const).flatMap((standing) => (count(standing) === 0 ? [] : [`${style[PAINT[standing]](standing)} on ${count(standing)}`]));
  const kinds = Object.entries(policies).map(([kind, number]) => `${number} ${printable(kind)}`).join(', ');
  const inVain = isEnforced || kinds === '' ? '' : `; the cluster has ${kinds}`;
  return `policies are ${counted.join(', ') || 'enforced nowhere'} of ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}${inVain}`;
}

// --- Markdown

export function supportMarkdown(diagnosis: Diagnosis): string {
  const { nodes, findings, engines } = diagnosis;
  const rows = nodes.map(({ node, standing, engines: by, evidence }) => row([node, standing, by.join(' + ') || '-', evidence.join('; ')]));
  const features = engines.flatMap((engine) => ['', `## ${cell(engine.version === undefined ? engine.title : `${engine.title} ${engine.version}`)}`, '', row(['feature', 'has', 'remark']), '|---|---|---|', ...engine.features.map(({ name, has, says, isChecked }) => row([name, has, `${says ?? ''}${isChecked ? '' : ' (not checked again)'}`]))]);
  return `${['# Are policies enforced here?', '', row(['node', 'policies', 'by', 'evidence']), '|---|---|---|---|', ...rows, ...findings.flatMap(findingMarkdown), ...features, '', OWN_NODE_NOTE].join('\n')}\n`;
}

function findingMarkdown({ code, severity, message, nodes, remedies, source }: SupportFinding): readonly string[] {
  const told = remedies.flatMap(({ title, commands, effects, needs, deadline }) => ['', `${cell(title)}: ${cell(effects)}.${needs === undefined ? '' : ` Needs ${cell(needs)}.`}${deadline === undefined ? '' : ` Deadline: ${cell(deadline)}.`}`, '', '```sh', ...commands.map(printable), '```']);
  return ['', `## ${severity}: ${cell(message)}`, '', `\`${cell(code)}\`${nodes.length === 0 ? '' : `, on ${nodeNames(nodes)}`}.${source === undefined ? '' : ` Known from ${sourceText(source)}.`}`, ...told];
}

function row(cells: readonly string[]): string {
  return `| ${cells.map(cell).join(' | ')} |`;
}

/** Nothing in a name may end the cell or begin markup. */
function cell(text: string): string {
  return printable(text).replace(/[\\|<>`*_]/g, (sign) => `\\${sign}`);
}
