// Who reaches whom, and on what: rows from every endpoint to every other, made while they are read.
import type { PortSet } from '../base/port-set.ts';
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Program } from '../compile/program.ts';
import { listEndpoints, type Endpoint, type Grain, type PlacedEndpoint } from './endpoints.ts';
import { ownNodeFinder } from './own-node.ts';
import { VerdictTable, type TablePlace } from './verdict-table.ts';

export interface Reachability {
  readonly endpoints: readonly Endpoint[];
  /** Rows with any traffic, sorted by source, then target; each pass computes them again. */
  rows(): IterableIterator<ReachRow>;
  /** Port set ids from one endpoint, by target; the array is overwritten by the next call. */
  portsFrom(source: number): Uint32Array;
  /** The ports behind an id. */
  portSet(id: number): PortSet;
}

export interface ReachRow {
  /** Index of `endpoints`. */
  readonly source: number;
  readonly target: number;
  readonly ports: PortSet;
}

export interface ReachOptions {
  readonly by: Grain;
}

/**
 * A row from an endpoint to itself stands for one of its pods to another; a pod to itself is left out, and so are
 * rows between two ends outside.
 */
export function reach(program: Program, { by }: ReachOptions): Reachability {
  const placed = listEndpoints(program, by);
  const portsFrom = rowMaker(program, placed);
  return {
    endpoints: placed.map(({ endpoint }) => endpoint),
    portsFrom,
    portSet: (id) => program.portSets.portSet(id),
    *rows() {
      for (let source = 0; source < placed.length; source++) {
        // The array is shared with whoever asks in between, so this pass keeps its own.
        const ports = portsFrom(source).slice();
        for (let target = 0; target < ports.length; target++) {
          if (ports[target] !== NO_PORTS_ID) yield { source, target, ports: program.portSets.portSet(ports[target]!) };
        }
      }
    },
  };
}

/** Verdicts are computed once for ends that are alike as a source. */
function rowMaker(program: Program, placed: readonly PlacedEndpoint[]): (source: number) => Uint32Array {
  const table = new VerdictTable(program);
  const members = placed.map(({ quads }) => quads.map(({ quad, pods }): Member => ({ ...table.intern(quad), pods })));
  // The entry of an endpoint whose pods are all alike as a target; −1 for the others.
  const onlyTarget = Int32Array.from(members, ([first, ...others]) => (others.every(({ target }) => target === first!.target) ? first!.target : -1));
  const podEndpointCount = placed.filter(({ podIndices }) => podIndices.length > 0).length;
  const isName = placed.map(({ range }, end) => end >= podEndpointCount && range === undefined);
  const ownNode = ownNodeFinder(program, placed);
  const result = new Uint32Array(placed.length);
  const { union } = program.portSets;
  return (source) => {
    result.fill(NO_PORTS_ID);
    // A name is looked up to be connected to; whoever connects has an address.
    if (isName[source]) return result;
    // What is outside stands behind the pods, and nobody here judges what stays outside.
    const end = source < podEndpointCount ? placed.length : podEndpointCount;
    for (const from of new Set(members[source]!.map((member) => member.source))) {
      const verdicts = table.verdictsFrom(from);
      for (let target = 0; target < end; target++) {
        const only = onlyTarget[target]!;
        const ports = only >= 0 ? verdicts[only]! : unite(program, members[target]!, verdicts);
        if (ports !== NO_PORTS_ID) result[target] = union(result[target]!, ports);
      }
    }
    if (source < podEndpointCount) result[source] = portsToItself(members[source]!, table, program);
    for (const [target, ports] of ownNode(source)) result[target] = union(result[target]!, ports);
    return result;
  };
}

/** Pods of one endpoint that policies treat alike. */
interface Member extends TablePlace {
  readonly pods: number;
}

function unite({ portSets }: Program, members: readonly Member[], verdicts: Uint32Array): number {
  return members.reduce((ports, { target }) => portSets.union(ports, verdicts[target]!), NO_PORTS_ID);
}

/** From one pod of an endpoint to another of it: with a single pod behind a member, that pod has no other of its kind. */
function portsToItself(members: readonly Member[], table: VerdictTable, program: Program): number {
  let ports = NO_PORTS_ID;
  for (const from of members) {
    const verdicts = table.verdictsFrom(from.source);
    for (const to of members) if (from !== to || from.pods > 1) ports = program.portSets.union(ports, verdicts[to.target]!);
  }
  return ports;
}
