// What a change of policies newly cuts that clusters live on: DNS, the API server, what comes in from outside, webhooks. Each with a witness.
import { formatIpAddress } from '../base/ip-address.ts';
import { hasPoint, pointOf, type Protocol } from '../base/port-set.ts';
import type { RelatedPlace } from '../base/finding.ts';
import type { Program } from '../compile/program.ts';
import type { Cluster } from '../model/cluster.ts';
import type { WrittenObject } from '../read/values/written-object.ts';
import { allowedPorts } from '../analyze/decide.ts';
import { isDnsPod } from '../analyze/dns-pods.ts';
import { quadKey, quadOfGroup, type EndpointRef } from '../analyze/endpoint.ts';
import { findExposures, type Exposure } from '../analyze/exposure.ts';
import type { ProgramPair } from '../compare/program-pair.ts';
import { DNS_PORTS } from '../lint/context/dns-pods.ts';
import { lintAnswer } from '../lint/checks/lint-meaning.ts';
import { explainRefusal } from '../lint/context/refusal.ts';

/** `namespace`: all that a whole namespace may take or open. `flows`: what was seen on the wire. `order`: a state in between opens or cuts something. */
export const GUARDS = ['dns', 'api-server', 'ingress', 'webhooks', 'namespace', 'flows', 'order'] as const;
export type Guard = (typeof GUARDS)[number];

/** One connection that was allowed and is not any more, and how many more are like it. */
export interface GuardWitness {
  readonly guard: Guard;
  /** Whole: `shop/web-0 asks DNS of kube-system/coredns-1`. */
  readonly message: string;
  /** `UDP 53`. */
  readonly traffic: string;
  /** What refuses it now. */
  readonly policy: string;
  readonly related: readonly RelatedPlace[];
  /** Pods beside the one that is named. */
  readonly more: number;
}

export interface GuardContext {
  /** Objects that say whom the API server calls. */
  readonly written: readonly WrittenObject[];
  /** Pods, as `namespace/name`, whose service account was given rights: they ask the API server. undefined: nobody could find out. */
  readonly apiCallers: ReadonlySet<string> | undefined;
}

/** Both are of the same pods. */
export function findCuts(pair: ProgramPair, context: GuardContext): readonly GuardWitness[] {
  return [...dnsCuts(pair), ...apiServerCuts(pair, context), ...ingressCuts(pair), ...webhookCuts(pair, context)];
}

// --- DNS and the API server: pods that asked one of several ends, and none of them answers any more

interface Asked {
  readonly target: EndpointRef;
  readonly protocol: Protocol;
  readonly port: number;
}

function dnsCuts(pair: ProgramPair): readonly GuardWitness[] {
  const { pods } = pair.before.cluster;
  const servers = [...pods.keys()].filter((pod) => isDnsPod(pods[pod]!));
  const asked = servers.flatMap((pod): Asked[] => dnsPorts(pair.before.cluster, pod).map((port) => ({ target: { kind: 'pod', pod }, protocol: 'UDP', port })));
  const clients = [...pods.keys()].filter((pod) => !pods[pod]!.hostNetwork && !servers.includes(pod));
  return cutFromAll(pair, { guard: 'dns', clients, asked, verb: 'asks DNS of' });
}

function dnsPorts({ pods }: Cluster, pod: number): readonly number[] {
  const open = DNS_PORTS.filter((number) => pods[pod]!.ports.some(({ protocol, port }) => protocol === 'UDP' && port === number));
  return open.length > 0 ? open : [DNS_PORTS[0]!];
}

function apiServerCuts(pair: ProgramPair, { apiCallers }: GuardContext): readonly GuardWitness[] {
  const { pods, endpointSlices } = pair.before.cluster;
  const slices = endpointSlices.filter(({ namespace, serviceName }) => namespace === 'default' && serviceName === 'kubernetes');
  const asked = slices.flatMap(({ endpoints, ports }) => endpoints.flatMap(({ addresses }) => addresses).flatMap((address) => ports.map(({ protocol, port }): Asked => ({ target: { kind: 'address', address }, protocol, port }))));
  const clients = [...pods.keys()].filter((pod) => !pods[pod]!.hostNetwork && apiCallers?.has(`${pods[pod]!.namespace}/${pods[pod]!.name}`) === true);
  return cutFromAll(pair, { guard: 'api-server', clients, asked, verb: 'asks the API server at' });
}

interface AskedOfAll {
  readonly guard: Guard;
  readonly clients: readonly number[];
  readonly asked: readonly Asked[];
  readonly verb: string;
}

/** One witness for each kind of pods that both Programs treat alike. */
function cutFromAll({ before, after }: ProgramPair, { guard, clients, asked, verb }: AskedOfAll): readonly GuardWitness[] {
  const kindOf = (pod: number): string => [before, after].map((program) => quadKey(quadOfGroup(program, program.groupOfPod[pod]!))).join(' | ');
  const may = (program: Program, pod: number, { target, protocol, port }: Asked): boolean => hasPoint(allowedPorts(program, { kind: 'pod', pod }, target), pointOf(protocol, port));
  return [...Map.groupBy(clients, kindOf).values()].flatMap((alike): GuardWitness[] => {
    const [pod] = alike as [number, ...number[]];
    const lost = asked.find((one) => may(before, pod, one));
    if (lost === undefined || asked.some((one) => may(after, pod, one))) return [];
    const { policy, isByEgress, related } = explainRefusal(after, { source: { kind: 'pod', pod }, ...lost });
    const message = `${podText(before, pod)} ${verb} ${endText(before, lost.target)}`;
    return [{ guard, message, traffic: `${lost.protocol} ${lost.port}`, policy: `the ${isByEgress ? 'egress' : 'ingress'} side of ${policy}`, related, more: alike.length - 1 }];
  });
}

function podText({ cluster }: Program, pod: number): string {
  const { namespace, name } = cluster.pods[pod]!;
  return `${namespace}/${name}`;
}

function endText(program: Program, end: EndpointRef): string {
  return end.kind === 'pod' ? podText(program, end.pod) : end.kind === 'address' ? formatIpAddress(end.address) : end.name;
}

// --- What comes in from outside

/** Entrances stand in the same order in both; a pod that was shut out before is no news. */
function ingressCuts({ before, after }: ProgramPair): readonly GuardWitness[] {
  const [old, now] = [findExposures(before), findExposures(after)];
  return now.flatMap((exposure, index) => {
    const open = new Set(old[index]!.targets.filter(({ verdict }) => verdict !== 'closed').flatMap(({ pods, protocol, port }) => pods.map((pod) => `${pod} ${protocol} ${port}`)));
    return exposure.targets.flatMap(({ verdict, pods, protocol, port, refused }): GuardWitness[] => {
      const cut = verdict === 'closed' ? pods.filter((pod) => open.has(`${pod} ${protocol} ${port}`)) : [];
      if (cut.length === 0 || refused === undefined) return [];
      const { policy, isByEgress, related } = explainRefusal(after, { ...refused, protocol, port });
      const message = `${entranceText(exposure)} leads from ${endText(after, refused.source)} to ${podText(after, cut[0]!)}`;
      return [{ guard: 'ingress', message, traffic: `${protocol} ${port}`, policy: `the ${isByEgress ? 'egress' : 'ingress'} side of ${policy}`, related, more: cut.length - 1 }];
    });
  });
}

function entranceText({ entrance }: Exposure): string {
  return entrance.kind === 'Ingress' ? `Ingress ${entrance.ingress.namespace}/${entrance.ingress.name}` : `${entrance.kind} Service ${entrance.service.namespace}/${entrance.service.name}`;
}

// --- Webhooks and extension APIs

function webhookCuts({ before, after }: ProgramPair, { written }: GuardContext): readonly GuardWitness[] {
  const found = (program: Program) => lintAnswer(program.cluster, program, { written }).filter(({ code }) => code === 'webhook-blocked');
  const keyOf = ({ object, range }: ReturnType<typeof found>[number]): string => JSON.stringify([object, range]);
  if (written.length === 0) return [];
  const known = new Set(found(before).map(keyOf));
  const fresh = found(after).filter((finding) => !known.has(keyOf(finding)));
  return fresh.map(({ message, related }) => ({ guard: 'webhooks', message, traffic: 'TCP', policy: related?.[0]?.message ?? 'a policy', related: related ?? [], more: 0 }));
}
