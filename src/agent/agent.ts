// Starts the agent of one node: what the API server tells goes into the kernel for as long as the signal is silent.
import type { ClusterApi } from '../kube/cluster-api.ts';
import { followCluster } from './cluster-follower.ts';
import { NodeAgent, type NodeAgentOptions } from './node-agent.ts';

export interface AgentOptions extends NodeAgentOptions {
  readonly api: ClusterApi;
  readonly signal: AbortSignal;
}

export interface RunningAgent {
  readonly agent: NodeAgent;
  /** Resolves when the signal has come and nothing goes on any more; the rules stay. Fails for a bug only. */
  readonly ended: Promise<void>;
}

export function startAgent({ api, signal, ...options }: AgentOptions): RunningAgent {
  const agent = new NodeAgent(options);
  const ended = followCluster({ api, listener: agent, signal }).finally(() => agent.stop());
  return { agent, ended };
}
