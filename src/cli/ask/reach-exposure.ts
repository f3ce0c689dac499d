// `bulkhead reach --exposure`: what pods that are not there yet could reach or be reached by.
import type { Cluster } from '../../model/cluster.ts';
import type { Grain } from '../../analyze/endpoints.ts';
import type { ReachFocus } from '../../analyze/focus-reach.ts';
import { findNewPodExposure, type WorkloadExposure } from '../../analyze/new-pod-exposure.ts';
import { EXPOSURE_FORMATS, exposureJson, exposureMarkdown, exposureTable } from '../../report/ask/new-pod-exposure.ts';
import type { ReachFormat } from '../../report/reach/reach-formats.ts';
import { dataAnswer } from '../../terminal/data-answer.ts';
import { UsageError } from '../../terminal/failures.ts';
import { writeAnswer } from '../../terminal/output.ts';
import { terminalOf } from '../../terminal/terminal.ts';

interface ExposureOptions {
  readonly output: ReachFormat;
  readonly by: Grain;
}

export async function answerExposure(cluster: Cluster, { sources, targets, either, ports }: ReachFocus, { output, by }: ExposureOptions): Promise<number> {
  if (by !== 'workload' || ports !== undefined || sources !== undefined || targets !== undefined) throw new UsageError('--exposure is told by workload, of all ports, both ways', 'choose the workloads with --focus WORD');
  const format = EXPOSURE_FORMATS.find((one) => one === output);
  if (format === undefined) throw new UsageError(`-o ${output} has no place for what is not there yet`, `with --exposure take one of: ${EXPOSURE_FORMATS.join(', ')}`);
  const names = either === undefined ? undefined : new Set(either.pods.map(({ workload }) => `${workload.kind} ${workload.namespace}/${workload.name}`));
  const exposures = findNewPodExposure(cluster).filter(({ endpoint }) => names === undefined || ('namespace' in endpoint && names.has(`${endpoint.kind} ${endpoint.namespace}/${endpoint.name}`)));
  await writeAnswer(await formatExposure(format, exposures));
  return 0;
}

async function formatExposure(format: (typeof EXPOSURE_FORMATS)[number], exposures: readonly WorkloadExposure[]): Promise<Iterable<string>> {
  switch (format) {
    case 'table':
      return [exposureTable(exposures, terminalOf(process.stdout).style)];
    case 'md':
      return [exposureMarkdown(exposures)];
    case 'json':
    case 'yaml':
      return dataAnswer(format, [exposureJson(exposures)]);
  }
}
