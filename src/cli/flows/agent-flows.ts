// Flows that the agents of a cluster saw last, asked of each node through the API server; once, or each as it comes.
import type { FlowRecord } from '../../flow/flow-record.ts';
import { FlowGathering, type GatherOptions } from '../../flow/gather-flows.ts';
import { LiveJoining, shownOf } from '../../flow/join-live.ts';
import { readFlow } from '../../flow/read-flow.ts';
import { ClusterError } from '../../kube/cluster-error.ts';
import { openKubeApi, type KubeApi } from '../../kube/kube-api.ts';
import { sayingRights } from '../../release/missing-rights.ts';
import { followAgentFlows } from '../../status/follow-agent-flows.ts';
import { findAgents, readAgentFlows, type AgentPod } from '../../status/read-agent-flows.ts';
import { printable } from '../../report/text/printable.ts';
import { listenForInterruption } from '../../terminal/interruption.ts';
import { writeNote } from '../../terminal/output.ts';
import { systemClock } from '../system-clock.ts';

export interface AgentsPlace {
  readonly context?: string;
  readonly kubeconfig?: string;
  /** Nodes whose agents do not answer are left out, and said to be. */
  readonly lenient?: boolean;
}

const NODES_AT_ONCE = 8;

/** Fails with ClusterError. */
export async function gatherAgentFlows(place: AgentsPlace, options: GatherOptions): Promise<FlowGathering> {
  const api = await openKubeApi(place);
  const left = [...(await agentsOf(api))].reverse();
  const gathering = new FlowGathering(options);
  const work = async (): Promise<void> => {
    for (let agent = left.pop(); agent !== undefined; agent = left.pop()) await gatherOne(api, agent, { gathering, lenient: place.lenient });
  };
  await Promise.all(Array.from({ length: NODES_AT_ONCE }, work));
  return gathering;
}

async function gatherOne(api: KubeApi, agent: AgentPod, { gathering, lenient = false }: { readonly gathering: FlowGathering; readonly lenient?: boolean | undefined }): Promise<void> {
  try {
    const { lines } = await sayingRights(readAgentFlows(api, agent));
    for (const [index, line] of lines.entries()) gathering.addLine(line, `the agent of ${agent.node}`, index + 1);
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    const message = `the agent of node ${agent.node} is not heard: ${error.message}`;
    if (!lenient) throw new ClusterError(error.code, `${message}\n  help: --lenient goes on without its flows`, { cause: error });
    await writeNote(`bulkhead: ${printable(message)}; its flows are left out\n`);
  }
}

async function agentsOf(api: KubeApi): Promise<readonly AgentPod[]> {
  const agents = await sayingRights(findAgents(api));
  if (agents.length === 0) throw new ClusterError('not-found', `no agent runs in the cluster ${api.name}`, { help: 'bulkhead agent --manifests | kubectl apply -f -' });
  return agents;
}

export interface AgentsFollowing {
  readonly place: AgentsPlace;
  readonly isWanted: (record: FlowRecord) => boolean;
  readonly show: (records: readonly FlowRecord[]) => Promise<void>;
}

/** Until somebody stops it. Fails with ClusterError where no agent is found when it begins. */
export async function followAgents({ place, isWanted, show }: AgentsFollowing): Promise<void> {
  const api = await openKubeApi(place);
  const agents = await agentsOf(api);
  const interruption = listenForInterruption();
  const stop = new AbortController();
  void interruption.come.then(() => stop.abort());
  const { signal } = stop;
  const joining = new LiveJoining();
  const take = async (lines: readonly string[]): Promise<void> => {
    const read = lines.map(readFlow);
    const lost = read.reduce((sum, one) => sum + (one.kind === 'lost' ? one.flows : 0), 0);
    if (lost > 0) await writeNote(`bulkhead: ${lost} flows are lost: nothing is known of them\n`);
    await show(read.flatMap((one) => (one.kind === 'flow' ? shownOf(joining.take(one.record), { isWanted }) : [])));
  };
  try {
    await followAgentFlows(agents, { api, clock: systemClock, signal, take, say: (message) => writeNote(`bulkhead: ${printable(message)}\n`) });
  } finally {
    stop.abort();
    interruption.stopListening();
  }
}
