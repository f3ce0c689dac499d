// Who comes in from outside with the address of a node: a scope that names nodes lets in whomever an entrance sends through them.
import type { IpRange } from '../base/ip-address.ts';
import { overlaps, withoutRanges } from '../base/known-ranges.ts';
import { portSetOf, unionPorts, type PortSet } from '../base/port-set.ts';
import { findExposures, type Entrance, type ExposedTarget, type Exposure } from '../analyze/exposure.ts';
import { joinRanges } from '../analyze/outside-ports.ts';
import { outsideRanges } from '../analyze/outside-ranges.ts';
import type { Program } from '../compile/program.ts';
import { internetRanges } from '../words/address-words.ts';
import type { Way } from './way.ts';

export interface EntranceQuestion {
  /** That the scope names. */
  readonly named: readonly IpRange[];
  readonly hopsMax: number;
  /** Ids of the workloads from a pod to one of the scope; undefined: none leads there. */
  readonly pathFrom: (pod: number) => readonly string[] | undefined;
}

/** Where a node is not named, the way that is open to its address is there already, and stands against the scope by itself. */
export function entranceWays(program: Program, { named, hopsMax, pathFrom }: EntranceQuestion): readonly Way[] {
  const exposures = findExposures(program).filter(({ sources }) => sources.kind === 'nodes' && sources.addresses.some(({ family, value }) => named.some((range) => range.family === family && range.first <= value && value <= range.last)));
  const internet = internetRanges(program.cluster);
  return exposures.flatMap((exposure) => {
    const ranges = joinRanges(clientsOf(program, exposure).flatMap((range) => withoutRanges(range, named)));
    if (ranges.length === 0) return [];
    const end = { kind: 'outside', ranges, isInternet: ranges.some((range) => internet.some((other) => overlaps(range, other))) } as const;
    return Array.from(portsByPath(exposure.targets, pathFrom).values(), ({ path, ports }): Way => ({ end, ports, isNamed: false, path: [`a node, by ${entranceText(exposure.entrance)}`, ...path] })).filter(({ path }) => path.length <= hopsMax);
  });
}

function clientsOf(program: Program, { entrance }: Exposure): readonly IpRange[] {
  return (entrance.kind === 'LoadBalancer' ? entrance.service.sourceRanges : undefined) ?? outsideRanges(program);
}

function portsByPath(targets: readonly ExposedTarget[], pathFrom: EntranceQuestion['pathFrom']): Map<string, { readonly path: readonly string[]; readonly ports: PortSet }> {
  const found = new Map<string, { readonly path: readonly string[]; readonly ports: PortSet }>();
  for (const { pods, protocol, port, verdict } of targets) {
    if (verdict !== 'open' && verdict !== 'partly') continue;
    for (const pod of pods) {
      const path = pathFrom(pod);
      if (path === undefined) continue;
      const key = path.join(' ');
      found.set(key, { path, ports: unionPorts(found.get(key)?.ports ?? [], portSetOf(protocol, port, port)) });
    }
  }
  return found;
}

function entranceText(entrance: Entrance): string {
  const { namespace, name } = entrance.kind === 'Ingress' ? entrance.ingress : entrance.service;
  return `${entrance.kind} ${namespace}/${name}`;
}
