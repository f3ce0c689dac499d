// What the agent knows as metrics, in the text format of Prometheus; no label grows with pods, policies or flows.
import type { AgentState, CommitState, PolicyState, TroubleCode } from '../agent/agent-state.ts';
import { COMMIT_BOUNDS_MS } from '../agent/commit-times.ts';
import type { StagedCount } from '../stage/staged-count.ts';
import type { AgentFacts } from './status.ts';

export interface MetricsInput {
  readonly facts: AgentFacts;
  readonly state: AgentState;
  readonly staged: readonly StagedCount[];
  readonly usage: { readonly residentBytes: number; readonly cpuSeconds: number };
}

type Labels = Readonly<Record<string, string>>;

export interface Sample {
  /** Of a histogram's names. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
  readonly labels?: Labels;
  readonly value: number;
}

export interface Metric<Input = MetricsInput> {
  readonly name: string;
  readonly kind: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly samples: (input: Input) => readonly Sample[];
}

/** Staged policies with samples of their own; the others are summed under an empty name. */
export const STAGED_SHOWN_MAX = 100;

const one = (value: number): readonly Sample[] => [{ value }];
const seconds = (at: Date | undefined): readonly Sample[] => (at === undefined ? [] : one(at.getTime() / 1000));
const by = (label: string, values: Readonly<Record<string, number>>): readonly Sample[] => Object.entries(values).map(([word, value]) => ({ labels: { [label]: word }, value }));

export const METRICS: readonly Metric[] = [
  { name: 'bulkhead_agent_info', kind: 'gauge', help: 'The agent: always 1.', samples: ({ facts, state }) => [{ labels: { version: facts.version, node: state.node, kernel: facts.kernelRelease, nft: facts.nftVersion }, value: 1 }] },
  { name: 'bulkhead_agent_start_time_seconds', kind: 'gauge', help: 'When the agent started, in seconds of 1970.', samples: ({ facts }) => seconds(facts.startedAt) },
  { name: 'bulkhead_agent_resident_bytes', kind: 'gauge', help: 'Memory of the agent that is resident.', samples: ({ usage }) => one(usage.residentBytes) },
  { name: 'bulkhead_agent_cpu_seconds_total', kind: 'counter', help: 'CPU time of the agent, of user and system.', samples: ({ usage }) => one(usage.cpuSeconds) },
  { name: 'bulkhead_ready', kind: 'gauge', help: '1 while the kernel holds what the API server said last, else 0.', samples: ({ state }) => one(state.isReady ? 1 : 0) },
  { name: 'bulkhead_troubles', kind: 'gauge', help: 'What keeps the node from being ready, by code.', samples: ({ state }) => by('code', countBy(state.troubles, ({ code }) => code)) },
  { name: 'bulkhead_cluster_trouble_since_seconds', kind: 'gauge', help: 'Since when the API server is gone or refuses to tell of a kind, in seconds of 1970: what the kernel holds is of then. No sample while all is told.', samples: ({ state }) => seconds(oldestTrouble(state.troubles, 'cluster')) },
  { name: 'bulkhead_policies', kind: 'gauge', help: 'Policies that the agent knows: in_force in the generation that it knows, pending, in force and closed by a problem, or audited: judged and not enforced.', samples: ({ state }) => by('state', { in_force: 0, pending: 0, problem: 0, audited: 0, ...countBy(state.policies, policyStanding) }) },
  { name: 'bulkhead_pods', kind: 'gauge', help: 'Pods that the agent knows: local ones, those of them that some policy governs, and remote ones.', samples: ({ state: { pods } }) => by('kind', { local: pods.local, governed: pods.governed, remote: pods.remote }) },
  { name: 'bulkhead_commit_seconds', kind: 'histogram', help: "Changes written to the kernel, by the time from the API server's word to the kernel's answer.", samples: ({ state }) => commitSamples(state.commits) },
  { name: 'bulkhead_last_commit_time_seconds', kind: 'gauge', help: 'When the last change was written, in seconds of 1970.', samples: ({ state }) => seconds(state.commits.lastAt) },
  { name: 'bulkhead_generations_total', kind: 'counter', help: 'Changes after which live connections were judged again.', samples: ({ state }) => one(state.commits.generations) },
  { name: 'bulkhead_enforcing', kind: 'gauge', help: '1 while a table of ours judges packets, also one that an earlier process left, else 0.', samples: ({ state }) => one(state.isEnforcing ? 1 : 0) },
  { name: 'bulkhead_drift_repairs_total', kind: 'counter', help: 'How often somebody else had changed the table and it was put right.', samples: ({ state }) => one(state.kernel.driftRepairs) },
  { name: 'bulkhead_last_drift_time_seconds', kind: 'gauge', help: 'When that was the last time, in seconds of 1970.', samples: ({ state }) => seconds(state.kernel.lastDriftAt) },
  { name: 'bulkhead_named_addresses', kind: 'gauge', help: 'Addresses that pods were told for names that rules name, each pod by itself.', samples: ({ state }) => one(state.names.addresses) },
  { name: 'bulkhead_dns_answers_total', kind: 'counter', help: 'Answers of DNS to pods under rules that name domains: learnt, other names or nothing new, unreadable, full where there was no room, unseen where they were too many or came the wrong way.', samples: ({ state }) => by('result', state.names.answers) },
  { name: 'bulkhead_flow_judgments_total', kind: 'counter', help: "Packets that the kernel judged, as its ledger counted them: each opens a connection or is refused, and counts again when it is sent or judged again.", samples: ({ state: { flows } }) => by('verdict', { allowed: flows.allowed, denied: flows.denied }) },
  { name: 'bulkhead_flow_lost_total', kind: 'counter', help: "Of those, the ones for which the kernel's ledger had no room: no flow tells of them.", samples: ({ state }) => one(state.flows.lost) },
  { name: 'bulkhead_flow_unexplained_total', kind: 'counter', help: 'Of those that flows tell of, the ones that no rule in force at the drain explains: the policies had just changed, an address was not known, or a name of DNS opened it.', samples: ({ state }) => one(state.flows.unexplained) },
  { name: 'bulkhead_flow_records_total', kind: 'counter', help: 'Flows that were told, each once for every drain that found it grown.', samples: ({ state }) => one(state.flows.records) },
  { name: 'bulkhead_flow_drains_total', kind: 'counter', help: "Times that the kernel's ledger was drained, and times that it could not be read, which loses nothing.", samples: ({ state: { flows } }) => by('result', { done: flows.drains, failed: flows.failures }) },
  { name: 'bulkhead_flow_drain_seconds_total', kind: 'counter', help: 'Time that the drains took, naming and judging included.', samples: ({ state }) => one(state.flows.drainMs / 1000) },
  { name: 'bulkhead_staged_judged_total', kind: 'counter', help: 'Judgments of the kernel on connections of pods that a staged policy, or a policy of an audited namespace, selects.', samples: ({ staged }) => stagedSamples(staged, ({ judged }) => judged) },
  { name: 'bulkhead_staged_would_refuse_total', kind: 'counter', help: 'Of those, allowed ones that would be refused.', samples: ({ staged }) => stagedSamples(staged, ({ wouldRefuse }) => wouldRefuse) },
];

export function metricsText(input: MetricsInput): string {
  return formatMetrics(METRICS, input);
}

export function formatMetrics<Input>(metrics: readonly Metric<Input>[], input: Input): string {
  return metrics.map(({ name, kind, help, samples }) => {
    const lines = samples(input).map(({ suffix = '', labels = {}, value }) => `${name}${suffix}${labelText(labels)} ${value}\n`);
    return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join('')}`;
  }).join('');
}

export function policyStanding({ inForceSince, isAudited, problem }: PolicyState): 'in_force' | 'pending' | 'problem' | 'audited' {
  if (isAudited) return 'audited';
  if (inForceSince === undefined) return 'pending';
  return problem === undefined ? 'in_force' : 'problem';
}

/** Since when the one that has been there longest is; undefined: none is. */
function oldestTrouble(troubles: AgentState['troubles'], wanted: TroubleCode): Date | undefined {
  return troubles.filter(({ code }) => code === wanted).map(({ since }) => since).sort((a, b) => a.getTime() - b.getTime())[0];
}

function countBy<T>(items: readonly T[], wordOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[wordOf(item)] = (counts[wordOf(item)] ?? 0) + 1;
  return counts;
}

function commitSamples({ count, times }: CommitState): readonly Sample[] {
  const buckets = COMMIT_BOUNDS_MS.map((ms, index): Sample => ({ suffix: '_bucket', labels: { le: String(ms / 1000) }, value: times.within[index]! }));
  return [...buckets, { suffix: '_bucket', labels: { le: '+Inf' }, value: count }, { suffix: '_sum', value: times.sumMs / 1000 }, { suffix: '_count', value: count }];
}

function stagedSamples(staged: readonly StagedCount[], valueOf: (count: StagedCount) => number): readonly Sample[] {
  const samples = staged.slice(0, STAGED_SHOWN_MAX).map((count): Sample => ({ labels: { kind: count.kind, namespace: count.namespace ?? '', name: count.name }, value: valueOf(count) }));
  const rest = staged.slice(STAGED_SHOWN_MAX).reduce((sum, count) => sum + valueOf(count), 0);
  return staged.length > STAGED_SHOWN_MAX ? [...samples, { labels: { kind: '', namespace: '', name: '' }, value: rest }] : samples;
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([label, value]) => `${label}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}
