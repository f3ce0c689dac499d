// A recommendation as what is applied, what is read, and what a program reads: commented YAML, a table, Markdown, JSON.
import type { Finding } from '../../base/finding.ts';
import type { PolicyDraft } from '../../model/policy-draft.ts';
import { endName, standingOf, type Connection } from '../../recommend/ends/connection.ts';
import type { Openness } from '../../recommend/proof/openness.ts';
import type { FlowsAnswer, Recommendation } from '../../recommend/recommend.ts';
import type { Witness } from '../../recommend/words/witness.ts';
import { changeRows, type Difference } from '../ask/difference.ts';
import { jsonFinding } from '../findings/finding-json.ts';
import { clusterPolicyObject, networkPolicyObject } from './policy-object.ts';
import { policiesYaml } from './policy-yaml.ts';
import { jsonPorts } from '../text/port-json.ts';
import { formatPorts } from '../text/port-text.ts';
import { flowSentences, flowTables, jsonFlows, jsonSeen, seenCell } from './recommended-flows.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { alignColumns } from '../text/table.ts';
import { countOf } from '../text/truth-table.ts';

export const RECOMMENDATION_FORMATS = ['yaml', 'table', 'md', 'json'] as const;

/** All policies in one text, with the sentences of the proof above them. */
export function* recommendationYaml(recommendation: Recommendation): Generator<string> {
  if (recommendation.drafts.length === 0) return;
  yield `${recommendationSentences(recommendation).map((sentence) => `# ${sentence}\n`).join('')}\n`;
  yield* policiesYaml(recommendation.drafts);
}

/** A file for each policy, below a folder for its namespace if it has one. */
export function recommendationFiles({ drafts }: Recommendation): readonly { readonly path: string; readonly text: string }[] {
  return drafts.map((draft) => ({ path: `${folderOf(draft)}${draft.policy.name}.yaml`, text: [...policiesYaml([draft])].join('') }));
}

function folderOf({ policy }: PolicyDraft): string {
  return policy.kind === 'NetworkPolicy' ? `${policy.namespace}/` : '';
}

/** What was held against what, and what is left to decide. */
export function recommendationSentences(recommendation: Recommendation): readonly string[] {
  const { connections, undecided, proof, drafts, flows } = recommendation;
  if (drafts.length === 0) return ['There is no pod in the input, so there is nothing to close.'];
  const open = connections.filter(({ decision }) => decision !== undefined).length;
  const seen = connections.length === 0 ? 'no connection is seen' : `${countOf(connections.length, 'connection')} that they show ${connections.length === 1 ? 'is' : 'are'} allowed`;
  const sentences = [`Held against ${flows === undefined ? 'the manifests' : flows.isJoined ? 'manifests and flows' : 'the flows'}: ${seen}, and ${connections.length === 0 ? 'none is allowed' : 'nothing else'} between ${countOf(proof.pairs, 'pair')} of ends.`];
  if (open > 0) sentences.push(`${open === 1 ? 'One of them opens' : `${open} of them open`} more than what is seen and ${open === 1 ? 'waits' : 'wait'} for a decision: look for "decide".`);
  if (undecided.length > 0) sentences.push(`${undecided.length === 1 ? 'One more is' : `${undecided.length} more are`} seen and left out, for ${undecided.length === 1 ? 'it waits' : 'they wait'} for a decision.`);
  if (proof.refused.length > 0) sentences.push(`${proof.refused.length === 1 ? 'One of them stays' : `${proof.refused.length} of them stay`} closed: a cluster-wide policy of the input refuses ${proof.refused.length === 1 ? 'it' : 'them'}.`);
  if (drafts.some(({ policy }) => policy.kind !== 'NetworkPolicy')) sentences.push('Who is no pod comes in as before: a ClusterNetworkPolicy says nothing of it.');
  const named = connections.filter(({ target }) => target.kind === 'addresses' && target.dnsName !== undefined).length;
  if (named > 0) sentences.push(`${countOf(named, 'rule')} ${named === 1 ? 'names a DNS name and opens' : 'name DNS names and open'} whichever addresses it has, as far as look-ups are seen (experimental channel of the kind).`);
  if (flows !== undefined) sentences.push(...flowSentences(recommendation, flows));
  return sentences;
}

export function recommendationTable(recommendation: Recommendation, style: Style): string {
  const rows = recommendation.connections.map((connection) => rowOf(connection, recommendation.flows).map(printable));
  const lines = alignColumns([headOf(recommendation.flows), ...rows]);
  const table = rows.length === 0 ? [] : [style.bold(lines[0]!), ...lines.slice(1), ...decisionLines(recommendation), ''];
  const beside = recommendation.flows === undefined ? '' : flowTables(recommendation, recommendation.flows, style);
  return `${[...table, ...recommendationSentences(recommendation), ''].join('\n')}${beside}`;
}

function headOf(flows: FlowsAnswer | undefined): string[] {
  return ['source', '', 'target', 'traffic', ...(flows === undefined ? [] : flows.isJoined ? ['standing', 'flows'] : ['flows']), ...(flows === undefined || flows.isJoined ? ['shown by'] : [])];
}

function rowOf(connection: Connection, flows: FlowsAnswer | undefined): string[] {
  const { source, target, ports, decision } = connection;
  const mark = decision === undefined ? '' : ' *';
  const ofFlows = flows === undefined ? [] : flows.isJoined ? [standingOf(connection), seenCell(connection)] : [`${seenCell(connection)}${mark}`];
  return [endName(source), '→', endName(target), formatPorts(ports), ...ofFlows, ...(flows === undefined || flows.isJoined ? [`${shownBy(connection)}${mark}`] : [])];
}

function shownBy({ witnesses: [first, ...others], isDeclared }: Connection): string {
  if (first === undefined) return isDeclared === false ? '' : 'finds the others by their names';
  return `${first.says} (${placeText(first)})${others.length === 0 ? '' : ` and ${others.length} more`}`;
}

function decisionLines({ connections }: Recommendation): readonly string[] {
  const decisions = [...new Set(connections.flatMap(({ decision }) => decision ?? []))];
  return decisions.length === 0 ? [] : ['', ...decisions.map((decision) => `* ${printable(decision)}`)];
}

function placeText({ file, range }: Witness): string {
  return `${file}:${range.start.line}`;
}

/** For a pull request: the connections, then the policies folded away. */
export function recommendationMarkdown(recommendation: Recommendation): string {
  const rows = recommendation.connections.map((connection) => {
    const [source, , ...cells] = rowOf(connection, recommendation.flows).map(markdown);
    return `| ${[source, ...cells].join(' | ')} |\n`;
  });
  const [first, , ...others] = headOf(recommendation.flows);
  const yaml = [...recommendationYaml(recommendation)].join('');
  const fence = '`'.repeat(Math.max(3, ...[...yaml.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)));
  return [
    `${recommendationSentences(recommendation).join('\n')}\n`,
    `\n| ${[first, ...others].join(' | ')} |\n|${'---|'.repeat(others.length + 1)}\n${rows.join('')}`,
    ...decisionLines(recommendation).map((line) => `${markdown(line)}\n`),
    `\n<details><summary>${recommendation.drafts.length} policies</summary>\n\n${fence}yaml\n${yaml}${fence}\n\n</details>\n`,
  ].join('');
}

function markdown(text: string): string {
  return printable(text).replace(/[\\`*_{}[\]<>|]/g, '\\$&');
}

export interface BesideRecommendation {
  /** What was said about the text. */
  readonly textFindings: readonly Finding[];
  /** From the policies of the input to the recommended ones in their place; undefined: it has none. */
  readonly difference: Difference | undefined;
  /** With the policies of the input, and with the recommended ones in their place; undefined: no flows were given. */
  readonly openness: { readonly before: Openness; readonly after: Openness } | undefined;
}

export function recommendationJson(recommendation: Recommendation, { textFindings, difference, openness }: BesideRecommendation): string {
  const document = {
    apiVersion: 'bulkhead/v1',
    kind: 'Recommendation',
    connections: recommendation.connections.map((connection) => jsonConnection(connection, recommendation.flows)),
    undecided: recommendation.undecided.map((connection) => jsonConnection(connection, recommendation.flows)),
    policies: recommendation.drafts.map(({ policy }) => (policy.kind === 'NetworkPolicy' ? networkPolicyObject(policy) : clusterPolicyObject(policy))),
    proof: { pairs: recommendation.proof.pairs, refused: recommendation.proof.refused.map(({ connection, ports }) => ({ source: endName(connection.source), target: endName(connection.target), ...jsonPorts(ports) })) },
    ...(recommendation.flows === undefined ? {} : { flows: jsonFlows(recommendation.flows) }),
    ...(openness === undefined ? {} : { openness }),
    ...(difference === undefined ? {} : { changes: [...changeRows(difference.comparison)] }),
    findings: [...textFindings, ...recommendation.findings].map(jsonFinding),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function jsonConnection(connection: Connection, flows: FlowsAnswer | undefined): object {
  const { source, target, ports, witnesses, decision } = connection;
  return { source: endName(source), target: endName(target), ...jsonPorts(ports), ...(decision === undefined ? {} : { decision }), witnesses, ...(flows === undefined ? {} : jsonSeen(flows, connection)) };
}
