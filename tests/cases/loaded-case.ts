// A case read and compiled, with the ends that its expected answer names.
import { isOutside, listEndpoints } from '../../src/analyze/endpoints.ts';
import { reach } from '../../src/analyze/reach.ts';
import { hasErrors } from '../../src/base/finding.ts';
import type { IpRange } from '../../src/base/ip-address.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Program } from '../../src/compile/program.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { formatPorts } from '../../src/report/text/port-text.ts';
import type { CasePage } from './case-page.ts';
import { endName, formatReach } from './reach-text.ts';

export interface LoadedCase {
  readonly page: CasePage;
  readonly cluster: Cluster;
  readonly program: Program;
  readonly ends: readonly CaseEnd[];
}

/** A workload's pods, a range outside, or a name outside. */
export interface CaseEnd {
  readonly name: string;
  /** Indices of `cluster.pods`; empty for a range. */
  readonly pods: readonly number[];
  readonly range: IpRange | undefined;
  readonly domainName: string | undefined;
}

/** Throws where the page's manifests have errors. */
export function loadCase(page: CasePage): LoadedCase {
  const { cluster, findings } = readManifests([sourceFromText(page.file, page.manifests)]);
  if (hasErrors(findings)) throw new Error(`${page.file}: ${JSON.stringify(findings, undefined, 1)}`);
  const program = compileCluster(cluster);
  const ends = listEndpoints(program, 'workload').map(({ endpoint, podIndices, range }): CaseEnd => ({ name: endName(endpoint), pods: podIndices, range, domainName: isOutside(endpoint) && endpoint.kind === 'DomainName' ? endpoint.name : undefined }));
  return { page, cluster, program, ends };
}

/** What `analyze` answers, as the expected block of a page writes it. */
export function answerReach({ program }: LoadedCase): string {
  return reachOf(program);
}

export function reachOf(program: Program): string {
  const { endpoints, rows } = reach(program, { by: 'workload' });
  return formatReach(
    Array.from(rows(), ({ source, target, ports }) => ({
      source: endName(endpoints[source]!),
      target: endName(endpoints[target]!),
      traffic: formatPorts(ports),
    })),
  );
}
