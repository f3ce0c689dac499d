// `bulkhead agent`: the policies of a cluster in the kernel of one of its nodes, for as long as it runs and beyond.
import { hostname } from 'node:os';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { startAgent } from '../agent/agent.ts';
import type { AgentState } from '../agent/agent-state.ts';
import { openKubeApi } from '../kube/kube-api.ts';
import { checkNode } from '../kernel/check-node.ts';
import { isGenerationMask } from '../kernel/generation-number.ts';
import { openFirewall } from '../kernel/nft-firewall.ts';
import { listenForInterruption } from './interruption.ts';
import { writeNote } from './output.ts';
import { systemClock } from './system-clock.ts';

interface AgentVerbOptions {
  readonly node: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly deny: 'drop' | 'reject';
  readonly onChange: 'cut' | 'keep';
  readonly ctMask: number;
}

export function defineAgent(command: Command): void {
  command
    .addOption(new Option('--node <NAME>', "this node's name in the cluster").env('NODE_NAME').default(hostname(), 'the name of this host'))
    .option('--context <NAME>', 'another context of the kubeconfig')
    .option('--kubeconfig <FILE>', "another kubeconfig (default: $KUBECONFIG, then ~/.kube/config, then the pod's service account)")
    .addOption(new Option('--deny <HOW>', 'what a refused new connection gets').choices(['drop', 'reject']).default('drop'))
    .addOption(new Option('--on-change <HOW>', 'live connections that a change would refuse').choices(['cut', 'keep']).default('cut'))
    .addOption(new Option('--ct-mask <BITS>', 'bits of the conntrack mark that nobody else writes').argParser(readMask).default(0x7f, '0x7f'))
    .addHelpText('after', '\nRules stay in force when it ends, however it ends.\nExit status: 0 it was told to end; 3 it cannot work here.')
    .action(async (options: AgentVerbOptions) => {
      process.exitCode = await runAgent(options);
    });
}

async function runAgent({ node, context, kubeconfig, deny, onChange, ctMask }: AgentVerbOptions): Promise<number> {
  if (refusesNode(ctMask)) return 3;
  const api = await openKubeApi({ ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) });
  const firewall = openFirewall({ deny, onChange, markMask: ctMask, isOwner: true });
  const interruption = listenForInterruption();
  const stop = new AbortController();
  void interruption.come.then(() => stop.abort());
  try {
    const { agent, ended } = startAgent({ api, firewall, node, clock: systemClock, signal: stop.signal });
    const log = createStateLog(() => agent.state);
    agent.onChange(log);
    await ended;
  } finally {
    firewall.close();
    interruption.stopListening();
  }
  return 0;
}

/** Says what is in the way on this node; true where policy could not be enforced at all. */
function refusesNode(markMask: number): boolean {
  const obstacles = checkNode({ markMask });
  for (const { reason, remedy } of obstacles) void writeNote(`bulkhead: ${reason}\nbulkhead: ${remedy}\n`);
  return obstacles.some(({ isFatal }) => isFatal);
}

function readMask(word: string): number {
  const mask = Number(word);
  if (!isGenerationMask(mask)) throw new InvalidArgumentError('two neighboring bits at least are needed, such as 0x7f.');
  return mask;
}

/** A line for each trouble that comes or goes, and for the first time that the kernel holds everything. */
function createStateLog(read: () => AgentState): () => void {
  let known = new Set<string>();
  let isToldReady = false;
  let driftsTold = 0;
  return () => {
    const { node, troubles, commits, policies, pods, kernel } = read();
    const now = new Set(troubles.map(({ code, message }) => `${code}: ${message}`));
    for (const line of now) if (!known.has(line)) void writeNote(`bulkhead: ${line}\n`);
    for (const line of known) if (!now.has(line)) void writeNote(`bulkhead: over: ${line}\n`);
    known = now;
    if (kernel.driftRepairs !== driftsTold) void writeNote(`bulkhead: put back: ${kernel.lastDrift}\n`);
    driftsTold = kernel.driftRepairs;
    if (isToldReady || commits.count === 0) return;
    isToldReady = true;
    void writeNote(`bulkhead: node ${node} enforces ${policies.length} policies; ${pods.local} pods are its own, ${pods.governed} of them governed\n`);
  };
}
