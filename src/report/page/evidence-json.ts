// Evidence as JSON: all of it, also what a page leaves out.
import { formatIpAddress, type IpRange } from '../../base/ip-address.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import type { JudgedControl } from '../../evidence/controls.ts';
import type { OutsideReach } from '../../evidence/outside-reach.ts';
import type { ScopeEvidence } from '../../evidence/scope-ways.ts';
import type { WorkloadRisk } from '../../evidence/workload-risks.ts';
import type { Way } from '../../evidence/way.ts';
import { countFailures, type TestReport } from '../../probe/check-expectations.ts';
import type { EvidenceHead } from './evidence-page.ts';
import { jsonPorts } from '../text/port-json.ts';
import { jsonRedundancies } from '../ask/redundancy.ts';
import { jsonEntrance } from '../reach/routes-json.ts';

export function evidenceJson(evidence: Evidence, { inputs, at, version }: EvidenceHead): string {
  const { counts, pairs, coverage, workloads, entrances, redundancies, unused, scopes, frameworks, diagnosis, tests, testRuns, releases, unread } = evidence;
  const report = {
    apiVersion: 'bulkhead/v1',
    kind: 'Report',
    version,
    inputs,
    ...(at === undefined ? {} : { at }),
    counts,
    pairs,
    frameworks: frameworks.map(({ framework: { name, title, version: edition }, controls }) => ({ name, title, version: edition, controls: controls.map(jsonControl) })),
    scopes: scopes.map(jsonScope),
    coverage: coverage.map(({ isAudited, ...one }) => ({ ...one, audited: isAudited })),
    workloads: workloads.map(jsonRisk),
    entrances: entrances.map(jsonEntrance),
    redundant: typeof redundancies === 'string' ? { notSearched: redundancies } : jsonRedundancies(redundancies),
    ...(unused === undefined ? {} : { unused }),
    ...(tests === undefined ? {} : { tests: jsonTests(tests) }),
    testRuns: testRuns.map(({ name, where, at: testedAt, connections, held, failed, failures }) => ({ name, where, at: testedAt, connections, held, failed, failures })),
    ...(releases === undefined ? {} : { releases: releases.map(({ record: { release, revision, action, at: writtenAt }, state }) => ({ release, revision, action, at: writtenAt, state })) }),
    enforcement: diagnosis === undefined ? null : { enforced: diagnosis.isEnforced, provider: diagnosis.provider ?? null, nodes: diagnosis.nodes },
    unread,
  };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

function jsonControl({ control: { number, name }, verdict, reservation, statements, source }: JudgedControl): object {
  return { number, name, verdict, ...(reservation === undefined ? {} : { reservation }), statements, source };
}

function jsonScope({ scope, pods, workloads, waysIn, waysOut, nodePods }: ScopeEvidence): object {
  const { name, pods: word, from, to, hopsMax } = scope;
  return { name, word, from, ...(to === undefined ? {} : { to }), ...(hopsMax === undefined ? {} : { hops: hopsMax }), pods, workloads, nodePods, waysIn: waysIn.map(jsonWay), ...(waysOut === undefined ? {} : { waysOut: waysOut.map(jsonWay) }) };
}

function jsonWay({ end, ports, isNamed, path }: Way): object {
  const named = end.kind === 'outside' ? { kind: 'outside', ranges: end.ranges.map(jsonRange), internet: end.isInternet } : end;
  return { end: named, ...jsonPorts(ports), named: isNamed, path };
}

function jsonRisk({ workload, score, reachedPods, directPods, ingress, egress }: WorkloadRisk): object {
  return { ...workload, score: Math.round(score * 100) / 100, reachedPods, directPods, ingress: ingress.map(jsonReach), egress: egress.map(jsonReach) };
}

function jsonReach({ ranges, ports, isInternet }: OutsideReach): object {
  return { ranges: ranges.map(jsonRange), ...jsonPorts(ports), internet: isInternet };
}

function jsonRange({ family, first, last }: IpRange): object {
  return { first: formatIpAddress({ family, value: first }), last: formatIpAddress({ family, value: last }) };
}

function jsonTests(report: TestReport): object {
  const tests = report.tests.map(({ test, results }) => ({ name: test.name, file: test.file, results: results.map(({ expectation, holds }) => ({ expectation: expectation.sentence, holds })) }));
  return { ...countFailures(report), tests };
}
