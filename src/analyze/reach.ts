// Who reaches whom, and on what: rows from every endpoint to every other, made while they are read.
import type { PortSet } from '../base/port-set.ts';
import { ALL_PORTS_ID, NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Program, Row } from '../compile/program.ts';
import { listEndpoints, type Endpoint, type Grain, type PlacedEndpoint } from './endpoints.ts';
import { quadKey, type Quad } from './endpoint.ts';
import { ownNodeFinder } from './own-node.ts';

export type { Endpoint, Grain } from './endpoints.ts';

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
 * rows between two ranges of the outside.
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

/** Verdicts are computed once per pair of quads of a source; endpoints that policies treat alike share them. */
function rowMaker(program: Program, placed: readonly PlacedEndpoint[]): (source: number) => Uint32Array {
  const table = new QuadTable(program);
  const members = placed.map(({ quads }) => quads.map(({ quad, pods }) => ({ quad: table.intern(quad), pods })));
  const ranges = placed.map(({ range }) => range !== undefined);
  const ownNode = ownNodeFinder(program, placed);
  const result = new Uint32Array(placed.length);
  return (source) => {
    result.fill(NO_PORTS_ID);
    for (const from of members[source]!) {
      const verdicts = table.verdictsFrom(from.quad);
      for (let target = 0; target < placed.length; target++) {
        if (ranges[source]! && ranges[target]!) continue;
        for (const to of members[target]!) {
          const isItself = source === target && from.quad === to.quad && to.pods < 2;
          if (isItself) continue;
          const ports = verdicts[to.quad]!;
          result[target] = result[target] === NO_PORTS_ID ? ports : program.portSets.union(result[target]!, ports);
        }
      }
    }
    for (const target of ownNode(source)) result[target] = ALL_PORTS_ID;
    return result;
  };
}

class QuadTable {
  private readonly quads: Quad[] = [];
  private readonly ids = new Map<string, number>();
  private readonly ingressRows: Row[] = [];
  private readonly program: Program;
  private cached: { readonly source: number; readonly verdicts: Uint32Array } | undefined;

  constructor(program: Program) {
    this.program = program;
  }

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
    if (this.cached?.source !== source) this.cached = { source, verdicts: this.computeFrom(this.quads[source]!) };
    return this.cached.verdicts;
  }

  private computeFrom(source: Quad): Uint32Array {
    const { portSets, egress } = this.program;
    const row = egress.rowOf(source.egressSubject);
    const verdicts = new Uint32Array(this.quads.length);
    for (const [id, target] of this.quads.entries()) {
      const ingressRow = this.ingressRows[id]!;
      let ports = NO_PORTS_ID;
      for (const family of source.families) {
        if (!target.families.includes(family)) continue;
        const both = portSets.intersect(row[target.egressClass[family]]!, ingressRow[source.ingressClass[family]]!);
        ports = portSets.union(ports, both);
      }
      verdicts[id] = ports;
    }
    return verdicts;
  }
}
