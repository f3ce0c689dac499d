// Starts the agent of one node: what the API server tells goes into the kernel for as long as the signal is silent.
import type { ClusterApi } from '../kube/cluster-api.ts';
import type { OpenPacketLog } from '../kernel/packet-log.ts';
import { AnswerWatch, type AnswerSource } from './answer-watch.ts';
import type { Clock } from './clock.ts';
import { followCluster } from './cluster-follower.ts';
import { DenialBell } from './denial-bell.ts';
import { followDnsServices } from './dns-services.ts';
import { followServices } from './follow-services.ts';
import { NodeAgent, type NodeAgentOptions } from './node-agent.ts';
import { sleep } from './sleep.ts';

export interface AgentOptions extends NodeAgentOptions {
  readonly api: ClusterApi;
  readonly signal: AbortSignal;
  /** Where answers of DNS come from; without it rules that name domains let nothing through. */
  readonly answers?: AnswerSource;
  /** The log group that refusals ring; without it they are told by the step. */
  readonly denials?: OpenPacketLog;
  /** Gives back to the system what is free of this process's memory: what a telling of the whole cluster goes through is a multiple of what is kept. */
  readonly returnMemory?: () => void;
}

const RETURN_MS = 15_000;

export interface RunningAgent {
  readonly agent: NodeAgent;
  /** Resolves when the signal has come and nothing goes on any more; the rules stay. Fails for a bug only. */
  readonly ended: Promise<void>;
}

export function startAgent({ api, signal, answers, denials, returnMemory, allowsAudit = false, ...options }: AgentOptions): RunningAgent {
  const agent = new NodeAgent({ ...options, allowsAudit });
  const watch = new AnswerWatch({ source: answers, followServices: (listener, until) => followDnsServices(api, listener, AbortSignal.any([signal, until])), listener: agent.names, clock: options.clock });
  agent.onChange(() => watch.want(agent.names.areLookedAt));
  const bell = denials === undefined ? undefined : new DenialBell({ open: denials, clock: options.clock, onRing: () => agent.flows.ring(), onProblem: (message) => agent.flowsProblem(message) });
  if (returnMemory !== undefined) void returnStepwise(returnMemory, options.clock, signal);
  const ended = Promise.all([followCluster({ api, listener: agent, signal, allowsAudit }), followServices(api, agent, signal)]).then(() => undefined).finally(async () => {
    agent.stop();
    bell?.end();
    await watch.end();
  });
  return { agent, ended };
}

async function returnStepwise(returnMemory: () => void, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(clock, RETURN_MS, signal);
    returnMemory();
  }
}
