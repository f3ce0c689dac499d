// What the states between two writes open or cut, as witnesses of the guard `order`.
import { formatIpAddress } from '../base/ip-address.ts';
import { OTHER_POINT, PROTOCOLS, protocolRanges, type PortSet } from '../base/port-set.ts';
import type { EndpointRef } from '../analyze/endpoint.ts';
import type { Harm } from './find-harm.ts';
import type { GuardWitness } from './guards.ts';
import { stepText, type WritePlan } from './plan-writes.ts';

/** One for each state and kind. */
export function harmWitnesses(plan: WritePlan): readonly GuardWitness[] {
  return [...plan.harms].flatMap(([index, harms]) =>
    (['opened', 'cut'] as const).flatMap((kind): GuardWitness[] => {
      const own = harms.filter((harm) => harm.kind === kind);
      const [first] = own;
      if (first === undefined) return [];
      const why = kind === 'opened' ? 'is open for a moment, which neither the old policies nor the new ones allow' : 'is cut for a moment, which both the old policies and the new ones allow';
      return [{ guard: 'order', message: `${pairText(plan, first)} ${why}`, traffic: trafficText(first.ports), policy: `the state behind \`${stepText(plan.steps[index]!)}\``, related: [], more: own.length - 1 }];
    }),
  );
}

function pairText({ before }: WritePlan, { source, target }: Harm): string {
  const name = (end: EndpointRef): string => {
    if (end.kind === 'address') return formatIpAddress(end.address);
    if (end.kind === 'domain-name') return end.name;
    const { namespace, name: pod } = before.cluster.pods[end.pod]!;
    return `${namespace}/${pod}`;
  };
  return `${name(source)} → ${name(target)}`;
}

/** The first range of the first protocol. */
function trafficText(ports: PortSet): string {
  for (const protocol of PROTOCOLS) {
    const [range] = protocolRanges(ports, protocol);
    if (range !== undefined) return range[0] === range[1] ? `${protocol} ${range[0]}` : `${protocol} ${range[0]}-${range[1]}`;
  }
  return ports.includes(OTHER_POINT) ? 'other protocols' : 'nothing';
}
