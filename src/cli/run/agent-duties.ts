// What an agent does beside enforcing: answers for metrics and health, publishes what is in force, judges what is staged, and logs.
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { NO_LOSSES } from '../../flow/flow-losses.ts';
import { RecentFlows } from '../../observe/recent-flows.ts';
import type { NodeAgent } from '../../agent/node-agent.ts';
import type { FlowSender } from '../../history/send/flow-sender.ts';
import { senderMetrics } from '../../history/send/sender-metrics.ts';
import type { ClusterApi } from '../../kube/cluster-api.ts';
import { isLocalAddress } from '../../server/host-name.ts';
import { AGENT_BOUNDS, RememberedReviews } from '../../server/remembered-reviews.ts';
import { gatekeeperOf } from '../../server/review-gatekeeper.ts';
import type { RunningServer } from '../../server/listener.ts';
import { startServer, type Answer, type AnswerPath, type OpenDoor } from '../../server/server.ts';
import { Staging } from '../../stage/staging.ts';
import { answerFlows, readFlowsQuestion } from '../../status/flow-lines.ts';
import { readiness } from '../../status/health-text.ts';
import { metricsText } from '../../status/metrics-text.ts';
import { announcePolicies } from '../../status/policy-events.ts';
import { publishEnforcement } from '../../status/publish-enforcement.ts';
import type { AgentFacts } from '../../status/status.ts';
import type { Log } from './agent-log.ts';
import { UsageError } from '../../terminal/failures.ts';
import { systemClock } from '../system-clock.ts';

export interface StatusOptions {
  /** `HOST:PORT`, or `none`. */
  readonly statusAddress: string;
  readonly statusCert?: string;
  readonly statusKey?: string;
}

export interface Duties {
  readonly agent: NodeAgent;
  readonly node: string;
  readonly api: ClusterApi;
  readonly version: string;
  readonly nftVersion: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly door: StatusDoor | undefined;
  /** Another engine enforces: nothing is said to be in force. */
  readonly observes: boolean;
  /** To a server of flows. */
  readonly sender?: FlowSender | undefined;
}

/** Resolves when the signal has come. What fails in here is told in the log, and never stops the enforcing. */
export async function performDuties({ agent, node, api, version, nftVersion, log, signal, door, observes, sender }: Duties): Promise<void> {
  const facts: AgentFacts = { version, startedAt: new Date(), kernelRelease: release(), nftVersion };
  const onFailure = (error: Error): void => log('warn', error.message);
  const inForce = (): ReturnType<NonNullable<ConstructorParameters<typeof Staging>[0]['inForce']>> => agent.program?.cluster;
  const staging = new Staging({ api, ledger: agent.flows, node, inForce, audited: () => agent.audited, clock: systemClock, onFailure, signal });
  const recent = new RecentFlows();
  const stopTelling = agent.flows.addSink(recent);
  if (sender !== undefined) agent.flows.addSink(sender);
  const server = door === undefined ? undefined : await openServer({ door, api, log, answer: (path, query) => answerPath(path, query, { agent, facts, staging, recent, sender }) });
  const common = { source: agent, clock: systemClock, onFailure, signal };
  logStates(agent, log, signal);
  const sayings = observes ? [] : [publishEnforcement({ ...common, api, facts, staged: () => staging.counts, losses: () => ({ ...(sender?.state.losses ?? NO_LOSSES), ledgerFull: agent.flows.state.lost }) }), announcePolicies({ ...common, api })];
  await Promise.all([...sayings, staging.run(), sender?.run(() => agent.flows.follow())]);
  stopTelling();
  await server?.close();
}

// --- Answers

interface Answering {
  readonly agent: NodeAgent;
  readonly facts: AgentFacts;
  readonly staging: Staging;
  readonly recent: RecentFlows;
  readonly sender: FlowSender | undefined;
}

function answerPath(path: string, query: URLSearchParams, { agent, facts, staging, recent, sender }: Answering): Promise<Answer> | Answer | undefined {
  switch (path) {
    case '/healthz':
      return { status: 200, type: 'text/plain', text: 'alive\n' };
    case '/readyz': {
      const { isReady, text } = readiness(agent.state);
      return { status: isReady ? 200 : 503, type: 'text/plain', text };
    }
    case '/metrics': {
      const { user, system } = process.cpuUsage();
      const usage = { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 };
      return { status: 200, type: 'text/plain', text: `${metricsText({ facts, state: agent.state, staged: staging.counts, usage })}${sender === undefined ? '' : senderMetrics(sender.state)}` };
    }
    case '/flows': {
      const question = readFlowsQuestion(query);
      if (question === undefined) return { status: 400, type: 'text/plain', text: '`after` is the number that an answer ended with\n' };
      agent.flows.follow();
      return answerFlows(recent, question, (ms, act) => systemClock.after(ms, act)).then((text): Answer => ({ status: 200, type: 'application/x-ndjson', text }));
    }
    default:
      return undefined;
  }
}

export interface StatusDoor {
  readonly host: string;
  readonly port: number;
  readonly certificate: OpenDoor['certificate'] | undefined;
}

/** undefined: nobody is to be answered. Throws UsageError. */
export function statusDoorOf({ statusAddress, statusCert, statusKey }: StatusOptions): StatusDoor | undefined {
  if (statusAddress === 'none') return undefined;
  const [, host, port] = /^\[?([0-9a-fA-F.:]+?)\]?:([0-9]{1,5})$/.exec(statusAddress) ?? [];
  if (host === undefined || Number(port) > 65_535) throw new UsageError(`\`${statusAddress}\` is no address and port`, 'write --status-address 127.0.0.1:9641, or none');
  if ((statusCert === undefined) !== (statusKey === undefined)) throw new UsageError('a certificate and its key belong together', 'write both --status-cert and --status-key');
  const certificate = statusCert === undefined || statusKey === undefined ? undefined : { cert: readFileSync(statusCert, 'utf8'), key: readFileSync(statusKey, 'utf8') };
  if (certificate === undefined && !isLocalAddress(host)) throw new UsageError(`${host} is not of this host alone, and tokens must not go over the network in the clear`, 'name --status-cert and --status-key, or listen on 127.0.0.1');
  return { host, port: Number(port), certificate };
}

interface Opening {
  readonly door: StatusDoor;
  readonly api: ClusterApi;
  readonly log: Log;
  readonly answer: AnswerPath;
}

/** An address that cannot be had is no reason not to enforce. */
async function openServer({ door: { host, port, certificate }, api, log, answer }: Opening): Promise<RunningServer | undefined> {
  const open = certificate === undefined ? undefined : { certificate, gatekeeper: gatekeeperOf(new RememberedReviews(api, () => systemClock.elapsedMs(), AGENT_BOUNDS)) };
  try {
    const server = await startServer({ host, port }, answer, open);
    log('info', `answers /metrics, /flows, /healthz and /readyz on ${host}:${server.port}`);
    return server;
  } catch (error) {
    log('error', `nobody can ask for metrics and health: ${host}:${port} cannot be listened on: ${(error as Error).message}`);
    return undefined;
  }
}

// --- The log

/** The state goes through all policies and pods, so it is not asked for at each of a hundred changes a second. */
const LOOK_MS = 1_000;

/** A line for each trouble that comes or goes, and for each time that the kernel holds everything again. */
function logStates(agent: NodeAgent, log: Log, signal: AbortSignal): void {
  let known = new Map<string, string>();
  let wasReady = false;
  let driftsTold = 0;
  let auditedTold = 0;
  let cancel: (() => void) | undefined;
  const look = (): void => {
    cancel = undefined;
    const { node, isReady, isEnforcing, troubles, policies, pods, kernel } = agent.state;
    const now = new Map(troubles.map(({ code, message }) => [`${code}: ${message}`, code]));
    for (const [line, code] of now) if (!known.has(line)) log(code === 'starting' ? 'info' : 'warn', line);
    for (const line of known.keys()) if (!now.has(line)) log('info', `over: ${line}`);
    known = now;
    if (kernel.driftRepairs !== driftsTold) log('warn', `put back: ${kernel.lastDrift}`, { drifts: kernel.driftRepairs });
    driftsTold = kernel.driftRepairs;
    const audited = policies.filter(({ isAudited }) => isAudited).length;
    if (audited !== auditedTold) log('warn', audited === 0 ? 'no policy is audited any more: all are enforced' : `${audited} policies are audited: judged, and not enforced`, { audited });
    auditedTold = audited;
    if (isReady && !wasReady) log('info', `node ${node} ${isEnforcing ? 'enforces' : 'observes, and judges by'} ${policies.length - audited} policies; ${pods.local} pods are its own, ${pods.governed} of them governed`, { ready: true });
    wasReady = isReady;
  };
  const plan = (): void => {
    if (cancel === undefined && !signal.aborted) cancel = systemClock.after(LOOK_MS, look);
  };
  const lookLast = (): void => {
    if (cancel === undefined) return;
    cancel();
    look();
  };
  signal.addEventListener('abort', lookLast, { once: true }); // what came in the last moment is told too
  agent.onChange(plan);
  look();
}
