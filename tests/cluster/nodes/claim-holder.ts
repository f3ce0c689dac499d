// Holds what is claimed to be in force against connections: whatever stands claimed all the while that they are tried must be what they say.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterObject } from '../../../src/kube/cluster-api.ts';
import { askServer } from '../../../src/kube/kube-request.ts';
import { createPollProber } from '../../../src/kernel/poll-probe.ts';
import type { ProbeTask } from '../../../src/kernel/prober.ts';
import { rolloutOf, type PolicyOnNode } from '../../../src/status/rollout.ts';
import type { FleetEnd } from './fleet.ts';
import type { NodeCluster } from './node-cluster.ts';

/** A policy that lets into its pods one of these ports alone, by TCP and from everywhere. */
export const CLAIMED_PORTS: readonly number[] = [80, 81, 8000];

export interface ClaimTally {
  /** Claims that stood while they were tried, and the connections of that. */
  held: number;
  connections: number;
  /** Claims that were taken back or had another generation before all was tried. */
  passed: number;
  readonly broken: string[];
}

export interface ClaimedPolicy {
  readonly namespace: string;
  readonly name: string;
  /** Those that it selects, by node. */
  readonly targets: ReadonlyMap<string, readonly FleetEnd[]>;
  readonly sources: readonly FleetEnd[];
}

/** What `bulkhead status` says of it at this moment. */
interface Claim {
  readonly port: number;
  readonly generation: number;
  readonly nodes: readonly PolicyOnNode[];
}

/** `NodeEnforcement` objects, read again and again until the signal. */
export async function holdClaims(cluster: NodeCluster, policy: ClaimedPolicy, signal: AbortSignal): Promise<ClaimTally> {
  const tally: ClaimTally = { held: 0, connections: 0, passed: 0, broken: [] };
  while (!signal.aborted) {
    const before = await readClaim(cluster, policy);
    const claimed = before?.nodes.filter(({ standing }) => standing === 'in-force') ?? [];
    if (before === undefined || claimed.length === 0) {
      await sleep(20);
      continue;
    }
    const seen = new Map(await Promise.all(claimed.map(async ({ node }) => [node, await contradictions(policy, node, before.port)] as const)));
    const after = await readClaim(cluster, policy);
    for (const claim of claimed) {
      const stands = after?.generation === before.generation && after.nodes.some(({ node, standing, since }) => node === claim.node && standing === 'in-force' && since === claim.since);
      const { tried, wrong } = seen.get(claim.node)!;
      if (!stands) tally.passed++;
      else {
        tally.held++;
        tally.connections += tried;
        tally.broken.push(...wrong.map((what) => `generation ${before.generation}, in force on ${claim.node} since ${claim.since}: ${what}`));
      }
    }
  }
  return tally;
}

async function readClaim({ connection }: NodeCluster, { namespace, name }: ClaimedPolicy): Promise<Claim | undefined> {
  const list = async (path: string): Promise<readonly ClusterObject[]> => ((await askServer(connection, { path })) as { readonly items: readonly ClusterObject[] }).items;
  const [nodes, enforcements, policies] = await Promise.all([list('/api/v1/nodes'), list('/apis/bulkhead.dev/v1alpha1/nodeenforcements'), list(`/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`)]);
  const found = policies.find(({ metadata }) => metadata.name === name);
  if (found === undefined) return undefined;
  const { nodes: standings, generation } = rolloutOf({ nodes, enforcements, policies: [found] }, new Date()).policies[0]!;
  return { port: portOf(found), generation, nodes: standings };
}

function portOf(policy: ClusterObject): number {
  const { ingress } = policy['spec'] as unknown as { readonly ingress: readonly [{ readonly ports: readonly [{ readonly port: number }] }] }; // written by this test
  return ingress[0].ports[0].port;
}

const OPEN_WAIT_MS = 900;
const CLOSED_WAIT_MS = 150;

/** The connections into the policy's pods on a node that are not as it says. */
export async function contradictions({ targets, sources }: Pick<ClaimedPolicy, 'targets' | 'sources'>, node: string, port: number): Promise<{ readonly tried: number; readonly wrong: readonly string[] }> {
  const tries = targets.get(node)!.flatMap((target) => sources.flatMap((source) => CLAIMED_PORTS.flatMap((tried) => tasksOf(source, target, tried))));
  const round = createPollProber().open(tries.map(({ task }) => task));
  try {
    await round.collect(OPEN_WAIT_MS, (index) => tries[index]!.task.port !== port);
    await round.collect(CLOSED_WAIT_MS);
    const wrong = tries.filter(({ task }, index) => (round.answers[index] === 'connected') !== (task.port === port)).map(({ name, task }) => `${name} ${task.port} is ${task.port === port ? 'closed' : 'open'}`);
    return { tried: tries.length, wrong };
  } finally {
    round.close();
  }
}

function tasksOf(source: FleetEnd, target: FleetEnd, port: number): readonly { readonly name: string; readonly task: ProbeTask }[] {
  return target.addresses.flatMap((address) => {
    const own = source.addresses.find(({ family }) => family === address.family);
    if (own === undefined) return [];
    return [{ name: `${source.name} -> ${target.name} over IPv${address.family}`, task: { namespace: source.namespace, source: own, target: address, targetNamespace: target.namespace, protocol: 'TCP' as const, port } }];
  });
}
