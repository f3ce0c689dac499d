// How many pairs of pods talk only because one of the two is the host network of the other's node.
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Program } from '../compile/program.ts';
import { allowedBetween } from './decide.ts';
import { ownNodePairOf, portsOnOwnNode, sharedNodes } from './own-node.ts';

/** Ordered pairs of pods that talk on at least one port, and would not if they ran on different nodes. */
export function countOpenedByNode(program: Program): number {
  let opened = 0;
  for (const [host, ofHost] of meetingGroups(program)) {
    for (const [resident, pairs] of ofHost) {
      for (const [source, target] of [[host, resident], [resident, host]] as const) if (isOpenedByNode(program, source, target)) opened += pairs;
    }
  }
  return opened;
}

function isOpenedByNode(program: Program, source: number, target: number): boolean {
  const pair = ownNodePairOf(program, source, target);
  return allowedBetween(program, pair) === NO_PORTS_ID && portsOnOwnNode(program, pair) !== NO_PORTS_ID;
}

/** By group on the host network, then by group of pods beside it: how many pairs of their pods share a node. */
function meetingGroups(program: Program): Map<number, Map<number, number>> {
  const meetings = new Map<number, Map<number, number>>();
  for (const { hosts, residents } of podsByNode(program)) {
    for (const [host, hostPods] of hosts) {
      let ofHost = meetings.get(host);
      if (ofHost === undefined) meetings.set(host, (ofHost = new Map()));
      for (const [resident, pods] of residents) ofHost.set(resident, (ofHost.get(resident) ?? 0) + hostPods * pods);
    }
  }
  return meetings;
}

/** Pods of one node by group, those on its host network apart. */
interface NodePods {
  readonly hosts: Map<number, number>;
  readonly residents: Map<number, number>;
}

function podsByNode({ cluster: { pods }, groupOfPod }: Program): Iterable<NodePods> {
  const nodes = new Map([...sharedNodes(pods)].map((name): [string, NodePods] => [name, { hosts: new Map(), residents: new Map() }]));
  if (nodes.size === 0) return [];
  for (const [index, { nodeName, hostNetwork, replicas }] of pods.entries()) {
    const node = nodeName === undefined ? undefined : nodes.get(nodeName);
    if (node === undefined) continue;
    const side = hostNetwork ? node.hosts : node.residents;
    const group = groupOfPod[index]!;
    side.set(group, (side.get(group) ?? 0) + replicas);
  }
  return nodes.values();
}
