// A part of a reachability: rows of the sources, targets and ports that somebody asks about, and the endpoints in them.
import { ALL_PORTS, type PortSet } from '../base/port-set.ts';
import { ALL_PORTS_ID, NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Program } from '../compile/program.ts';
import { listEndpoints, type Grain, type PlacedEndpoint } from './endpoints.ts';
import type { NamedEnds } from './named-ends.ts';
import type { Reachability, ReachRow } from './reach.ts';

/** All that is given must be met. */
export interface ReachFocus {
  readonly sources?: NamedEnds;
  readonly targets?: NamedEnds;
  /** Rows that have it at either end. */
  readonly either?: NamedEnds;
  /** Rows are cut down to these. */
  readonly ports?: PortSet;
  /** Rows between all endpoints that are left, also those that were not asked about: for a matrix, which has no empty cells. */
  readonly fillsPairs?: boolean;
}

/** `by` is that of the reachability, which is given back as it is where nothing is asked for. */
export function focusReach(program: Program, reachability: Reachability, { by, ...focus }: ReachFocus & { readonly by: Grain }): Reachability {
  if (isUnfocused(focus)) return reachability;
  const placed = listEndpoints(program, by);
  const [isSource, isTarget, isEither] = [focus.sources, focus.targets, focus.either].map((named) => memberTest(placed, named));
  const asked = focus.ports === undefined ? ALL_PORTS_ID : program.portSets.intern(focus.ports);
  const isWanted = (source: number, target: number): boolean => isSource![source]! && isTarget![target]! && (isEither![source]! || isEither![target]!);
  const kept = keptEndpoints({ program, reachability, asked, isWanted });
  const indexOf = new Map(kept.map((endpoint, index) => [endpoint, index]));
  const fillsPairs = focus.fillsPairs === true;
  const result = new Uint32Array(kept.length);
  const portsFrom = (source: number): Uint32Array => {
    const from = kept[source]!;
    const all = reachability.portsFrom(from);
    for (const [endpoint, index] of indexOf) result[index] = fillsPairs || isWanted(from, endpoint) ? program.portSets.intersect(all[endpoint]!, asked) : NO_PORTS_ID;
    return result;
  };
  return {
    endpoints: kept.map((endpoint) => reachability.endpoints[endpoint]!),
    portsFrom,
    portSet: reachability.portSet,
    *rows(): IterableIterator<ReachRow> {
      for (const source of kept.keys()) {
        const ports = portsFrom(source).slice();
        for (const [target, id] of ports.entries()) if (id !== NO_PORTS_ID) yield { source, target, ports: reachability.portSet(id) };
      }
    },
  };
}

/** By endpoint; without a word everything is meant. */
function memberTest(placed: readonly PlacedEndpoint[], named: NamedEnds | undefined): readonly boolean[] {
  if (named === undefined) return placed.map(() => true);
  const pods = new Set(named.ends.flatMap((end) => end.pods));
  return placed.map(({ podIndices, range }) =>
    range === undefined ? podIndices.some((pod) => pods.has(pod)) : named.ranges.some(({ family, first, last }) => family === range.family && first <= range.last && range.first <= last),
  );
}

interface KeptInput {
  readonly program: Program;
  readonly reachability: Reachability;
  readonly asked: number;
  readonly isWanted: (source: number, target: number) => boolean;
}

/** Those with a row that is wanted, in their order. */
function keptEndpoints({ program, reachability, asked, isWanted }: KeptInput): number[] {
  const { endpoints } = reachability;
  const kept = new Set<number>();
  for (const source of endpoints.keys()) {
    const ports = reachability.portsFrom(source);
    for (let target = 0; target < ports.length; target++) {
      if (ports[target] === NO_PORTS_ID || !isWanted(source, target) || program.portSets.intersect(ports[target]!, asked) === NO_PORTS_ID) continue;
      kept.add(source).add(target);
    }
  }
  return [...kept].sort((a, b) => a - b);
}

function isUnfocused({ sources, targets, either, ports }: ReachFocus): boolean {
  return sources === undefined && targets === undefined && either === undefined && (ports === undefined || ports === ALL_PORTS);
}
