// What is in force where, as two tables or as data.
import { NO_LOSSES, type FlowLosses } from '../../flow/flow-losses.ts';
import type { AuditRollout, NodeLosses, NodeStanding, PolicyOnNode, PolicyRollout, Rollout } from '../../status/rollout.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { alignColumns, type Cell } from '../text/table.ts';

/** Nodes named below a policy; more are counted. */
const NODES_SHOWN_MAX = 5;

export function rolloutJson({ nodes, policies, audits, isComplete }: Rollout): string {
  return `${JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'Rollout', complete: isComplete, nodes, policies, audits }, undefined, 2)}\n`;
}

export function rolloutText({ nodes, policies, audits }: Rollout, style: Style): string {
  const ofNodes = alignColumns([['NODE', 'AGENT', 'ENFORCING', 'VERSION', 'REPORTED'], ...nodes.map((node) => nodeRow(node, style))]);
  const troubles = nodes.flatMap(({ node, troubles: list, losses }) => [...list, ...(losses === undefined ? [] : [lossText(losses)])].map((line) => `  ${printable(node)}: ${printable(line)}`));
  const rows = policies.map((policy) => policyRow(policy, style));
  const ofPolicies = alignColumns([['POLICY', 'GENERATION', 'IN FORCE', 'SINCE'], ...rows]);
  const [head, ...lines] = ofPolicies;
  const detailed = lines.flatMap((line, index) => [line, ...details(policies[index]!, style)]);
  const tables = nodes.length === 0 ? ['the cluster has no nodes'] : [...ofNodes, ...troubles];
  return [...tables, '', ...(policies.length === 0 ? ['the cluster has no policies'] : [head!, ...detailed]), ...auditLines(audits, style), ''].join('\n');
}

/** Nothing where nothing is audited. */
function auditLines(audits: readonly AuditRollout[], style: Style): readonly string[] {
  if (audits.length === 0) return [];
  const rows = audits.map(({ namespace, nodes, judged, wouldRefuse, since }): (Cell | string)[] => {
    const text = `${wouldRefuse}`;
    return [printable(namespace), `${nodes}`, `${judged}`, { text, painted: wouldRefuse === 0 ? text : style.red(text) }, printable(since)];
  });
  const [head, ...lines] = alignColumns([['AUDITED, NOT ENFORCED', 'NODES', 'JUDGED', 'WOULD REFUSE', 'SINCE'], ...rows]);
  return ['', head!, ...lines.flatMap((line, index) => [line, ...audits[index]!.witnesses.map((witness) => style.dim(`  ${witnessText(witness)}`))])];
}

function witnessText({ direction, source, target, protocol, port, judged }: AuditRollout['witnesses'][number]): string {
  return printable(`${direction} ${source} -> ${target} ${protocol}${port === 0 ? '' : `/${port}`} (${judged})`);
}

const LOSS_WORDS: Readonly<Record<keyof FlowLosses, string>> = {
  ledgerFull: 'the kernel had no room for',
  spoolFull: 'the disk had no room for while the server of flows was away',
  unwritten: 'the disk did not take',
  refused: 'the server of flows refused',
};

function lossText({ since, ...losses }: NodeLosses): string {
  const parts = (Object.keys(NO_LOSSES) as (keyof FlowLosses)[]).flatMap((why) => (losses[why] === undefined ? [] : [`${losses[why]} ${LOSS_WORDS[why]}`])); // it has these and no others
  return `judgments of which no flow tells, since ${since}: ${parts.join(', ')}`;
}

const STANDING_WORDS = { ready: 'ready', 'not-ready': 'not ready', silent: 'silent', 'no-agent': 'no agent' } as const;

function nodeRow({ node, standing, isEnforcing, version, reportedAt }: NodeStanding, style: Style): readonly (Cell | string)[] {
  const text = STANDING_WORDS[standing];
  const enforcing = isEnforcing === undefined ? '?' : isEnforcing ? 'yes' : 'no';
  return [printable(node), { text, painted: standing === 'ready' ? style.green(text) : style.red(text) }, enforcing, printable(version ?? ''), printable(reportedAt ?? '')];
}

function policyRow({ kind, namespace, name, generation, nodes }: PolicyRollout, style: Style): readonly (Cell | string)[] {
  const inForce = nodes.filter(({ standing }) => standing === 'in-force');
  const text = `${inForce.length} of ${nodes.length} nodes`;
  // Everywhere since the last of them.
  const since = inForce.length < nodes.length ? '' : (inForce.map((one) => one.since!).sort().at(-1) ?? '');
  return [`${kind} ${printable(namespace === undefined ? name : `${namespace}/${name}`)}`, `${generation}`, { text, painted: inForce.length === nodes.length ? style.green(text) : style.red(text) }, printable(since)];
}

function details({ nodes, overdueSince }: PolicyRollout, style: Style): readonly string[] {
  const overdue = overdueSince === undefined ? [] : [style.red(`  its time is over since ${printable(overdueSince)}, and it stands: \`bulkhead rollback --expired\` takes it back`)];
  const told = nodes.flatMap((one) => reasonOf(one));
  const more = told.length - NODES_SHOWN_MAX;
  return [...overdue, ...[...told.slice(0, NODES_SHOWN_MAX), ...(more > 0 ? [`and ${more} more`] : [])].map((line) => style.dim(`  ${line}`))];
}

function reasonOf({ node, standing, problem, why }: PolicyOnNode): readonly string[] {
  if (problem !== undefined) return [`${printable(node)}: closed: ${printable(problem)}`];
  if (standing === 'in-force') return [];
  if (standing === 'audited') return [`${printable(node)}: audited: judged, and not enforced`];
  return [`${printable(node)}: ${standing === 'pending' ? 'not yet' : `unknown: ${printable(why ?? '')}`}`];
}
