// What somebody should know who takes the policies: decisions that are open, workloads that cannot be told apart, and those of which nothing is seen.
import { compareText, type Finding, type ObjectName } from '../../base/finding.ts';
import { PROTOCOLS, protocolRanges, type PortSet } from '../../base/port-set.ts';
import type { ServiceRoute } from '../../analyze/services.ts';
import type { Cluster, Workload } from '../../model/cluster.ts';
import { locateOrigin } from '../../model/origin.ts';
import { CONNECTS_TO } from '../ends/connects-to.ts';
import { endName, type Connection } from '../ends/connection.ts';
import { listed } from '../ends/listed.ts';
import type { Proof } from '../proof/prove-policies.ts';
import type { Subject, Subjects, Unselectable } from '../ends/subjects.ts';

export interface NoteContext {
  readonly cluster: Cluster;
  readonly subjects: Subjects;
  readonly routes: readonly ServiceRoute[];
  /** Those that the policies close. */
  readonly namespaces: ReadonlySet<string>;
  readonly connections: readonly Connection[];
}

/** One for each thing to decide, at the first of what shows it. */
export function noteDecisions(connections: readonly Connection[]): readonly Finding[] {
  const undecided = connections.filter(({ decision }) => decision !== undefined);
  return [...Map.groupBy(undecided, ({ decision }) => decision!)].flatMap(([decision, same]): readonly Finding[] => {
    const [first, ...others] = same.flatMap(({ witnesses }) => witnesses);
    if (first === undefined) return [];
    const named = same.map((connection) => `${connectionText(connection)} on ${portsText(connection.ports)}`);
    return [{
      code: 'needs-decision',
      severity: 'warning',
      message: `${listed(named)}: ${decision}`,
      file: first.file,
      range: first.range,
      object: first.object,
      help: 'narrow the rule to the addresses or the namespace that you know, or leave it out with --only-decided',
      ...(others.length === 0 ? {} : { related: others.map(({ file, range, says }) => ({ message: says, file, range })) }),
    }];
  });
}

export function noteRefused({ refused }: Proof): readonly Finding[] {
  return refused.flatMap(({ connection, ports }) => {
    const [first] = connection.witnesses;
    if (first === undefined) return [];
    return [{ code: 'witness-refused', severity: 'warning', message: `${connectionText(connection)} on ${portsText(ports)} stays closed: a cluster-wide policy of the input refuses it`, file: first.file, range: first.range, object: first.object, help: 'ask `bulkhead explain` which one' }];
  });
}

/** Workloads that share a policy, and those that none can select. */
export function noteSubjects(context: NoteContext): readonly Finding[] {
  const alike = context.subjects.all.filter(({ workloads, namespace }) => workloads.length > 1 && context.namespaces.has(namespace)).map((subject) => noteAlike(context, subject));
  const unselectable = context.subjects.unselectable.filter(({ workload }) => context.namespaces.has(workload.namespace)).map(({ workload, pods, why }): Finding => ({
    ...placeOf(context, workload, pods[0]!),
    code: 'not-selectable',
    severity: 'warning',
    message: UNSELECTABLE[why](workloadText(workload)),
    help: why === 'host' ? 'protect the node itself, or take `hostNetwork` away' : 'give them a label such as `app`',
  }));
  return [...alike, ...unselectable];
}

const UNSELECTABLE: Readonly<Record<Unselectable['why'], (workload: string) => string>> = {
  host: (workload) => `${workload} has the network of its node: no policy can select its pods, and none is written`,
  unlabeled: (workload) => `the pods of ${workload} have no label that stays: the default deny closes them, and no policy can open anything`,
  alike: (workload) => `no label that stays tells the pods of ${workload} from those of workloads that no policy can select: the default deny closes them, and none is written`,
};

/** Pods have addresses too: rules for everybody outside leave out those that are known. */
export function noteUnknownPods({ cluster, connections }: NoteContext): readonly Finding[] {
  if (cluster.podRanges.length > 0) return [];
  const first = connections.find(({ source }) => source.kind === 'addresses' && source.blocks.some(({ cidr }) => cidr.first === 0n))?.witnesses[0];
  if (first === undefined) return [];
  return [{ code: 'ip-block-may-match-pods', severity: 'info', message: 'rules for everybody outside cover the addresses of pods as well, which are not known', file: first.file, range: first.range, object: first.object, help: 'give the ranges of the pods by `--pod-cidr`, so that these rules leave them out' }];
}

function noteAlike(context: NoteContext, { workloads, pods }: Subject): Finding {
  const [first, ...others] = workloads;
  return {
    ...placeOf(context, first!, pods[0]!),
    code: 'workloads-alike',
    severity: 'warning',
    message: `no label that stays tells ${workloadText(first!)} from ${listed(others.map(workloadText))}: they share a policy, and each may do what the others need`,
    help: 'give each a label of its own, other than a version or an instance',
  };
}

/** A Service that nothing names may be reached by what is not in the input: with the default deny it is not. */
export function noteUnseen({ routes, subjects, namespaces, connections }: NoteContext): readonly Finding[] {
  const reached = new Set(connections.flatMap(({ target }) => (target.kind === 'subject' ? [target.subject] : [])));
  return routes.flatMap(({ service, pods, leadsTo }): readonly Finding[] => {
    const behind = [...new Set(pods.flatMap((pod) => subjects.of(pod) ?? []))];
    if (leadsTo !== 'pods' || !namespaces.has(service.namespace) || behind.length === 0 || behind.some((subject) => reached.has(subject))) return [];
    const near = likelyClient(subjects, behind[0]!);
    return [{
      code: 'nothing-seen',
      severity: 'warning',
      message: `nothing in the manifests connects to the Service \`${service.namespace}/${service.name}\`, which stays closed${near === undefined ? '' : `; by its name, \`${near}\` may`}`,
      ...locateOrigin(service.origin),
      object: { kind: 'Service', namespace: service.namespace, name: service.name },
      help: `say who connects: \`${CONNECTS_TO}: ${service.name}\` as an annotation of ${near === undefined ? 'the client' : `\`${near}\``}`,
    }];
  });
}

/** `orders` of `orders-db`: a guess, to be said and not to be opened. */
function likelyClient({ all }: Subjects, { namespace, name, workloads }: Subject): string | undefined {
  const stem = (workloads[0]?.name ?? name).replace(/-[^-]+$/, '');
  return all.find((subject) => subject.namespace === namespace && subject.name === stem && subject.name !== name)?.name;
}

function placeOf({ cluster }: NoteContext, { kind, namespace, name }: Workload, pod: number): Pick<Finding, 'file' | 'range' | 'object'> & { readonly object: ObjectName } {
  return { ...locateOrigin(cluster.pods[pod]!.origin), object: { kind, namespace, name } };
}

function workloadText({ kind, namespace, name }: Workload): string {
  return `${kind} \`${namespace}/${name}\``;
}

function connectionText({ source, target }: Connection): string {
  return `${endName(source)} → ${endName(target)}`;
}

/** `TCP 80, TCP 443-445, UDP 53`. */
export function portsText(ports: PortSet): string {
  return PROTOCOLS.flatMap((protocol) => protocolRanges(ports, protocol).map(([first, last]) => `${protocol} ${first}${first === last ? '' : `-${last}`}`))
    .sort(compareText)
    .join(', ');
}
