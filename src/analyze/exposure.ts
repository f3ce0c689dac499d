// Which pods are meant to be reached from outside, by Ingress, load balancer or node port, and whether the policies let it.
import { ADDRESS_BITS, type IpAddress, type IpFamily, type IpRange } from '../base/ip-address.ts';
import { hasPoint, pointOf, type Protocol } from '../base/port-set.ts';
import type { Program } from '../compile/program.ts';
import type { Service, ServicePort } from '../model/cluster.ts';
import type { Ingress, IngressRoute } from '../model/ingress.ts';
import { allowedPorts } from './decide.ts';
import type { EndpointRef } from './endpoint.ts';
import { controllersOf, isControllerPod, type IngressController } from './ingress-controllers.ts';
import { alikeKey } from './named-ends.ts';
import { outsideRanges } from './outside-ranges.ts';
import { routeServices, type PortTarget, type ServiceRoute } from './services.ts';

export interface Exposure {
  readonly entrance: Entrance;
  /** Whose address the policies see. */
  readonly sources: EntranceSources;
  /** Pods that the entrance leads to, those together that policies treat alike; empty where it leads to no known pod. */
  readonly targets: readonly ExposedTarget[];
}

export type Entrance =
  | { readonly kind: 'LoadBalancer' | 'NodePort'; readonly service: Service; readonly port: ServicePort }
  /** Without the Service or its port, the input has none of that name. */
  | { readonly kind: 'Ingress'; readonly ingress: Ingress; readonly route: IngressRoute; readonly service: Service | undefined; readonly port: ServicePort | undefined };

export type EntranceSources =
  /** The clients' own addresses, of these ranges. */
  | { readonly kind: 'clients'; readonly ranges: readonly IpRange[] }
  /** The address of some node, after source translation; empty: the nodes are not in the input. */
  | { readonly kind: 'nodes'; readonly addresses: readonly IpAddress[] }
  /** Pods of the controller, as indices of `cluster.pods`. */
  | { readonly kind: 'controller'; readonly name: string; readonly pods: readonly number[] }
  /** Something of the provider whose addresses the input does not tell. */
  | { readonly kind: 'provider'; readonly name: string }
  /** The controller's pods are not in the input; `name` where the class tells whose they are. */
  | { readonly kind: 'missing-controller'; readonly name: string | undefined };

export interface ExposedTarget {
  /** Indices of `cluster.pods`. */
  readonly pods: readonly number[];
  readonly protocol: Protocol;
  readonly port: number;
  /** Whether the sources may open connections to the port; `partly`: some of them. */
  readonly verdict: 'open' | 'partly' | 'closed' | 'unknown';
  /** The ranges of the outside that the policies let in on the port, whoever the sources are. */
  readonly outside: readonly IpRange[];
  /** Of a refusal, a pair that shows it. */
  readonly refused: { readonly source: EndpointRef; readonly target: EndpointRef } | undefined;
}

/** Entrances of Services in the order of `cluster.services`, then those of Ingresses. */
export function findExposures(program: Program, routes: readonly ServiceRoute[] = routeServices(program.cluster)): readonly Exposure[] {
  const judge = createJudge(program);
  return [...routes.flatMap((route) => exposuresOfService(program, route, judge)), ...exposuresOfIngresses(program, routes, judge)];
}

type Judge = (sources: EntranceSources, targets: readonly PortTarget[]) => readonly ExposedTarget[];

function exposuresOfService({ cluster }: Program, { service, ports }: ServiceRoute, judge: Judge): readonly Exposure[] {
  if (service.type !== 'LoadBalancer' && service.type !== 'NodePort') return [];
  const sources = sourcesOfService(service, cluster.nodes.flatMap(({ addresses }) => addresses));
  return ports.map(({ port, targets }) => ({ entrance: { kind: service.type as 'LoadBalancer' | 'NodePort', service, port }, sources, targets: judge(sources, targets) }));
}

const EVERYBODY: readonly IpRange[] = ([4, 6] as const).map((family) => ({ family, first: 0n, last: (1n << BigInt(ADDRESS_BITS[family])) - 1n }));

/** Kubernetes, "Source IP for Services": with `Local` the client's address stays, with `Cluster` it becomes a node's. */
function sourcesOfService(service: Service, nodeAddresses: readonly IpAddress[]): EntranceSources {
  if (service.type === 'LoadBalancer' && goesToPodsItself(service)) return { kind: 'provider', name: 'the load balancer of AWS, with an address of the VPC or the client\'s own' };
  if (service.externalTrafficPolicy === 'Local') return { kind: 'clients', ranges: service.sourceRanges ?? EVERYBODY };
  return { kind: 'nodes', addresses: nodeAddresses };
}

/** AWS Load Balancer Controller, "Service annotations": targets of type `ip` are the pods themselves. */
function goesToPodsItself({ annotations }: Service): boolean {
  const prefix = 'service.beta.kubernetes.io/aws-load-balancer';
  return annotations?.get(`${prefix}-nlb-target-type`) === 'ip' || annotations?.get(`${prefix}-type`) === 'nlb-ip';
}

function exposuresOfIngresses(program: Program, routes: readonly ServiceRoute[], judge: Judge): readonly Exposure[] {
  const { ingresses } = program.cluster;
  if (ingresses.length === 0) return [];
  const byName = new Map(routes.map((route) => [`${route.service.namespace}/${route.service.name}`, route]));
  const sourcesOf = ingressSourceFinder(program);
  return ingresses.flatMap((ingress) => {
    const sources = sourcesOf(ingress);
    return ingress.routes.map((route): Exposure => {
      const behind = byName.get(`${ingress.namespace}/${route.serviceName}`);
      const found = behind?.ports.find(({ port }) => port.port === route.servicePort || port.name === route.servicePort);
      return { entrance: { kind: 'Ingress', ingress, route, service: behind?.service, port: found?.port }, sources, targets: judge(sources, found?.targets ?? []) };
    });
  });
}

/** Each controller's pods are looked for once. */
function ingressSourceFinder({ cluster }: Program): (ingress: Ingress) => EntranceSources {
  const { pods, ingressClasses, nodes } = cluster;
  const known = new Map<IngressController, readonly number[]>();
  const podsOf = (controller: IngressController): readonly number[] => {
    let found = known.get(controller);
    if (found === undefined) known.set(controller, (found = [...pods.keys()].filter((index) => isControllerPod(pods[index]!, controller))));
    return found;
  };
  return (ingress) => {
    const candidates = controllersOf(ingress, ingressClasses);
    const present = candidates.filter((controller) => podsOf(controller).length > 0);
    if (present.length > 0) return { kind: 'controller', name: present.map(({ name }) => name).join(' or '), pods: present.flatMap(podsOf) };
    const outside = candidates.find((controller) => controller.outside !== undefined);
    if (outside === undefined) return { kind: 'missing-controller', name: candidates.length === 1 ? candidates[0]!.name : undefined };
    // Targets of type `instance`, the default of the AWS controller, are node ports.
    const isByNode = outside.classNames.includes('alb') && ingress.annotations.get('alb.ingress.kubernetes.io/target-type') !== 'ip';
    return isByNode ? { kind: 'nodes', addresses: nodes.flatMap(({ addresses }) => addresses) } : { kind: 'provider', name: outside.outside! };
  };
}

// --- Verdicts

function createJudge(program: Program): Judge {
  const keyOf = alikeKey(program);
  const outside = outsideFinder(program);
  return (sources, targets) => {
    const pods = targets.flatMap(({ end, protocol, port }) => (end.kind === 'pod' ? [{ pod: end.pod, protocol, port }] : []));
    return [...Map.groupBy(pods, ({ pod, protocol, port }) => `${keyOf(pod)} ${protocol} ${port}`).values()].map((alike): ExposedTarget => {
      const { pod, protocol, port } = alike[0]!;
      const target: JudgedTarget = { end: { kind: 'pod', pod }, point: pointOf(protocol, port), outside: outside(pod, pointOf(protocol, port)) };
      return { pods: alike.map((member) => member.pod), protocol, port, outside: target.outside.open, ...judgeTarget(program, sources, target) };
    });
  };
}

interface JudgedTarget {
  readonly end: EndpointRef & { readonly kind: 'pod' };
  readonly point: number;
  readonly outside: OutsideVerdict;
}

/** The outside as policies see it, for one pod and port. */
interface OutsideVerdict {
  readonly open: readonly IpRange[];
  readonly shut: readonly IpRange[];
}

type Judged = Pick<ExposedTarget, 'verdict' | 'refused'>;

function judgeTarget(program: Program, sources: EntranceSources, target: JudgedTarget): Judged {
  const { end, outside } = target;
  switch (sources.kind) {
    case 'clients':
      return judgeRanges(end, { open: within(outside.open, sources.ranges), shut: within(outside.shut, sources.ranges) });
    case 'nodes': {
      const families = familiesOf(program, end.pod);
      const refs = sources.addresses.filter(({ family }) => families.includes(family)).map((address): EndpointRef => ({ kind: 'address', address }));
      return refs.length === 0 ? judgeUnknown(end, outside) : judgeEnds(program, refs, target);
    }
    case 'provider':
      return judgeUnknown(end, outside);
    case 'controller':
      return judgeEnds(program, sources.pods.map((pod): EndpointRef => ({ kind: 'pod', pod })), target);
    case 'missing-controller':
      return { verdict: program.ingress.isGoverned(program.ingress.subjectOfGroup[program.groupOfPod[end.pod]!]!) ? 'unknown' : 'open', refused: undefined };
  }
}

/** One of the sources carries the traffic, and nobody here knows which: all of them, some, or none. */
function judgeEnds(program: Program, sources: readonly EndpointRef[], { end, point }: JudgedTarget): Judged {
  const refused = sources.filter((source) => !hasPoint(allowedPorts(program, source, end), point));
  if (refused.length === 0) return { verdict: 'open', refused: undefined };
  return { verdict: refused.length === sources.length ? 'closed' : 'partly', refused: { source: refused[0]!, target: end } };
}

/** Addresses that nobody here knows: sure only where the policies treat the whole outside alike. */
function judgeUnknown(end: EndpointRef, outside: OutsideVerdict): Judged {
  const judged = judgeRanges(end, outside);
  return judged.verdict === 'partly' ? { verdict: 'unknown', refused: undefined } : judged;
}

function judgeRanges(end: EndpointRef, { open, shut }: OutsideVerdict): Judged {
  if (shut.length === 0) return { verdict: 'open', refused: undefined };
  const first = shut[0]!;
  return { verdict: open.length === 0 ? 'closed' : 'partly', refused: { source: { kind: 'address', address: { family: first.family, value: first.first } }, target: end } };
}

/** Worked out once for each way in which policies govern a pod, and port. */
function outsideFinder(program: Program): (pod: number, point: number) => OutsideVerdict {
  const ranges = outsideRanges(program);
  const known = new Map<string, OutsideVerdict>();
  return (pod, point) => {
    const families = familiesOf(program, pod);
    const subject = program.ingress.subjectOfGroup[program.groupOfPod[pod]!]!;
    const key = `${subject} ${families.join('')} ${point}`;
    let verdict = known.get(key);
    if (verdict === undefined) {
      const own = ranges.filter(({ family }) => families.includes(family));
      const isOpen = (range: IpRange): boolean => {
        const peerClass = program.ingress.classOfAtom[program.findAtom({ family: range.family, value: range.first })]!;
        return hasPoint(program.portSets.portSet(program.ingress.portsOf(subject, peerClass)), point);
      };
      const parts = Map.groupBy(own, isOpen);
      known.set(key, (verdict = { open: parts.get(true) ?? [], shut: parts.get(false) ?? [] }));
    }
    return verdict;
  };
}

function familiesOf(program: Program, pod: number): readonly IpFamily[] {
  return program.groups[program.groupOfPod[pod]!]!.families;
}

function within(ranges: readonly IpRange[], bounds: readonly IpRange[]): IpRange[] {
  return ranges.flatMap((range) =>
    bounds.flatMap((bound) => {
      const first = range.first > bound.first ? range.first : bound.first;
      const last = range.last < bound.last ? range.last : bound.last;
      return range.family === bound.family && first <= last ? [{ family: range.family, first, last }] : [];
    }),
  );
}
