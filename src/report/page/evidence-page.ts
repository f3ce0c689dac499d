// Evidence as a page: what was found in figures, then each part of it in tables, and what cannot be known.
import type { Evidence } from '../../evidence/evidence.ts';
import type { ControlVerdict } from '../../evidence/controls.ts';
import type { Degree } from '../../evidence/strangers.ts';
import { meetsInternet } from '../../evidence/workload-risks.ts';
import type { Direction } from '../../model/network-policy.ts';
import { controlSection, enforcementSection } from './control-sections.ts';
import { formatScore } from '../ask/impact.ts';
import type { Page, PageFigure, PageSection } from './page.ts';
import { coverageSection, exposureSection, impactSection, scopeSection } from './reach-sections.ts';
import { ruleSection, testSection } from './rule-sections.ts';
import { OWN_NODE_NOTE } from '../state/support.ts';
import { count, countOf } from '../text/truth-table.ts';

export interface EvidenceHead {
  readonly title: string;
  /** What was read, in the user's words. */
  readonly inputs: string;
  /** ISO 8601; undefined: nobody said when. */
  readonly at: string | undefined;
  readonly version: string;
  /** A cluster was asked itself; what a file left out is in no file. */
  readonly isLive: boolean;
}

export function evidencePage(evidence: Evidence, { title, inputs, at, version, isLive }: EvidenceHead): Page {
  return {
    title,
    about: [{ name: 'Read', value: inputs }, ...(at === undefined ? [] : [{ name: 'At', value: at }]), { name: 'By', value: `bulkhead ${version}` }],
    sections: [
      summarySection(evidence),
      controlSection(evidence),
      ...(evidence.scopes.length === 0 ? [] : [scopeSection(evidence.scopes)]),
      coverageSection(evidence.coverage),
      exposureSection(evidence),
      impactSection(evidence.workloads),
      ruleSection(evidence),
      testSection(evidence),
      enforcementSection(evidence.diagnosis),
      unknownSection(evidence, isLive),
    ],
  };
}

function summarySection(evidence: Evidence): PageSection {
  const { counts, pairs, coverage, workloads } = evidence;
  const governed = coverage.reduce((sum, { pods }) => sum + pods, 0);
  const countDegree = (direction: Direction, degree: Degree): number => coverage.reduce((sum, one) => sum + one[direction].strangers[degree], 0);
  const shutFigure = (name: string, direction: Direction): PageFigure => ({ name, value: `${count(countDegree(direction, 'closed'))} of ${countOf(governed, 'pod')}`, ...toneOf(countDegree(direction, 'open') === 0) });
  const exposed = workloads.filter((risk) => meetsInternet(risk, 'ingress')).length;
  const figures: readonly PageFigure[] = [
    { name: `in ${countOf(counts.namespaces, 'namespace')}, ${countOf(counts.workloads, 'workload')}`, value: countOf(counts.pods, 'pod') },
    { name: 'of pods may talk', value: `${count(pairs.allowed)} of ${countOf(pairs.pairs, 'pair')}${pairs.pairs === 0 ? '' : ` (${formatScore((100 * pairs.allowed) / pairs.pairs)}%)`}` },
    shutFigure('let no stranger pod in', 'ingress'),
    shutFigure('may call no stranger pod', 'egress'),
    { name: 'let the internet in on some port', value: countOf(exposed, 'workload') },
    { name: 'of the frameworks below', value: controlFigure(evidence), ...toneOf(verdictCounts(evidence)['not-met'] === 0) },
  ];
  return { id: 'summary', title: 'Summary', intro: 'A stranger is a pod without labels in a namespace that is not there yet: what it may do is what the policies let happen by default.', figures, tables: [] };
}

function toneOf(isGood: boolean): Pick<PageFigure, 'tone'> {
  return isGood ? {} : { tone: 'bad' };
}

function controlFigure(evidence: Evidence): string {
  const counts = verdictCounts(evidence);
  const judged = Object.values(counts).reduce((sum, one) => sum + one, 0) - counts['not-asked'];
  return `${countOf(counts['not-met'], 'control')} of ${judged} not met`;
}

function verdictCounts({ frameworks }: Evidence): Readonly<Record<ControlVerdict, number>> {
  const counts = { met: 0, 'met-if-enforced': 0, 'not-met': 0, unknown: 0, 'not-asked': 0 };
  for (const { controls } of frameworks) for (const { verdict } of controls) counts[verdict]++;
  return counts;
}

function unknownSection({ counts, diagnosis, coverage, redundancies, unread, scopes }: Evidence, isLive: boolean): PageSection {
  const hostPods = coverage.reduce((sum, one) => sum + one.hostPods, 0);
  const audited = coverage.filter(({ isAudited }) => isAudited).map(({ namespace }) => namespace);
  const nodePods = scopes.filter(({ nodePods: pods }) => pods > 0);
  const notes = [
    ...unread,
    ...(isLive ? [] : ['whether the cluster holds what was read, and nothing beyond it: pods, namespaces and policies that no file names stand in no verdict']),
    ...(diagnosis === undefined ? ['whether anything enforces the policies: `bulkhead doctor` tells of a cluster, and `bulkhead snapshot` keeps what it reads'] : []),
    ...(audited.length === 0 ? [] : [`whether the policies of ${audited.join(', ')} are enforced: they ask to be judged and not enforced`]),
    ...(hostPods === 0 ? [] : [`${countOf(hostPods, 'pod')} on the host network, which no policy governs, and which stand in no figure of coverage`]),
    ...nodePods.map(({ scope, nodePods: pods }) => `what ${countOf(pods, 'pod')} on the host network of the nodes of ${scope.name} may do there: a node always reaches its own pods`),
    ...(counts.domainNames === 0 ? [] : [`where ${countOf(counts.domainNames, 'name')} of domains that rules name ${counts.domainNames === 1 ? 'leads' : 'lead'} to: their addresses stand in no figure of exposure, and as ways out of scopes they are named`]),
    OWN_NODE_NOTE,
    ...(typeof redundancies === 'string' ? [`what is redundant: ${redundancies}`] : []),
    'what stands before the cluster or beside it: firewalls, security groups, meshes, load balancers, and connections that pods make over the API server',
    'whether an assessor takes this as evidence: a control may ask for more than who can reach whom',
  ];
  return { id: 'not-known', title: 'What is not known', intro: 'This page says what the policies say. It cannot tell:', tables: [], notes };
}
