// A case with an address for every pod: its own where the page gives addresses, else those that the lab would give.
import { isOwnNode } from '../../src/analyze/own-node.ts';
import { outsideRanges } from '../../src/analyze/outside-ranges.ts';
import type { IpAddress } from '../../src/base/ip-address.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Program } from '../../src/compile/program.ts';
import type { Placement } from '../../src/emit/placement.ts';
import { withDns } from '../../src/lab/dns-pod.ts';
import { placementOf } from '../../src/lab/lab-placement.ts';
import { planLab, withLabAddresses } from '../../src/lab/lab-plan.ts';
import type { CaseEnd, LoadedCase } from './loaded-case.ts';

export interface PlacedCase {
  readonly program: Program;
  /** By node: what it is told of all pods. */
  readonly placements: ReadonlyMap<string, Placement>;
  /** One for each replica. */
  readonly pods: readonly PlacedPod[];
}

export interface PlacedPod {
  /** Index of the page's `cluster.pods`. */
  readonly pod: number;
  readonly addresses: readonly IpAddress[];
  readonly hostNetwork: boolean;
  readonly nodeName: string;
}

/** On such a page the verdicts hang on addresses that no other placement has. */
export function hasOwnAddresses({ cluster }: LoadedCase): boolean {
  return cluster.pods.some(({ addresses }) => addresses.length > 0);
}

export function placeCase(loaded: LoadedCase): PlacedCase {
  return hasOwnAddresses(loaded) ? placeByPage(loaded) : placeByLab(loaded);
}

const ONLY_NODE = 'node-1';

function placeByPage({ cluster, program }: LoadedCase): PlacedCase {
  const pods = cluster.pods.map(({ addresses, hostNetwork, nodeName }, pod): PlacedPod => ({ pod, addresses, hostNetwork, nodeName: nodeName ?? ONLY_NODE }));
  const placementFor = (node: string): Placement => ({
    localPods: pods.filter(({ nodeName }) => nodeName === node),
    remotePods: pods.filter(({ nodeName }) => nodeName !== node),
    podRanges: [],
  });
  const placements = new Map([...new Set(pods.map(({ nodeName }) => nodeName))].map((node) => [node, placementFor(node)]));
  return { program, placements, pods };
}

function placeByLab({ cluster, program }: LoadedCase): PlacedCase {
  const plan = planLab(cluster, { outsideRanges: outsideRanges(program) });
  const sources = withDns(cluster).pods;
  const pods = plan.pods
    .map(({ sourcePod, addresses, hostNetwork }): PlacedPod => ({
      pod: cluster.pods.indexOf(sources[sourcePod]!),
      addresses,
      hostNetwork,
      nodeName: hostNetwork ? plan.hostNode.name : plan.node.name,
    }))
    // The pod that answers names is the lab's own, and on no page.
    .filter(({ pod }) => pod >= 0);
  return { program: compileCluster(withLabAddresses(cluster, plan)), placements: new Map([[plan.node.name, placementOf(plan)]]), pods };
}

/** One connection between the pods or ranges of two ends, with the nodes whose firewall sees it. */
export interface PlacedConnection {
  readonly source: IpAddress;
  readonly target: IpAddress;
  readonly nodes: readonly string[];
}

/** undefined where two pods of the ends are a pod and its own node: that traffic passes no firewall. */
export function connectionsBetween({ pods, placements }: PlacedCase, source: CaseEnd, target: CaseEnd): readonly PlacedConnection[] | undefined {
  const connections: PlacedConnection[] = [];
  for (const a of placesOf(pods, source)) {
    for (const b of placesOf(pods, target)) {
      if (a === b) continue;
      if (a.hostNetwork !== undefined && b.hostNetwork !== undefined && isOwnNode(a, b)) return undefined;
      const nodes = [...new Set([a, b].flatMap(({ nodeName, hostNetwork }) => (nodeName === undefined || hostNetwork ? [] : [nodeName])))];
      for (const from of a.addresses) {
        for (const into of b.addresses) {
          if (from.family === into.family) connections.push({ source: from, target: into, nodes: nodes.filter((node) => placements.has(node)) });
        }
      }
    }
  }
  return connections;
}

interface Place {
  readonly addresses: readonly IpAddress[];
  readonly hostNetwork: boolean;
  readonly nodeName: string | undefined;
}

function placesOf(placed: readonly PlacedPod[], { pods, range }: CaseEnd): readonly Place[] {
  if (range === undefined) return placed.filter(({ pod }) => pods.includes(pod));
  return [range.first, range.last].map((value) => ({ addresses: [{ family: range.family, value }], hostNetwork: false, nodeName: undefined }));
}
