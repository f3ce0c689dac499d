// What a Service without a selector stands for: the pods and the addresses outside that its EndpointSlices name.
import { formatIpAddress } from '../base/ip-address.ts';
import { NO_PORTS, portSetOf, unionPorts, type PortSet } from '../base/port-set.ts';
import type { Service, ServicePort } from '../model/cluster.ts';
import type { Program } from '../compile/program.ts';
import { podEnds, type NamedEnds } from '../analyze/named-ends.ts';
import { routeServices, type PortTarget } from '../analyze/services.ts';
import { rangeEnds } from './address-words.ts';

interface AskedOf {
  readonly ports: readonly ServicePort[];
  /** Only the pod of this name. */
  readonly host: string | undefined;
}

/** Each end on its own target ports; undefined: nothing tells where the Service leads. */
export function sliceEnds(program: Program, service: Service, { ports, host }: AskedOf): NamedEnds | undefined {
  const route = routeServices(program.cluster).find((one) => one.service === service);
  if (route?.leadsTo !== 'endpoints') return undefined;
  const isMeant = ({ end }: PortTarget): boolean => host === undefined || (end.kind === 'pod' && program.cluster.pods[end.pod]!.name === host);
  const targets = route.ports.flatMap(({ port, targets: ofPort }) => (ports.includes(port) ? ofPort.filter(isMeant) : []));
  const named = [...portsByEnd(targets).values()].map((members) => endsOnPorts(program, members, { isHeadless: service.isHeadless }));
  return { ends: named.flatMap(({ ends }) => ends), pods: named.flatMap(({ pods }) => pods), ranges: named.flatMap(({ ranges }) => ranges) };
}

interface EndOnPorts {
  readonly end: PortTarget['end'];
  readonly ports: PortSet;
}

/** Ends with equal ports together, by the text of the ports. */
function portsByEnd(targets: readonly PortTarget[]): Map<string, EndOnPorts[]> {
  const byEnd = Map.groupBy(targets, ({ end }) => (end.kind === 'pod' ? `pod ${end.pod}` : formatIpAddress(end.address)));
  const ends = [...byEnd.values()].map((own): EndOnPorts => ({
    end: own[0]!.end,
    ports: own.reduce<PortSet>((set, { protocol, port }) => unionPorts(set, portSetOf(protocol, port, port)), NO_PORTS),
  }));
  return Map.groupBy(ends, ({ ports }) => ports.join());
}

function endsOnPorts(program: Program, members: readonly EndOnPorts[], { isHeadless }: { readonly isHeadless: boolean }): NamedEnds {
  const { ports } = members[0]!;
  const pods = members.flatMap(({ end }) => (end.kind === 'pod' ? [end.pod] : []));
  const addresses = members.flatMap(({ end }) => (end.kind === 'address' ? [end.address] : []));
  const inside = podEnds(program, pods);
  const outside = rangeEnds(program, addresses.map(formatIpAddress).join(', '), addresses.map(({ family, value }) => ({ family, first: value, last: value })));
  return {
    ends: [...inside.ends.map((end) => ({ ...end, ports, isBehindService: !isHeadless })), ...outside.ends.map((end) => ({ ...end, ports }))],
    pods: inside.pods,
    ranges: outside.ranges,
  };
}
