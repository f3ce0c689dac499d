// What policies that are being typed would refuse of recorded flows, as findings beside them.
import { statSync } from 'node:fs';
import { hasErrors, type Finding } from '../../base/finding.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import { replayFlows } from '../../flow/replay.ts';
import { readFlowFiles } from '../../input/flow-files.ts';
import type { ManifestText } from '../../lint/lint-manifests.ts';
import { readManifests, type ReadOptions } from '../../read/read.ts';
import { replayFindings } from '../../report/flows/replay-findings.ts';

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
  return replayFindings(cluster, replayFlows(cluster, table).refused.mostSeen(REFUSED_MAX), 'warning');
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
