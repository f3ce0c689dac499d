// The library's face: what Bulkhead computes, as functions over data that also run in a browser.

// The text
export { readManifests, sourceFromText, type ReadFile, type ReadOptions, type ReadResult, type SourceFile } from './read/read.ts';
export type { WrittenObject } from './read/values/written-object.ts';
export { findingKey, mendForm, proposeEdit, type EditedText, type EditedTexts, type EditState, type LintedCluster, type LintTexts, type Mended, type Proposal } from './mend/prove-edits.ts';
export { repairText, type Repair } from './mend/repair-text.ts';

// The cluster
export type { Cluster, ClusterNode, ContainerPort, Namespace, Pod, Policy, Service, ServicePort, Workload } from './model/cluster.ts';
export type { EndpointSlice, SliceEndpoint, SlicePort } from './model/endpoint-slice.ts';
export type { Ingress, IngressClass, IngressRoute } from './model/ingress.ts';
export type { Direction, IpBlockPeer, NetworkPolicy, Peer, PodPeer, PolicyRule, PortMatch, RulePeers, RulePorts } from './model/network-policy.ts';
export type { ClusterPolicy, ScopedPods, Tier, TierAction, TierPeer, TierPort, TierPorts, TierRule } from './model/cluster-policy.ts';
export { locateOrigin, type Origin } from './model/origin.ts';
export { UNWRITTEN, type PolicyDraft, type PolicyPart } from './model/policy-draft.ts';
export type { Labels, LabelSet, Requirement, Selector } from './model/selector.ts';

// The Program and its answers
export { compileCluster } from './compile/compile.ts';
export type { DirectionProgram, Program, RuleReference } from './compile/program.ts';
export { LiveProgram } from './compile/live-program.ts';
export type { ClusterChange } from './compile/cluster-change.ts';
export type { ClassMove, DirectionDifference, ProgramDifference, SubjectMove } from './compile/program-difference.ts';
export { reach, type Reachability, type ReachOptions, type ReachRow } from './analyze/reach.ts';
export type { Endpoint, Grain } from './analyze/endpoints.ts';
export type { EndpointRef } from './analyze/endpoint.ts';
export { routeServices, targetPortOn, type PortRoute, type PortTarget, type ServiceRoute } from './analyze/services.ts';
export { findExposures, type Entrance, type EntranceSources, type ExposedTarget, type Exposure } from './analyze/exposure.ts';
export { nameRoutes, type NamedEntrance, type NamedPort, type NamedRoutes, type NamedService, type NamedTarget } from './analyze/named-routes.ts';
export { allowedPorts } from './analyze/decide.ts';
export { explain, type DirectionReason, type Explanation, type Question } from './analyze/explain.ts';
export type { Mismatch, RuleMiss } from './analyze/near-miss.ts';
export { findEnds, formatEndWord, type EndWord, type PodsWord } from './words/endpoint-words.ts';
export type { NamedEnd, NamedEnds, WordContext } from './analyze/named-ends.ts';
export { parsePorts } from './words/port-words.ts';
export { WordError } from './base/word-error.ts';
export { focusReach, type ReachFocus } from './analyze/focus-reach.ts';
export { findNewPodExposure, formatLabelled, type DirectionExposure, type LabelledExposure, type WorkloadExposure } from './analyze/new-pod-exposure.ts';
export { comparePrograms, type Change, type Comparison, type Presence } from './compare/compare.ts';
export { groupChanges, type ChangeGroup, type GroupedChanges } from './compare/group-changes.ts';
export { convertPolicies, type Conversion, type ConvertedPolicy } from './compare/convert.ts';
export { findImpact, type Impact, type ImpactOptions, type ReachedEndpoint, type Wall } from './analyze/impact.ts';
export { adviseWall, type WallAdvice } from './analyze/wall-advice.ts';
export { formatAssertion, parseAssertion, type Assertion } from './words/assertion.ts';
export { checkAssertion, type AssertionResult, type Counterexample } from './prove/check-assertion.ts';
export { compareSets, type SetQuestion } from './prove/compare-sets.ts';
export { findRedundancies, type Redundancies, type Redundancy } from './prove/redundancy.ts';
export { readPolicyTests, type Expectation, type PolicyTest, type PolicyTestFile } from './probe/policy-test.ts';
export { checkTests, type CheckedTest, type ExpectationResult, type TestReport } from './probe/check-expectations.ts';
export { readSuppressions, suppressFindings, type Suppression } from './lint/settings/suppressions.ts';
export { applySettings, NO_SETTINGS, readSettings, type Settings } from './lint/settings/settings.ts';
export { saysWhoCalls } from './lint/callers/callers.ts';
export { lintCluster } from './lint/lint.ts';
export { lintAnswer, type LintOptions } from './lint/checks/lint-meaning.ts';
export { lintManifests, type ManifestLintOptions, type ManifestText } from './lint/lint-manifests.ts';

// Policies from patterns
export { findPattern, PATTERNS } from './pattern/pattern.ts';
export type { Pattern, Place, Take } from './pattern/pattern-shape.ts';
export type { Answers, DnsPlace, NotedBlock, PodPlace, Topic } from './pattern/answers.ts';
export { findApiServer, findDns, findIngressControllers, findScrapers, USUAL_DNS, type ApiServerPlace } from './pattern/find-places.ts';
export { offerNamespaces, offerPorts, offerSelectors, type OfferedPort } from './pattern/offer-names.ts';
export { addPolicies } from './pattern/add-policies.ts';
export { findStillRefused, type StillRefused } from './pattern/still-refused.ts';
export { recommend, type Recommendation, type RecommendOptions } from './recommend/recommend.ts';
export type { Connection, End } from './recommend/ends/connection.ts';
export type { Witness } from './recommend/words/witness.ts';

// Answers as text
export { convertedYaml, policiesYaml } from './report/define/policy-yaml.ts';
export { FINDING_FORMATS, formatFindings, type FindingFormat } from './report/report.ts';
export { formatReach, REACH_FORMATS, type ReachFormat, type ReachLayout } from './report/reach/reach-formats.ts';
export { explanationsJson, explanationText, type Answer, type AnswerEnd } from './report/ask/explanation.ts';
export { reachJson } from './report/reach/reach-json.ts';
export { recommendationJson, recommendationTable, recommendationYaml } from './report/define/recommendation.ts';
export { PLAIN_STYLE, TERMINAL_STYLE, type Style } from './report/text/style.ts';

// Words for what all of them share
export type { Finding, ObjectName, RelatedPlace, Severity, TextEdit } from './base/finding.ts';
export { FINDING_CODES, type FindingCode } from './base/finding-code.ts';
export { formatIpAddress, formatIpRange, parseIpAddress, type IpAddress, type IpFamily, type IpRange } from './base/ip-address.ts';
export { ALL_PORTS, hasPoint, NO_PORTS, pointOf, portSetOf, protocolRanges, unionPorts, type PortSet, type Protocol } from './base/port-set.ts';
export type { Position, TextRange } from './base/source-position.ts';
