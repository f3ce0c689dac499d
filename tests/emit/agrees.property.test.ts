// Random clusters: what the emitted elements decide on two nodes is what the Program says, for every pair, port and family that could differ.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedPorts, ownNodePair } from '../../src/analyze/decide.ts';
import type { EndpointRef } from '../../src/analyze/endpoint.ts';
import { formatIpAddress, type IpAddress, type IpFamily } from '../../src/base/ip-address.ts';
import { hasPoint, NO_PORTS, OTHER_POINT, pointOf, type PortSet } from '../../src/base/port-set.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Program } from '../../src/compile/program.ts';
import { emitRuleset } from '../../src/emit/emit.ts';
import { loadSteps } from '../../src/emit/plan-change.ts';
import { PROTOCOL_NUMBER } from '../../src/emit/profile-elements.ts';
import { createFakeFirewall, type FakeFirewall } from '../../src/kernel/fake-firewall.ts';
import { DIRECTIONS } from '../../src/model/network-policy.ts';
import { checkClusters } from '../clusters/check-property.ts';
import { outsideAddresses, trafficPoints, type TrafficPoint } from '../clusters/points.ts';
import { settleCluster } from '../clusters/settle.ts';
import { policiesAllow } from '../reference/network-policies.ts';
import { reachesItself } from '../reference/reference.ts';
import { NODES, onTwoNodes, placementOf, type NodeName } from './two-nodes.ts';

const ICMP = 1;

interface Connection {
  readonly source: IpAddress;
  readonly target: IpAddress;
  readonly nodes: readonly NodeName[];
  readonly expected: PortSet;
}

test('the elements decide as the Program does', () => {
  checkClusters((raw) => {
    const cluster = onTwoNodes(settleCluster(raw));
    const program = compileCluster(cluster);
    const firewalls = new Map(NODES.map((node) => [node, loadedFirewall(program, node)]));
    const points = trafficPoints(cluster);
    for (const connection of [...connectionsOf(program), ...fromUnknownPods(program)]) {
      for (const point of points) {
        const isExpected = hasPoint(connection.expected, point.protocol === 'other' ? OTHER_POINT : pointOf(point.protocol, point.port));
        if (decide(firewalls, connection, point) !== isExpected) {
          assert.fail(`${formatIpAddress(connection.source)} → ${formatIpAddress(connection.target)} ${point.protocol} ${point.port}: the Program says ${isExpected}`);
        }
      }
    }
  }, { share: 0.3 });
});

test('a pod reaches itself through a Service as the tiers say, or less where they leave only a part', () => {
  checkClusters((raw) => {
    const cluster = onTwoNodes(settleCluster(raw));
    const firewalls = new Map(NODES.map((node) => [node, loadedFirewall(compileCluster(cluster), node)]));
    const points = trafficPoints(cluster);
    for (const [index, { addresses, hostNetwork, nodeName }] of cluster.pods.entries()) {
      if (hostNetwork) continue;
      const end = { kind: 'pod', pod: index } as const;
      for (const address of addresses) {
        const connection = { source: address, target: address, nodes: [nodeName as NodeName], expected: NO_PORTS };
        const judged = points.map((point) => {
          const traffic = { source: end, target: end, ...point, family: address.family };
          return { point, isMeant: reachesItself(cluster, traffic), isNetworkPolicyAsked: DIRECTIONS.some((direction) => policiesAllow(cluster, direction, traffic) !== undefined) };
        });
        const isWhole = judged.every(({ isMeant }) => isMeant);
        for (const { point, isMeant, isNetworkPolicyAsked } of judged) {
          const isAllowed = decide(firewalls, connection, point);
          if (isAllowed !== isMeant && (isAllowed || isWhole || !isNetworkPolicyAsked)) assert.fail(`${formatIpAddress(address)} to itself ${point.protocol} ${point.port}: the reference says ${isMeant}`);
        }
      }
    }
  }, { share: 0.3 });
});

function loadedFirewall(program: Program, node: NodeName): FakeFirewall {
  const firewall = createFakeFirewall();
  firewall.load(loadSteps(emitRuleset(program, placementOf(program.cluster, node)).ruleset));
  return firewall;
}

/** Every node of an end that is a pod of its own network must say yes. */
function decide(firewalls: ReadonlyMap<NodeName, FakeFirewall>, { source, target, nodes }: Connection, { protocol, port }: TrafficPoint): boolean {
  const packet = { source, target, protocol: protocol === 'other' ? ICMP : PROTOCOL_NUMBER[protocol], port };
  return nodes.every((node) => firewalls.get(node)!.decide(packet) === 'accept');
}

interface End {
  readonly endpoint: EndpointRef;
  readonly addresses: readonly IpAddress[];
  readonly node: NodeName | undefined;
}

function connectionsOf(program: Program): Connection[] {
  const { cluster } = program;
  const pods = cluster.pods.map(({ addresses, hostNetwork, nodeName }, pod): End => ({ endpoint: { kind: 'pod', pod }, addresses, node: hostNetwork ? undefined : (nodeName as NodeName) }));
  const outside = outsideAddresses(cluster).map((address): End => ({ endpoint: { kind: 'address', address }, addresses: [address], node: undefined }));
  return pods.flatMap((source) => [
    ...pods.flatMap((target) => connect(program, source, target)),
    ...outside.flatMap((end) => [...connect(program, source, end), ...connect(program, end, source)]),
  ]);
}

// What a pod says to itself or to its own node does not pass the hook.
function connect(program: Program, source: End, target: End): Connection[] {
  const isSelf = source.endpoint.kind === 'pod' && target.endpoint.kind === 'pod' && source.endpoint.pod === target.endpoint.pod;
  if (isSelf || ownNodePair(program, source.endpoint, target.endpoint) !== undefined) return [];
  const nodes = [...new Set([source.node, target.node].filter((node) => node !== undefined))];
  return ([4, 6] as const).flatMap((family: IpFamily) => {
    const [from, into] = [source, target].map(({ addresses }) => addresses.find((address) => address.family === family));
    if (from === undefined || into === undefined) return [];
    return [{ source: from, target: into, nodes, expected: allowedPorts(program, source.endpoint, target.endpoint, family) }];
  });
}

/** An address in a pod range that no known pod has: an isolated pod refuses it, whatever its rules say of addresses. */
function fromUnknownPods(program: Program): Connection[] {
  const { pods, podRanges } = program.cluster;
  const unknown = podRanges.map(({ family, last }): IpAddress => ({ family, value: last - 1n }));
  return pods.flatMap((pod, index) => {
    const subject = program.ingress.subjectOfGroup[program.groupOfPod[index]!]!;
    if (pod.hostNetwork || !program.ingress.isIsolated(subject)) return [];
    return unknown.flatMap((source) => pod.addresses
      .filter(({ family, value }) => family === source.family && value !== source.value)
      .map((target): Connection => ({ source, target, nodes: [pod.nodeName as NodeName], expected: NO_PORTS })));
  });
}
