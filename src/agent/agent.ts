// Starts the agent of one node: what the API server tells goes into the kernel for as long as the signal is silent.
import type { ClusterApi } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import { followCluster } from './cluster-follower.ts';
import { NodeAgent, type NodeAgentOptions } from './node-agent.ts';

export interface AgentOptions extends NodeAgentOptions {
  readonly api: ClusterApi;
  readonly signal: AbortSignal;
}

/** While a cluster cannot even be asked what it serves, the next try waits so long. */
const START_RETRY_MS = 2000;

export interface RunningAgent {
  readonly agent: NodeAgent;
  /** Resolves when the signal has come and nothing goes on any more; the rules stay. Fails for a bug only. */
  readonly ended: Promise<void>;
}

export function startAgent({ api, signal, ...options }: AgentOptions): RunningAgent {
  const agent = new NodeAgent(options);
  const ended = follow(api, agent, options, signal).finally(() => agent.stop());
  return { agent, ended };
}

async function follow(api: ClusterApi, agent: NodeAgent, { clock }: NodeAgentOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await followCluster({ api, listener: agent, signal });
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ClusterError)) throw error;
      agent.trouble('', error);
      await new Promise<void>((resolve) => {
        const cancel = clock.after(START_RETRY_MS, resolve);
        signal.addEventListener('abort', () => (cancel(), resolve()), { once: true });
      });
    }
  }
}
