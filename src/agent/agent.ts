// Starts the agent of one node: what the API server tells goes into the kernel for as long as the signal is silent.
import { DenialBell } from '../observe/denial-bell.ts';
import { sleep } from '../base/sleep.ts';
import type { ClusterApi } from '../kube/cluster-api.ts';
import type { GivenAddresses } from '../kernel/given-addresses.ts';
import type { OpenPacketLog } from '../kernel/packet-log.ts';
import { AnswerWatch, type AnswerSource } from './answer-watch.ts';
import { followCluster } from './cluster-follower.ts';
import { followDnsServices } from './dns-services.ts';
import { followServices } from './follow-services.ts';
import { NodeAgent, type NodeAgentOptions } from './node-agent.ts';

export interface SpareMemory {
  /** What is free; costs next to nothing. */
  returnFree(): void;
  /** Garbage too; stops the process for a moment. Called when the whole cluster has been told, which goes through several times what is kept, and when the heap has grown to a multiple of what it was then. */
  returnAll(): void;
  /** What the heap takes, with garbage and pages that it keeps. */
  heapBytes(): number;
}

export interface AgentOptions extends NodeAgentOptions {
  readonly api: ClusterApi;
  readonly signal: AbortSignal;
  /** Where answers of DNS come from; without it rules that name domains let nothing through. */
  readonly answers?: AnswerSource;
  /** The log group that refusals ring; without it they are told by the step. */
  readonly denials?: OpenPacketLog;
  /** Give back to the system what this process no longer needs of its memory. */
  readonly memory?: SpareMemory;
  /** What the CNI of the node gave to its pods; without it their addresses are known when the API server tells them. */
  readonly given?: GivenAddresses | undefined;
}

const RETURN_MS = 15_000;
/** A small heap takes so many times what it was, for a drain goes through much within a moment, and the collector keeps the pages; a large one, for which it would stop long, never does. */
const GROWN = 1.5;

export interface RunningAgent {
  readonly agent: NodeAgent;
  /** Resolves when the signal has come and nothing goes on any more; the rules stay. Fails for a bug only. */
  readonly ended: Promise<void>;
}

export function startAgent({ api, signal, answers, denials, given, memory, allowsAudit = false, ...options }: AgentOptions): RunningAgent {
  const agent = new NodeAgent({ ...options, allowsAudit });
  const watch = new AnswerWatch({ source: answers, followServices: (listener, until) => followDnsServices(api, listener, AbortSignal.any([signal, until])), listener: agent.names, clock: options.clock });
  agent.onChange(() => watch.want(agent.names.areLookedAt));
  const bell = denials === undefined ? undefined : new DenialBell({ open: denials, clock: options.clock, onRing: () => agent.flows.ring(), onProblem: (message) => agent.flowsProblem(message) });
  const early = given === undefined ? undefined : { node: options.node, given };
  if (memory !== undefined) void returnMemory(agent, memory, { clock: options.clock, signal });
  const ended = Promise.all([followCluster({ api, listener: agent, signal, allowsAudit, early }), followServices(api, agent, signal)]).then(() => undefined).finally(async () => {
    agent.stop();
    bell?.end();
    await watch.end();
  });
  return { agent, ended };
}

async function returnMemory(agent: NodeAgent, memory: SpareMemory, { clock, signal }: Pick<AgentOptions, 'clock' | 'signal'>): Promise<void> {
  let keptBytes: number | undefined;
  for (await sleep(clock, RETURN_MS, signal); !signal.aborted; await sleep(clock, RETURN_MS, signal)) {
    const isFull = keptBytes === undefined ? agent.isReady : memory.heapBytes() > keptBytes * GROWN;
    if (isFull) memory.returnAll();
    else memory.returnFree();
    if (isFull) keptBytes = memory.heapBytes();
  }
}
