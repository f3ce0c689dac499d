// A running cluster as a release wants it: its objects as they are now, who calls pods in it, and the way to write.
import { hasErrors } from '../../base/finding.ts';
import type { Cluster } from '../../model/cluster.ts';
import { readManifests } from '../../read/read.ts';
import type { WrittenObject } from '../../read/values/written-object.ts';
import type { ClusterApi } from '../../kube/cluster-api.ts';
import { openKubeApi } from '../../kube/kube-api.ts';
import { readCluster } from '../../kube/kube.ts';
import { saysWhoCalls } from '../../lint/callers/callers.ts';
import type { LineLookup } from '../../report/findings/finding-text.ts';
import { findApiCallers } from '../../release/api-callers.ts';
import { openedCluster } from '../../input/open-base.ts';
import { writeNote } from '../../terminal/output.ts';
import { writeFindings } from '../../terminal/write-findings.ts';

export interface LiveOptions {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly lenient?: boolean;
}

export interface LiveCluster {
  readonly api: ClusterApi;
  readonly cluster: Cluster;
  readonly written: readonly WrittenObject[];
  readonly lineOf: LineLookup;
  /** undefined: this user may not list who was given rights. */
  readonly apiCallers: ReadonlySet<string> | undefined;
}

/** undefined: a policy of the cluster cannot be understood, which has been said. Fails with ClusterError. */
export async function readLiveCluster(options: LiveOptions): Promise<LiveCluster | undefined> {
  const { context, kubeconfig, lenient = false } = options;
  const api = await openKubeApi({ ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) });
  const read = await readCluster(api, { lenient, withCallers: true });
  const opened = await openedCluster(api.name, read);
  const { cluster, written, findings } = readManifests(opened.readFiles, { lenient, keepsWritten: saysWhoCalls });
  if (hasErrors(findings)) {
    await writeFindings(findings, { lineOf: opened.lineOf });
    await writeNote('bulkhead: the cluster holds what cannot be understood, so nobody can say what a change would do: mend it, or leave it out with --lenient\n');
    return undefined;
  }
  const left = (opened.findings ?? []).filter(({ severity }) => severity !== 'info');
  await writeFindings(left, { lineOf: opened.lineOf });
  return { api, cluster, written, lineOf: opened.lineOf, apiCallers: await findApiCallers(api, read.entries) };
}
