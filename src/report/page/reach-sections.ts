// Sections of a page of evidence: scopes, coverage of namespaces, exposure, and what a compromised pod reaches.
import type { IpRange } from '../../base/ip-address.ts';
import { rangeLabel } from '../../base/range-label.ts';
import { joinRanges } from '../../analyze/outside-ports.ts';
import type { NamespaceCoverage, DirectionCoverage } from '../../evidence/coverage.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import type { OutsideReach } from '../../evidence/outside-reach.ts';
import type { ScopeEvidence } from '../../evidence/scope-ways.ts';
import { DEGREES, type Degree } from '../../evidence/strangers.ts';
import type { WorkloadRisk } from '../../evidence/workload-risks.ts';
import type { Way } from '../../evidence/way.ts';
import type { Direction } from '../../model/network-policy.ts';
import { formatScore } from '../ask/impact.ts';
import { cell, type PageCell, type PageSection, type PageTable, type Tone } from './page.ts';
import { formatPorts } from '../text/port-text.ts';
import { ENTRANCE_HEAD, entranceRows } from '../reach/routes-text.ts';
import { count, countOf } from '../text/truth-table.ts';

/** Ranges shown in a cell; the rest is counted. */
const RANGES_SHOWN_MAX = 4;

export function scopeSection(scopes: readonly ScopeEvidence[]): PageSection {
  return {
    id: 'scopes',
    title: 'Scopes',
    intro: 'Who opens connections to the pods of a scope, and where they may go. What the scope does not name stands first.',
    tables: scopes.flatMap(({ scope, pods, waysIn, waysOut }): PageTable[] => {
      const what = `${scope.name}: ${scope.pods}, ${countOf(pods, 'pod')}`;
      const within = scope.hopsMax === undefined ? '' : ` within ${countOf(scope.hopsMax, 'hop')}`;
      return [
        { caption: `Into ${what}`, columns: [{ name: 'From' }, { name: 'Named' }, { name: 'Ports' }, { name: 'Through' }], rows: waysIn.map(wayRow), empty: `nothing beyond the scope reaches it${within}` },
        ...(waysOut === undefined ? [] : [{ caption: `Out of ${what}`, columns: [{ name: 'To' }, { name: 'Named' }, { name: 'Ports' }, { name: 'From' }], rows: waysOut.map(wayRow), empty: 'nothing beyond the scope is reached from it' }]),
      ];
    }),
  };
}

function wayRow({ end, ports, isNamed, path }: Way): readonly PageCell[] {
  const name = end.kind === 'workload' ? { lines: [end.id, countOf(end.pods, 'pod')] } : end.kind === 'name' ? cell(end.name) : { lines: [rangesText(end.ranges), ...(end.isInternet ? ['the internet'] : [])] };
  return [name, isNamed ? cell('yes', 'good') : cell('no', 'bad'), cell(formatPorts(ports)), cell(path.join(' → '))];
}

export function coverageSection(coverage: readonly NamespaceCoverage[]): PageSection {
  return {
    id: 'coverage',
    title: 'Isolation of namespaces',
    intro: 'Of the pods that policies can govern: those that a stranger pod reaches on no port are closed, on every port of a protocol open, else limited. New pods are those without labels that somebody adds tomorrow.',
    tables: [coverageTable('Who may come in', coverage, 'ingress'), coverageTable('Where they may go', coverage, 'egress')],
  };
}

const TONES: Readonly<Record<Degree, Tone | undefined>> = { closed: 'good', limited: undefined, open: 'bad' };

function coverageTable(caption: string, coverage: readonly NamespaceCoverage[], direction: Direction): PageTable {
  return {
    caption,
    columns: [{ name: 'Namespace' }, { name: 'Pods', isNumber: true }, { name: 'Closed', isNumber: true }, { name: 'Limited', isNumber: true }, { name: 'Open', isNumber: true }, { name: 'Outside' }, { name: 'New pods' }],
    rows: coverage.map((one) => [{ lines: [one.namespace, ...(one.isAudited ? ['judged and not enforced'] : [])] }, cell(one.pods), ...DEGREES.map((degree) => degreeCell(one[direction], degree, one.pods)), cell(outsideText(one[direction], one.pods)), cell(one[direction].newPod, TONES[one[direction].newPod])]),
    empty: 'no namespaces',
  };
}

function degreeCell({ strangers }: DirectionCoverage, degree: Degree, pods: number): PageCell {
  const found = strangers[degree];
  return { lines: [`${found}`], ...(pods === 0 ? {} : { share: found / pods }), ...(degree === 'open' && found > 0 ? { tone: 'bad' as const } : {}) };
}

function outsideText({ outside }: DirectionCoverage, pods: number): string {
  return pods === 0 ? 'no pods' : DEGREES.filter((degree) => outside[degree] > 0).map((degree) => `${outside[degree]} ${degree}`).join(', ');
}

export function exposureSection({ workloads, entrances }: Evidence): PageSection {
  const entranceTable: PageTable = {
    caption: 'Entrances, and whether the policies let in what comes through them',
    columns: ENTRANCE_HEAD.map((head) => ({ name: `${head[0]}${head.slice(1).toLowerCase()}` })),
    rows: entranceRows({ entrances }).map((row) => row.map((text) => cell(text))),
    empty: 'no Ingress, load balancer or node port',
  };
  return {
    id: 'exposure',
    title: 'Exposure',
    intro: 'What policies let through between pods and addresses of nobody in the cluster. Whether such an address can be routed to a pod is for the network to say.',
    tables: [outsideTable('From outside', workloads, 'ingress'), outsideTable('To the outside', workloads, 'egress'), entranceTable],
  };
}

function outsideTable(caption: string, workloads: readonly WorkloadRisk[], direction: Direction): PageTable {
  const met = workloads.filter((risk) => risk[direction].length > 0).toSorted((a, b) => (a.workload.id < b.workload.id ? -1 : 1));
  return {
    caption,
    columns: [{ name: 'Workload' }, { name: 'Pods', isNumber: true }, { name: 'Addresses' }, { name: 'Internet' }],
    rows: met.map((risk) => [cell(risk.workload.id), cell(risk.workload.pods), { lines: reachLines(risk[direction]) }, cell(risk[direction].some(({ isInternet }) => isInternet) ? 'yes' : 'no')]),
    empty: 'none on any port',
  };
}

/** One line for each set of ports, whatever of the addresses is of the internet. */
function reachLines(reach: readonly OutsideReach[]): readonly string[] {
  const byPorts = Map.groupBy(reach, ({ ports }) => formatPorts(ports));
  return Array.from(byPorts, ([ports, alike]) => `${ports}: ${rangesText(joinRanges(alike.flatMap(({ ranges }) => ranges).sort(compareRanges)))}`);
}

function compareRanges(a: IpRange, b: IpRange): number {
  return a.family - b.family || (a.first < b.first ? -1 : 1);
}

function rangesText(ranges: OutsideReach['ranges']): string {
  const shown = ranges.slice(0, RANGES_SHOWN_MAX).map(rangeLabel).join(', ');
  return ranges.length > RANGES_SHOWN_MAX ? `${shown} and ${countOf(ranges.length - RANGES_SHOWN_MAX, 'more range')}` : shown;
}

/** Of the riskiest. */
const RISKS_SHOWN_MAX = 20;

export function impactSection(workloads: readonly WorkloadRisk[]): PageSection {
  const shown = workloads.slice(0, RISKS_SHOWN_MAX);
  const risks: PageTable = {
    caption: 'What one compromised pod reaches',
    columns: [{ name: 'Workload' }, { name: 'Score', isNumber: true }, { name: 'Pods reached', isNumber: true }, { name: 'Of them directly', isNumber: true }, { name: 'Open to the internet' }],
    rows: shown.map((risk) => [cell(risk.workload.id), { lines: [`${formatScore(risk.score)}%`], share: risk.score / 100 }, cell(count(risk.reachedPods)), cell(count(risk.directPods)), cell(internetPorts(risk))]),
    empty: 'no pods',
  };
  const rest = workloads.length - shown.length;
  return { id: 'impact', title: 'Riskiest pods', intro: 'The score is the share of all other pods that are reached at any distance, by hops from pod to pod.', tables: [risks], notes: rest > 0 ? [`and ${countOf(rest, 'workload')} that reach no more than those`] : [] };
}

function internetPorts({ ingress }: WorkloadRisk): string {
  const ports = ingress.filter(({ isInternet }) => isInternet).map((one) => formatPorts(one.ports));
  return ports.length === 0 ? 'no' : ports.join('; ');
}
