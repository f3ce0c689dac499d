// The facts of a cluster, held against what is known of engines, become a diagnosis: on each node enforced, inert or unknown, with evidence, and what to type.
import { compareText } from '../base/finding.ts';
import { fillRemedy, wordsOf, type FilledRemedy } from './commands.ts';
import type { AgentReport, ClusterFacts, DaemonSetFacts, NodeFacts } from './facts.ts';
import { judgeEngine, type EngineOnNode, type NodeStanding, type Said } from './judge-engine.ts';
import type { EngineKnowledge, Feature, FeatureName, ProviderKnowledge, Source } from './knowledge.ts';
import type { Knowledge } from './read-facts.ts';
import { enginesOf } from './recognize.ts';
import { allHold } from './signals.ts';

export interface Diagnosis {
  readonly takenAt: string;
  readonly provider: { readonly name: string; readonly title: string } | undefined;
  /** By name. */
  readonly nodes: readonly NodeDiagnosis[];
  /** What makes nodes inert, then what leaves them unknown, warnings, notes. */
  readonly findings: readonly SupportFinding[];
  readonly engines: readonly FoundEngine[];
  readonly policies: ClusterFacts['policies'];
  readonly unread: ClusterFacts['unread'];
  /** There are nodes, and each of them enforces. */
  readonly isEnforced: boolean;
}

export interface NodeDiagnosis {
  readonly node: string;
  readonly standing: NodeStanding;
  /** Titles with versions, of those that run there. */
  readonly engines: readonly string[];
  readonly evidence: readonly string[];
}

export interface SupportFinding {
  /** `aws-vpc-cni/policy-off`. */
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  readonly nodes: readonly string[];
  readonly remedies: readonly FilledRemedy[];
  readonly source: Source | undefined;
}

export interface FoundEngine {
  readonly name: string;
  readonly title: string;
  readonly version: string | undefined;
  /** Nodes on which it runs. */
  readonly nodes: number;
  /** The word of `--engine`. */
  readonly engineWord: string | undefined;
  readonly features: readonly (Feature & { readonly name: FeatureName; readonly isChecked: boolean })[];
}

export function diagnose(facts: ClusterFacts, { engines, providers }: Knowledge): Diagnosis {
  const provider = providers.find(({ recognized }) => facts.nodes.some((node) => recognized.some((condition) => allHold({ facts, node, pod: undefined }, [condition]).kind === 'holds')));
  const owners = new Map(facts.daemonSets.map((daemonSet) => [daemonSet, enginesOf(daemonSet, engines)]));
  const judged = facts.nodes.map((node) => judgeNode({ facts, owners, engines }, node)).sort((a, b) => compareText(a.node.name, b.node.name));
  return {
    takenAt: facts.takenAt,
    provider: provider === undefined ? undefined : { name: provider.name, title: provider.title },
    nodes: judged.map(({ node, standing, found, evidence }) => ({ node: node.name, standing, engines: found.filter(({ runs }) => runs).map(nameWithVersion), evidence })),
    findings: [...overdueFindings(facts), ...gather(judged, { facts, provider, owners })],
    engines: engines.flatMap((engine) => foundEngine(engine, judged)),
    policies: facts.policies,
    unread: facts.unread,
    isEnforced: judged.length > 0 && judged.every(({ standing }) => standing === 'enforced'),
  };
}

interface World {
  readonly facts: ClusterFacts;
  readonly owners: ReadonlyMap<DaemonSetFacts, readonly EngineKnowledge[]>;
  readonly engines: readonly EngineKnowledge[];
}

interface JudgedNode {
  readonly node: NodeFacts;
  readonly standing: NodeStanding;
  readonly found: readonly EngineOnNode[];
  readonly evidence: readonly string[];
  readonly said: readonly Said[];
}

function judgeNode({ facts, owners, engines }: World, node: NodeFacts): JudgedNode {
  const byDaemonSet = engines.filter(({ recognized }) => recognized.reports !== true).flatMap((engine) => judgeBest({ facts, node }, engine, [...owners].flatMap(([daemonSet, list]) => (list.includes(engine) ? [daemonSet] : []))));
  const onNode = engines
    .filter(({ recognized }) => (recognized.onNodes ?? []).some((conditions) => allHold({ facts, node, pod: undefined }, conditions).kind === 'holds'))
    .map((engine) => judgeEngine({ facts, node }, engine, { daemonSet: undefined }));
  const ours = engines.filter(({ recognized }) => recognized.reports === true).flatMap((engine) => judgeOurs({ facts, owners, engines }, engine, node));
  const found = [...byDaemonSet, ...onNode, ...ours];
  const enforcers = found.filter(({ engine }) => engine.role === 'enforcer');
  const active = enforcers.filter(({ standing }) => standing === 'enforced');
  const evidence = found.flatMap(({ evidence: list }) => list);
  const said = found.flatMap(({ standing, said: list }) => (standing === 'inert' ? list.filter(({ means }) => means !== 'note') : list));
  if (active.length > 1) return { node, standing: 'unknown', found, evidence, said: [...said, conflictOf(active)] };
  // An engine that is switched off beside one that enforces is as somebody wanted it.
  if (active.length === 1) return { node, standing: 'enforced', found, evidence, said: found.filter(({ standing, runs }) => standing !== 'inert' && runs).flatMap(({ said: list }) => list) };
  const unknown = enforcers.some(({ standing }) => standing === 'unknown');
  const none = enforcers.length === 0 ? [nothingSaid(node, found)] : [];
  return { node, standing: unknown ? 'unknown' : 'inert', found, evidence: evidence.length > 0 ? evidence : ['no agent of an engine that is known runs there'], said: [...said, ...none] };
}

/** An engine may have a DaemonSet for each kind of node: the one that runs there counts. */
function judgeBest(place: Parameters<typeof judgeEngine>[0], engine: EngineKnowledge, daemonSets: readonly DaemonSetFacts[]): readonly EngineOnNode[] {
  const judged = daemonSets.map((daemonSet) => judgeEngine(place, engine, { daemonSet }));
  return [judged.find(({ runs }) => runs) ?? judged.find(({ standing }) => standing === 'unknown') ?? judged[0]].filter((one) => one !== undefined);
}

function conflictOf(active: readonly EngineOnNode[]): Said {
  const names = active.map(({ engine }) => engine.title).sort(compareText);
  return { code: `conflict/${active.map(({ engine }) => engine.name).sort(compareText).join('+')}`, means: 'unknown', says: `${names.join(' and ')} enforce the same policies at once: what one allows the other may refuse, and either may undo the other's rules`, remedies: [], engine: undefined, source: undefined };
}

function nothingSaid(node: NodeFacts, found: readonly EngineOnNode[]): Said {
  const networks = found.map(({ engine }) => engine.title);
  const says = networks.length === 0 ? `nothing that is known enforces policies on ${node.os === 'windows' ? 'Windows nodes here' : 'these nodes'}: they are accepted and ignored` : `${networks.join(' and ')} connects pods and enforces no policies: they are accepted and ignored`;
  const remedies = found.flatMap(({ engine }) => engine.remedies.map(({ id }) => id));
  return { code: node.os === 'windows' ? 'no-engine/windows' : networks.length === 0 ? 'no-engine/none' : `no-engine/${found.map(({ engine }) => engine.name).join('+')}`, means: 'inert', says, remedies, engine: found[0]?.engine, source: undefined };
}

/** Of an agent that never reported, or whose reports may not be read, nobody knows what it does. */
function judgeOurs({ facts, owners }: World, engine: EngineKnowledge, node: NodeFacts): readonly EngineOnNode[] {
  const report = facts.reports[node.name];
  if (report !== undefined) return [judgeReport(engine, report)];
  const deployed = judgeBest({ facts, node }, engine, [...owners].flatMap(([daemonSet, list]) => (list.includes(engine) ? [daemonSet] : [])));
  return deployed.map((one) => (one.standing === 'enforced' ? { ...one, standing: 'unknown', said: [{ code: `${engine.name}/no-report`, means: 'unknown', says: 'an agent runs, and no report of it can be read', remedies: [], engine, source: undefined }] } : one));
}

/** The agents of this very program say themselves what they do. */
function judgeReport(engine: EngineKnowledge, { standing, isEnforcing, version, troubles, audits }: AgentReport): EngineOnNode {
  const base = { engine, version, runs: true };
  const says = (means: Said['means'], id: string, text: string): Said => ({ code: `${engine.name}/${id}`, means, says: text, remedies: [], engine, source: undefined });
  if (standing === 'silent') return { ...base, standing: 'unknown', evidence: ['its agent has not reported by the time it had promised: its rules stay as they were'], said: [says('unknown', 'silent', 'an agent is silent: `bulkhead status` says since when')] };
  const audited = audits.length === 0 ? [] : [says('warning', 'audited', `policies of ${namesOf(audits)} are judged and not enforced: the label \`bulkhead.dev/audit=true\` of the namespace asks for it`)];
  if (isEnforcing) return { ...base, standing: standing === 'ready' ? 'enforced' : 'unknown', evidence: [`its agent says that it enforces${standing === 'ready' ? '' : ', and that it is not ready'}`, ...troubles], said: standing === 'ready' ? audited : [says('unknown', 'not-ready', 'an agent is not ready: `bulkhead status` says why'), ...audited] };
  return { ...base, standing: 'inert', evidence: ['its agent says that it does not enforce', ...troubles], said: [says('inert', 'not-enforcing', 'an agent does not enforce: `bulkhead status` says why')] };
}

/** Names of an audit that are shown. */
const NAMES_MAX = 5;

function namesOf(namespaces: readonly string[]): string {
  const sorted = namespaces.toSorted(compareText);
  return sorted.length <= NAMES_MAX ? sorted.join(', ') : `${sorted.slice(0, NAMES_MAX).join(', ')} and ${sorted.length - NAMES_MAX} more`;
}

// --- What is said, once for all nodes that it concerns

interface Gathering {
  readonly facts: ClusterFacts;
  readonly provider: ProviderKnowledge | undefined;
  readonly owners: World['owners'];
}

const SEVERITIES = { inert: 'error', unknown: 'warning', warning: 'warning', note: 'info' } as const;
const ORDER = ['inert', 'unknown', 'warning', 'note'] as const;

function gather(judged: readonly JudgedNode[], gathering: Gathering): readonly SupportFinding[] {
  const bySaying = new Map<string, { readonly said: Said; readonly nodes: NodeFacts[] }>();
  for (const { node, said } of judged) {
    for (const one of said) {
      const key = `${one.code} ${one.says}`;
      const known = bySaying.get(key);
      if (known === undefined) bySaying.set(key, { said: one, nodes: [node] });
      else if (!known.nodes.includes(node)) known.nodes.push(node);
    }
  }
  const sorted = [...bySaying.values()].sort((a, b) => ORDER.indexOf(a.said.means) - ORDER.indexOf(b.said.means));
  return sorted.map(({ said, nodes }) => findingOf(said, nodes, gathering));
}

/** A snapshot has no time, so nothing in it is overdue. */
function overdueFindings({ takenAt, temporary }: ClusterFacts): readonly SupportFinding[] {
  return temporary.filter(({ expires }) => takenAt !== '' && !(Date.parse(expires) > Date.parse(takenAt))).map(({ kind, namespace, name, expires }) => ({
    code: 'break-glass-overdue',
    severity: 'warning',
    message: `${kind} ${namespace === '' ? name : `${namespace}/${name}`} was to stand until ${expires}, and still does`,
    nodes: [],
    remedies: [TAKE_BACK],
    source: undefined,
  }));
}

const TAKE_BACK: FilledRemedy = { title: 'take it back as it was put', commands: ['bulkhead rollback --expired'], effects: 'what it allows is refused again', needs: undefined, deadline: undefined, source: undefined };

function findingOf(said: Said, nodes: readonly NodeFacts[], gathering: Gathering): SupportFinding {
  return {
    code: said.code,
    severity: SEVERITIES[said.means],
    message: said.engine === undefined || said.code.startsWith('no-engine/') ? said.says : `${said.engine.title}: ${said.says}`,
    nodes: nodes.map(({ name }) => name),
    remedies: remediesOf(said, nodes, gathering),
    source: said.source === undefined ? undefined : said.engine?.sources[said.source],
  };
}

/** Of the engine; where nothing enforces, of the provider too, and our own agent last. */
function remediesOf(said: Said, nodes: readonly NodeFacts[], { facts, provider, owners }: Gathering): readonly FilledRemedy[] {
  const place = { facts, nodes };
  const daemonSet = [...owners].find(([, list]) => said.engine !== undefined && list.includes(said.engine))?.[0];
  const words = { ...wordsOf(provider, place), ...(daemonSet === undefined ? {} : { NAMESPACE: daemonSet.namespace, DAEMONSET: daemonSet.name }) };
  const ofEngine = (said.engine?.remedies ?? []).filter(({ id, providers }) => said.remedies.includes(id) && (providers === undefined || provider === undefined || providers.includes(provider.name)));
  const filled = ofEngine.map((remedy) => fillRemedy(remedy, words, said.engine!.sources[remedy.source]));
  if (!said.code.startsWith('no-engine/')) return filled;
  const ofProvider = (provider?.remedies ?? []).map((remedy) => fillRemedy(remedy, words, provider!.sources[remedy.source]));
  return [...filled, ...ofProvider, ...(said.code === 'no-engine/windows' ? [] : [OUR_AGENT])];
}

const OUR_AGENT: FilledRemedy = {
  title: 'the agent of Bulkhead, beside the CNI that is there',
  commands: ['bulkhead agent --manifests | kubectl apply -f -', 'bulkhead status --wait 120'],
  effects: 'a DaemonSet in the namespace bulkhead-system; nothing else restarts; policies begin to refuse as soon as it runs',
  needs: 'a CNI whose pod traffic passes the netfilter of the node (flannel, bridge, ptp, kindnet, kubenet, the VPC CNI), nf_tables, and for pods on a Linux bridge br_netfilter',
  deadline: undefined,
  source: undefined,
};

function foundEngine(engine: EngineKnowledge, judged: readonly JudgedNode[]): readonly FoundEngine[] {
  const found = judged.flatMap((node) => node.found.filter((one) => one.engine === engine));
  if (found.length === 0) return [];
  const versions = [...new Set(found.flatMap(({ version }) => (version === undefined ? [] : [version])))].sort(compareText);
  const features = Object.entries(engine.features).map(([name, feature]) => ({ ...feature, name: name as FeatureName, isChecked: engine.sources[feature.source]?.isChecked === true })); // the schema has these keys alone
  return [{ name: engine.name, title: engine.title, version: versions.length === 0 ? undefined : versions.join(', '), nodes: found.filter(({ runs }) => runs).length, engineWord: engine.engineWord, features }];
}

function nameWithVersion({ engine, version }: EngineOnNode): string {
  return version === undefined ? engine.title : `${engine.title} ${version}`;
}
