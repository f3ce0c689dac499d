// Which objects say that somebody calls pods: the scraper of metrics, or the API server; and the pods of one call that policies treat alike.
import type { ObjectName } from '../../base/finding.ts';
import { hasPoint, pointOf } from '../../base/port-set.ts';
import { allowedPorts } from '../../analyze/decide.ts';
import type { EndpointRef } from '../../analyze/endpoint.ts';
import { alikeKey } from '../../analyze/named-ends.ts';
import type { Program } from '../../compile/program.ts';
import type { WrittenObject } from '../../read/values/written-object.ts';
import { calledServices } from './api-calls.ts';
import type { LintContext } from '../context/lint-context.ts';
import { isPrometheus } from './monitor-selection.ts';
import { isMonitor, namesScrapedPort, type PodPort } from './scrapes.ts';

/** What `lintCluster` wants of an input beside its cluster: as `keepsWritten`, it keeps no other object. */
export function saysWhoCalls(object: WrittenObject): boolean {
  return isMonitor(object) || isPrometheus(object) || calledServices(object).length > 0 || namesScrapedPort(object);
}

export interface CalledPods extends PodPort {
  /** `` `shop/web` and 2 more on TCP 9090 ``; of the pods alike, `pod` is the first. */
  readonly text: string;
  readonly isOneWorkload: boolean;
}

/** One of each kind of pods that policies treat alike, for each port. */
export function calledGrouper({ cluster, program }: LintContext): (targets: readonly PodPort[]) => readonly CalledPods[] {
  const keyOf = alikeKey(program);
  return (targets) => [...Map.groupBy(targets, ({ pod, port }) => `${keyOf(pod)} ${port}`).values()].map((alike) => {
    const { pod, port } = alike[0]!;
    const [first, ...others] = new Set(alike.map((each) => workloadName(cluster.pods[each.pod]!)));
    return { pod, port, isOneWorkload: others.length === 0, text: `${first!}${others.length === 0 ? '' : ` and ${others.length} more`} on TCP ${port}` };
  });
}

export function workloadName({ workload }: { readonly workload: { readonly namespace: string; readonly name: string } }): string {
  return `\`${workload.namespace}/${workload.name}\``;
}

export function mayCall(program: Program, source: EndpointRef, { pod, port }: PodPort): boolean {
  return hasPoint(allowedPorts(program, source, { kind: 'pod', pod }), pointOf('TCP', port));
}

export function nameOfWritten({ kind, namespace, name }: WrittenObject): ObjectName {
  return { kind, namespace, name };
}
