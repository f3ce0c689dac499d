// Reads from an application's manifests who must talk to whom, and writes the policies that let exactly that through, each rule with what shows it.
import { sortFindings, type Finding } from '../base/finding.ts';
import { compileCluster } from '../compile/compile.ts';
import { routeServices, type ServiceRoute } from '../analyze/services.ts';
import { FlowJudge } from '../flow/flow.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import type { Cluster, Workload } from '../model/cluster.ts';
import { comparePrecedence } from '../model/cluster-policy.ts';
import type { PolicyDraft } from '../model/policy-draft.ts';
import type { Labels } from '../model/selector.ts';
import type { WrittenObject } from '../read/values/written-object.ts';
import { connectionsFromApiServer, connectionsOfRoles, noteOtherEntrances } from './sources/api-server-connections.ts';
import { indexConfigMaps } from './words/config-maps.ts';
import { joinConnections, type Connection, type Shown } from './ends/connection.ts';
import { connectionsToDns } from './sources/dns-connections.ts';
import { draftPolicies, type PolicyDrafts } from './draft/draft-policies.ts';
import { connectionsOfEntrances } from './sources/entrance-connections.ts';
import { connectionsOfGateways } from './sources/gateway-connections.ts';
import { connectionsOfHostPorts } from './sources/host-port-connections.ts';
import { mapAt, textEntries } from '../read/values/loose-map.ts';
import { noteDecisions, noteRefused, noteSubjects, noteUnknownPods, noteUnseen } from './draft/notes.ts';
import { provePolicies, type Proof } from './proof/prove-policies.ts';
import { connectionsOfReferences, readAnnotatedTexts, readResourceTexts } from './sources/reference-connections.ts';
import { createHostResolver } from './words/resolve-host.ts';
import { connectionsOfScrapes } from './sources/scrape-connections.ts';
import { connectionsOfFlows, type Unwritten } from './flows/flow-connections.ts';
import { flowPlaces, placeFlows } from './flows/flow-places.ts';
import { joinFlows } from './flows/join-flows.ts';
import { learningOf, type Learning } from './flows/learning.ts';
import { proveFlows, type FlowProof } from './proof/prove-flows.ts';
import { EXACT, type OutsideGrouping } from './ends/address-groups.ts';
import { draftClusterPolicies } from './draft/draft-cluster-policies.ts';
import { findSubjects, workloadKey, type Subject, type Subjects } from './ends/subjects.ts';
import { connectionsOfTexts } from './sources/text-connections.ts';
import { readWorkloadTexts } from './words/workload-texts.ts';

export interface RecommendOptions {
  /** Leaves out the rules that somebody has to decide on; they are listed all the same. */
  readonly onlyDecided?: boolean;
  /** Missing: NetworkPolicy. */
  readonly kind?: RecommendedKind;
  readonly flows?: FlowOptions;
}

export type RecommendedKind = 'NetworkPolicy' | 'ClusterNetworkPolicy';

export interface FlowOptions {
  readonly table: FlowTable;
  /** How wide rules for addresses may be; missing: as narrow as what was seen. */
  readonly outside?: OutsideGrouping;
  /** Grants what was refused as well. */
  readonly withDenied?: boolean;
}

export interface Recommendation {
  /** By namespace and name, the default deny of a namespace first, or that of all of them last; the same input gives the same. */
  readonly drafts: readonly PolicyDraft[];
  /** Sorted by source, then target. */
  readonly connections: readonly Connection[];
  /** Those that no rule was written for, for they need a decision. */
  readonly undecided: readonly Connection[];
  readonly proof: Proof;
  /** undefined: no flows were given. */
  readonly flows: FlowsAnswer | undefined;
  /** Sorted. */
  readonly findings: readonly Finding[];
}

/** What the flows say of a recommendation. */
export interface FlowsAnswer {
  readonly table: FlowTable;
  readonly proof: FlowProof;
  /** Whether manifests were read beside them. */
  readonly isJoined: boolean;
  /** Rows that no rule was written for. */
  readonly unwritten: ReadonlyMap<Unwritten, readonly number[]>;
  readonly learning: readonly Learning[];
  /** The cluster with the pods that only the flows know, and the policies that it had. */
  readonly cluster: Cluster;
}

/**
 * `written` are the objects of the cluster's files as they were written, of which the reading was asked.
 * The policies stand by themselves: NetworkPolicies of the input are not counted on. Throws for no input.
 */
export function recommend(cluster: Cluster, written: readonly WrittenObject[], options: RecommendOptions = {}): Recommendation {
  const { flows } = options;
  const placed = flows === undefined ? undefined : placeFlows(cluster, flows.table.ends.all);
  const known = placed?.cluster ?? cluster;
  const subjects = findSubjects(known, ownerLabels(written));
  const routes = routeServices(known);
  const isDeclared = flows === undefined || written.length > 0;
  const shown = isDeclared ? gatherConnections({ cluster: known, written, subjects, routes }) : joinShown([]);
  const isWanted = ({ decision }: Connection): boolean => decision === undefined || options.onlyDecided !== true;
  const wanted = shown.connections.filter(isWanted);
  // What was seen narrows what is declared, so that flows may settle a decision.
  const declaring = flows === undefined ? wanted : shown.connections;
  const declared = joinConnections([...declaring, ...(isDeclared ? connectionsToDns(known, subjects, declaring) : [])]);
  const namespaces = new Set(known.pods.map(({ namespace }) => namespace).filter((name) => !isOfSystem(name)));
    const draft = (of: readonly Subject[], shownOf: readonly Connection[]): PolicyDrafts => {
    const asNetworkPolicies = draftPolicies(of, [...namespaces], shownOf);
    return options.kind === 'ClusterNetworkPolicy' ? draftClusterPolicies(asNetworkPolicies) : asNetworkPolicies;
  };
  const ofFlows = flows === undefined || placed === undefined ? undefined : connectionsOfFlows({
    cluster: known,
    table: flows.table,
    places: flowPlaces(placed, subjects),
    needsNone: new FlowJudge({ ...known, ...policiesOf(draft([], [])) }, flows.table.ends.all).allowedRows(flows.table),
    grouping: flows.outside ?? EXACT,
    withDenied: flows.withDenied === true,
    onlyDecided: options.onlyDecided === true,
  });
  const joined = flows === undefined || ofFlows === undefined ? declared : joinFlows({ cluster: known, table: flows.table }, declared, ofFlows.connections.filter(isWanted));
  const connections = joined.filter(isWanted);
  const isLeft = (connection: Connection): boolean => !isWanted(connection);
  const undecided = [...(flows === undefined ? joinConnections(shown.connections.filter(isLeft)) : joined.filter(isLeft)), ...(ofFlows?.connections ?? []).filter(isLeft)];
  const { drafts, connectionOf } = draft(subjects.all, connections);
  const policies = policiesOf({ drafts });
  const proof = provePolicies({ cluster: known, ...policies, subjects, namespaces, connections });
  const answer = flows === undefined || ofFlows === undefined ? undefined : {
    table: flows.table,
    proof: proveFlows({ cluster: known, table: flows.table, ...policies, connectionOf, connections }),
    isJoined: isDeclared,
    unwritten: ofFlows.unwritten,
    learning: learningOf(flows.table, subjects.all.filter(({ namespace }) => namespaces.has(namespace)), connections),
    cluster: known,
  };
  const notes = { cluster: known, subjects, routes, namespaces, connections: [...connections, ...undecided] };
  const ownFindings = shown.findings.filter(({ object }) => object === undefined || !isOfSystem(object.namespace));
  const findings = [...ownFindings, ...noteDecisions(notes.connections), ...noteRefused(proof), ...noteSubjects(notes), ...(isDeclared ? noteUnseen(notes) : []), ...noteUnknownPods(notes), ...noteOtherEntrances(written)];
  return { drafts, connections, undecided, proof, flows: answer, findings: sortFindings(findings) };
}

/** By their kinds; cluster-wide ones in the order in which they are asked. */
export function policiesOf({ drafts }: Pick<PolicyDrafts, 'drafts'>): Pick<Cluster, 'policies' | 'clusterPolicies'> {
  const all = drafts.map(({ policy }) => policy);
  return { policies: all.filter((policy) => policy.kind === 'NetworkPolicy'), clusterPolicies: all.filter((policy) => policy.kind !== 'NetworkPolicy').sort(comparePrecedence) };
}

/** The cluster with the drafts in place of its NetworkPolicies, beside its cluster-wide policies. */
export function withDrafts(cluster: Cluster, recommendation: Pick<PolicyDrafts, 'drafts'>): Cluster {
  const { policies, clusterPolicies } = policiesOf(recommendation);
  return { ...cluster, policies, clusterPolicies: [...cluster.clusterPolicies, ...clusterPolicies].sort(comparePrecedence) };
}

/** What the cluster itself runs on is not the application's to close. */
export function isOfSystem(namespace: string): boolean {
  return /^kube-(?:system|public|node-lease)$|^openshift-/.test(namespace);
}

interface Gathering {
  readonly cluster: Cluster;
  readonly written: readonly WrittenObject[];
  readonly subjects: Subjects;
  readonly routes: readonly ServiceRoute[];
}

function gatherConnections(gathering: Gathering): Shown {
  const { cluster, written, subjects, routes } = gathering;
  const resolver = createHostResolver(cluster, routes);
  const configMaps = indexConfigMaps(written);
  const texts = written.map((object): Shown => {
    const source = subjects.ofWorkload(object);
    if (source === undefined) return { connections: [], findings: [] };
    const own = readWorkloadTexts(object, configMaps);
    const all = { ...own, assignments: [...own.assignments, ...readAnnotatedTexts(object), ...readResourceTexts(object)] };
    return joinShown([connectionsOfTexts({ cluster, subjects, resolver }, source, all), connectionsOfReferences(gathering, source, object)]);
  });
  const program = compileCluster({ ...cluster, policies: [], clusterPolicies: [] });
  return joinShown([...texts, connectionsOfEntrances(program, routes, subjects), connectionsOfGateways(gathering), connectionsOfScrapes(gathering), { connections: connectionsOfHostPorts(gathering), findings: [] }, connectionsFromApiServer(gathering), connectionsOfRoles(gathering)]);
}

function joinShown(parts: readonly Shown[]): Shown {
  return { connections: parts.flatMap(({ connections }) => connections), findings: parts.flatMap(({ findings }) => findings) };
}

/** `spec.selector.matchLabels`; of a ReplicationController `spec.selector` itself. */
export function ownerLabels(written: readonly WrittenObject[]): (workload: Workload) => Labels | undefined {
  const byWorkload = new Map(written.map((object) => [workloadKey(object), object] as const));
  return (workload) => {
    const object = byWorkload.get(workloadKey(workload));
    if (object === undefined) return undefined;
    const steps = object.kind === 'ReplicationController' ? ['spec', 'selector'] : ['spec', 'selector', 'matchLabels'];
    return new Map(textEntries(mapAt(object.map, steps)));
  };
}
