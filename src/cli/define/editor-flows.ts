// What policies that are being typed would refuse of recorded flows, as findings beside them.
import { statSync } from 'node:fs';
import { hasErrors, type Finding } from '../../base/finding.ts';
import { trafficText } from '../../flow/flow-protocol.ts';
import { endName, policyText, type FlowReason, type FlowRecord, type PolicyName } from '../../flow/flow-record.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import { replayFlows } from '../../flow/replay.ts';
import { readFlowFiles } from '../../input/flow-files.ts';
import type { ManifestText } from '../../lint/lint-manifests.ts';
import type { Cluster } from '../../model/cluster.ts';
import { DIRECTIONS } from '../../model/network-policy.ts';
import { locateOrigin } from '../../model/origin.ts';
import { readManifests, type ReadOptions } from '../../read/read.ts';

/** Of all files of flows. */
const FLOW_BYTES_MAX = 64 << 20;
/** Refused flows that are looked at, those seen most often first. */
const REFUSED_MAX = 2000;

/** One for each policy; none where the manifests have errors, or the flows cannot be read or are too many. */
export async function editorFlowFindings(texts: readonly ManifestText[], files: readonly string[], options: ReadOptions): Promise<readonly Finding[]> {
  const table = await flowsOf(files);
  if (table === undefined) return [];
  const encoder = new TextEncoder();
  const { cluster, findings } = readManifests(texts.map(({ name, text }) => ({ name, chunks: () => [encoder.encode(text)] })), options);
  if (hasErrors(findings)) return [];
  const refused = Map.groupBy(replayFlows(cluster, table).refused.mostSeen(REFUSED_MAX), ({ reason }) => policyText(refuserOf(reason!))); // of a replay each has one
  return [...refused].flatMap(([policy, records]) => findingOf(cluster, policy, records));
}

/** As long as the files stay as they are. */
let kept: { readonly key: string; readonly table: FlowTable | undefined } | undefined;

async function flowsOf(files: readonly string[]): Promise<FlowTable | undefined> {
  const stats = files.map((file) => statSync(file, { throwIfNoEntry: false }));
  if (stats.some((stat) => stat?.isFile() !== true)) return undefined;
  const key = stats.map((stat) => `${stat!.size} ${stat!.mtimeMs}`).join(); // they are files
  if (kept?.key === key) return kept.table;
  const isFit = stats.reduce((sum, stat) => sum + stat!.size, 0) <= FLOW_BYTES_MAX;
  kept = { key, table: isFit ? (await readFlowFiles(files, { lenient: true }))?.table : undefined };
  return kept.table;
}

/** The one whose rule denies, or came nearest; else the first that isolates. */
function refuserOf(reason: FlowReason): PolicyName {
  const { rules, nearMiss, isolatedBy } = reason[DIRECTIONS.toReversed().find((direction) => reason[direction].verdict === 'refuses')!]; // it is refused
  return rules[0] ?? nearMiss ?? isolatedBy[0]!;
}

function findingOf(cluster: Cluster, policy: string, records: readonly FlowRecord[]): readonly Finding[] {
  const found = [...cluster.policies, ...cluster.clusterPolicies].find((one) => policyText({ kind: one.kind, namespace: one.kind === 'NetworkPolicy' ? one.namespace : '', name: one.name }) === policy);
  const [first] = records;
  if (found === undefined || first === undefined) return [];
  const flows = records.length === 1 ? 'a recorded flow' : `${records.length} recorded flows`;
  return [{
    code: 'refuses-recorded-flow',
    severity: 'warning',
    message: `would refuse ${flows}${records.length === 1 ? '' : ', such as'} \`${endName(first.source)} → ${endName(first.target)}\` on ${trafficText(first.protocol, first.port)}, seen ${first.count === 1 ? 'once' : `${first.count} times`}`,
    ...locateOrigin(found.origin),
    object: { kind: found.kind, namespace: found.kind === 'NetworkPolicy' ? found.namespace : '', name: found.name },
    help: 'allow it, if it is meant to go on; `bulkhead replay` shows each',
  }];
}
