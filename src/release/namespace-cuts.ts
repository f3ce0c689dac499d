// Namespaces in which no pod may take, or open, a single connection any more, though some may today.
import { locateOrigin } from '../model/origin.ts';
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';
import type { ProgramPair } from '../compare/program-pair.ts';
import type { GuardWitness } from './guards.ts';

/** One witness for each namespace and direction. Pods that offer nothing, by a port or a Service, are asked for by nobody: they lose no ingress. */
export function namespaceCuts({ before, after }: ProgramPair): readonly GuardWitness[] {
  const { pods } = before.cluster;
  const judged = [...pods.keys()].filter((pod) => !pods[pod]!.hostNetwork);
  return [...Map.groupBy(judged, (pod) => pods[pod]!.namespace)].flatMap(([namespace, own]) =>
    DIRECTIONS.flatMap((direction): GuardWitness[] => {
      const wanted = direction === 'egress' ? own : own.filter((pod) => offersSomething(before.cluster, pods[pod]!));
      if (wanted.length === 0 || talking(after, direction, own) > 0) return [];
      const today = talking(before, direction, wanted);
      return today === 0 ? [] : [witness(after, direction, { namespace, pod: wanted[0]!, today })];
    }),
  );
}

/** How many of the pods any rule, or the lack of one, lets do anything in the direction. */
function talking(program: Program, direction: Direction, pods: readonly number[]): number {
  const known = new Map<number, boolean>();
  return pods.filter((pod) => {
    const subject = program[direction].subjectOfGroup[program.groupOfPod[pod]!]!;
    if (!known.has(subject)) known.set(subject, allowsAnything(program[direction], subject));
    return known.get(subject)!;
  }).length;
}

function allowsAnything(program: DirectionProgram, subject: number): boolean {
  const row = program.rowOf(subject);
  for (let peerClass = 0; peerClass < program.classCount; peerClass++) if (row.at(peerClass) !== NO_PORTS_ID) return true;
  return false;
}

function offersSomething({ services }: Cluster, { namespace, labels, ports }: Pod): boolean {
  return ports.length > 0 || services.some((service) => service.namespace === namespace && service.selector !== undefined && [...service.selector].every(([key, value]) => labels.get(key) === value));
}

function witness(after: Program, direction: Direction, { namespace, pod, today }: { readonly namespace: string; readonly pod: number; readonly today: number }): GuardWitness {
  const subject = after[direction].subjectOfGroup[after.groupOfPod[pod]!]!;
  const policy = after[direction].policiesOf(subject)[0] ?? after[direction].clusterPoliciesOf(subject)[0]!; // it is governed, or it could talk
  const name = policy.kind === 'NetworkPolicy' ? `${policy.namespace}/${policy.name}` : policy.name;
  return {
    guard: 'namespace',
    message: `no pod of ${namespace} ${direction === 'egress' ? 'may open' : 'may take'} a connection any more, and ${today} may today`,
    traffic: 'everything',
    policy: `${policy.kind} \`${name}\``,
    related: [{ message: `governed by ${name}`, ...locateOrigin(policy.origin) }],
    more: 0,
  };
}
