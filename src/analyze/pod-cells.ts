// Pods that a spread from pod to pod treats alike, as cells: the same quad and, where it matters who runs there, the same node.
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import { ListInterner } from '../compile/list-interner.ts';
import { PairTable } from '../compile/pair-table.ts';
import type { Program } from '../compile/program.ts';
import { quadNumbers, quadOfGroup, type Quad } from './endpoint.ts';
import { portsOnOwnNode, sharedNodes } from './own-node.ts';

const NO_NODE = -1;

export class PodCells {
  /** Distinct; a pod on the host network may have that of one beside it. */
  readonly quads: readonly Quad[];
  readonly cellOfPod: Int32Array;
  /** By cell, in the order of their first pods: index of `quads`, what the pods are on, and how many they are. */
  readonly quadOf: number[] = [];
  readonly isHost: boolean[] = [];
  readonly pods: number[] = [];
  readonly withQuad: readonly number[][];
  /** By cell; −1 where it does not matter. */
  private readonly nodeOf: number[] = [];
  /** By node, the cells on its host network, and those beside it. */
  private readonly onNode: { readonly hosts: number[]; readonly others: number[] }[];
  private readonly ownPorts = new PairTable();
  private readonly program: Program;

  constructor(program: Program) {
    const { cluster: { pods }, groups, groupOfPod } = program;
    this.program = program;
    const { quads, quadOfGroup: quadIds } = internQuads(program);
    this.quads = quads;
    const nodes = new Map([...sharedNodes(pods)].map((name, node) => [name, node]));
    this.onNode = Array.from(nodes, () => ({ hosts: [], others: [] }));
    this.withQuad = quads.map(() => []);
    const cells = new PairTable();
    this.cellOfPod = Int32Array.from(pods, ({ nodeName, replicas }, pod) => {
      const group = groupOfPod[pod]!;
      const node = nodeName === undefined ? NO_NODE : (nodes.get(nodeName) ?? NO_NODE);
      const { hostNetwork } = groups[group]!;
      const alike = quadIds[group]! * 2 + (hostNetwork ? 1 : 0);
      let cell = cells.get(alike, node + 1);
      if (cell < 0) cells.set(alike, node + 1, (cell = this.add({ quad: quadIds[group]!, node, isHost: hostNetwork })));
      this.pods[cell]! += replicas;
      return cell;
    });
  }

  private add({ quad, node, isHost }: { readonly quad: number; readonly node: number; readonly isHost: boolean }): number {
    const cell = this.quadOf.push(quad) - 1;
    this.nodeOf.push(node);
    this.isHost.push(isHost);
    this.pods.push(0);
    this.withQuad[quad]!.push(cell);
    if (node !== NO_NODE) this.onNode[node]![isHost ? 'hosts' : 'others'].push(cell);
    return cell;
  }

  /** Cells of the same node that it meets across the host network; some of them it may not reach. */
  neighborsOf(cell: number): readonly number[] {
    const node = this.nodeOf[cell]!;
    return node === NO_NODE ? [] : this.onNode[node]![this.isHost[cell]! ? 'others' : 'hosts'];
  }

  /** Port set id of what a cell may open towards one of its neighbors. */
  portsToNeighbor(source: number, target: number): number {
    const [from, into, isFromHost] = [this.quadOf[source]!, this.quadOf[target]!, this.isHost[source]!];
    const key = from * 2 + (isFromHost ? 1 : 0);
    let ports = this.ownPorts.get(key, into);
    if (ports < 0) this.ownPorts.set(key, into, (ports = portsOnOwnNode(this.program, { source: this.quads[from]!, target: this.quads[into]!, isFromHost })));
    return ports;
  }

  /** Calls `give` for each cell that the node of this one opens to it. */
  eachNeighborReached(source: number, give: (target: number) => void): void {
    for (const target of this.neighborsOf(source)) if (this.portsToNeighbor(source, target) !== NO_PORTS_ID) give(target);
  }
}

function internQuads(program: Program): { quads: Quad[]; quadOfGroup: number[] } {
  const quads: Quad[] = [];
  const ids = new ListInterner();
  const ofGroup = program.groups.map(({ id, size }) => {
    if (size === 0) return -1;
    const quad = quadOfGroup(program, id);
    // The empty list has the first number.
    const known = ids.intern(quadNumbers(quad)) - 1;
    if (known === quads.length) quads.push(quad);
    return known;
  });
  return { quads, quadOfGroup: ofGroup };
}
