// Who reaches whom, and on what: rows from every endpoint to every other, made while they are read.
import type { PortSet } from '../base/port-set.ts';
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Program } from '../compile/program.ts';
import type { Row } from '../compile/row.ts';
import { listEndpoints, type Endpoint, type Grain, type PlacedEndpoint } from './endpoints.ts';
import { quadKey, type Quad } from './endpoint.ts';
import { ownNodeFinder } from './own-node.ts';

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

/** Verdicts are computed once per pair of quads; only endpoints behind a quad that is reached are visited. */
function rowMaker(program: Program, placed: readonly PlacedEndpoint[]): (source: number) => Uint32Array {
  const table = new QuadTable(program);
  const members = placed.map(({ quads }) => quads.map(({ quad, pods }) => ({ quad: table.intern(quad), pods })));
  const endpointsOfQuad = invert(members);
  const isOutside = placed.map(({ podIndices }) => podIndices.length === 0);
  const isName = placed.map(({ range }, end) => isOutside[end] === true && range === undefined);
  const ownNode = ownNodeFinder(program, placed);
  const result = new Uint32Array(placed.length);
  const reachQuad = (source: number, quad: number, ports: number): void => {
    for (const target of endpointsOfQuad[quad]!) {
      if (isOutside[source] && isOutside[target]) continue;
      result[target] = program.portSets.union(result[target]!, ports);
    }
  };
  return (source) => {
    result.fill(NO_PORTS_ID);
    // A name is looked up to be connected to; whoever connects has an address.
    if (isName[source]) return result;
    for (const from of members[source]!) {
      const verdicts = table.verdictsFrom(from.quad);
      for (let quad = 0; quad < verdicts.length; quad++) {
        if (verdicts[quad] !== NO_PORTS_ID) reachQuad(source, quad, verdicts[quad]!);
      }
    }
    if (!isOutside[source]) result[source] = portsToItself(members[source]!, table, program);
    for (const [target, ports] of ownNode(source)) result[target] = program.portSets.union(result[target]!, ports);
    return result;
  };
}

type Member = { readonly quad: number; readonly pods: number };

/** From one pod of an endpoint to another of it: with a single pod behind a quad, that pod has no other of its kind. */
function portsToItself(members: readonly Member[], table: QuadTable, program: Program): number {
  let ports = NO_PORTS_ID;
  for (const from of members) {
    const verdicts = table.verdictsFrom(from.quad);
    for (const to of members) if (from !== to || from.pods > 1) ports = program.portSets.union(ports, verdicts[to.quad]!);
  }
  return ports;
}

function invert(members: readonly (readonly Member[])[]): readonly (readonly number[])[] {
  const result: number[][] = [];
  for (const [endpoint, list] of members.entries()) for (const { quad } of list) (result[quad] ??= []).push(endpoint);
  return result;
}

/** Verdict lists kept, in cells of 4 bytes; above it all are dropped and made again when asked. */
const CACHED_VERDICTS_MAX = 8_000_000;

class QuadTable {
  private readonly quads: Quad[] = [];
  private readonly ids = new Map<string, number>();
  private readonly ingressRows: Row[] = [];
  private readonly program: Program;
  private readonly cache = new Map<number, Uint32Array>();

  constructor(program: Program) {
    this.program = program;
  }

  /** All quads are interned before the first verdict is asked for. */
  intern(quad: Quad): number {
    const key = quadKey(quad);
    let id = this.ids.get(key);
    if (id === undefined) {
      this.ids.set(key, (id = this.quads.push(quad) - 1));
      this.ingressRows.push(this.program.ingress.rowOf(quad.ingressSubject));
    }
    return id;
  }

  verdictsFrom(source: number): Uint32Array {
    let verdicts = this.cache.get(source);
    if (verdicts === undefined) {
      if (this.cache.size * this.quads.length > CACHED_VERDICTS_MAX) this.cache.clear();
      this.cache.set(source, (verdicts = this.computeFrom(this.quads[source]!)));
    }
    return verdicts;
  }

  private computeFrom(source: Quad): Uint32Array {
    const { portSets, egress } = this.program;
    const row = egress.rowOf(source.egressSubject);
    const verdicts = new Uint32Array(this.quads.length);
    for (let id = 0; id < verdicts.length; id++) {
      const target = this.quads[id]!;
      const ingressRow = this.ingressRows[id]!;
      for (const family of source.families) {
        const byEgress = row.at(target.egressClass[family]);
        if (byEgress === NO_PORTS_ID || !target.families.includes(family)) continue;
        const both = portSets.intersect(byEgress, ingressRow.at(source.ingressClass[family]));
        verdicts[id] = portSets.union(verdicts[id]!, both);
      }
    }
    return verdicts;
  }
}
