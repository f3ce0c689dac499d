// Sections of a page of evidence: rules that change nothing or that nobody needed, and tests with what became of them before.
import type { Evidence } from '../../evidence/evidence.ts';
import type { TestRun } from '../../evidence/test-results.ts';
import { policyText } from '../../flow/flow-record.ts';
import { countFailures, type TestReport } from '../../probe/check-expectations.ts';
import type { KeptRelease } from '../../release/release-record.ts';
import { standingOf } from '../state/history.ts';
import { cell, type PageSection, type PageTable } from './page.ts';
import { elementText, placeText, reasonText } from '../ask/redundancy.ts';
import { countOf } from '../text/truth-table.ts';

export function ruleSection({ redundancies, unused }: Evidence): PageSection {
  const redundant: PageTable = {
    caption: 'Redundant',
    columns: [{ name: 'Part' }, { name: 'Where' }, { name: 'Why' }],
    rows: typeof redundancies === 'string' ? [] : redundancies.found.map((one) => [cell(elementText(one.element)), cell(placeText(one.element.origin)), cell(reasonText(one))]),
    empty: typeof redundancies === 'string' ? redundancies : 'every policy, rule, peer and port changes something',
  };
  const unneeded: PageTable = {
    caption: unused === undefined ? 'Unused' : `Unused in ${countOf(unused.flows, 'recorded flow')}`,
    columns: [{ name: 'Rule' }, { name: 'Policy' }],
    rows: (unused?.rules ?? []).map((rule) => [cell(`${rule.direction} rule ${rule.index + 1}`), cell(policyText(rule))]),
    empty: unused === undefined ? 'no flows were given' : unused.flows === 0 ? 'nobody knows, for no flow was recorded' : 'every rule was needed',
  };
  return { id: 'rules', title: 'Redundant and unused rules', intro: 'What is redundant changes no connection between the pods that are there, if it alone is taken away; that is proved. What is unused was needed by none of the flows that were recorded.', tables: [redundant, unneeded] };
}

export function testSection({ tests, testRuns, releases }: Evidence): PageSection {
  return {
    id: 'tests',
    title: 'Tests',
    intro: 'Expectations of who may reach whom, held against these policies, and how they came out before.',
    tables: [
      ...(tests === undefined ? [{ caption: 'Now', columns: [], rows: [], empty: 'no test files were given' }] : [testTable(tests)]),
      runTable(testRuns),
      ...(releases === undefined ? [] : [releaseTable(releases)]),
    ],
    ...(tests === undefined ? {} : { notes: [summaryOf(tests)] }),
  };
}

function summaryOf(report: TestReport): string {
  const { held, failed } = countFailures(report);
  return `${countOf(held, 'expectation')} held, ${failed} failed`;
}

function testTable(report: TestReport): PageTable {
  return {
    caption: 'Now',
    columns: [{ name: 'Expectation' }, { name: 'Test' }, { name: 'Result' }],
    rows: report.tests.flatMap(({ test, results }) => results.map(({ expectation, holds, problem }) => [cell(expectation.sentence), cell(test.name), holds ? cell('holds', 'good') : { lines: ['fails', ...(problem === undefined ? [] : [problem.message])], tone: 'bad' as const }])),
    empty: 'the test files expect nothing',
  };
}

const PLACES: Readonly<Record<TestRun['where'], string>> = { static: 'computed', lab: 'connections in a lab', cluster: 'connections in a cluster' };

function runTable(runs: readonly TestRun[]): PageTable {
  return {
    caption: 'Before, in the order given',
    columns: [{ name: 'Results' }, { name: 'How' }, { name: 'At' }, { name: 'Held', isNumber: true }, { name: 'Failed', isNumber: true }, { name: 'Which failed' }],
    rows: runs.map(({ name, where, at, held, failed, failures }) => [cell(name), cell(PLACES[where]), cell(at ?? 'not said'), cell(held), cell(failed, failed === 0 ? undefined : 'bad'), { lines: failures.length === 0 ? ['none'] : failures }]),
    empty: 'no earlier results were given',
  };
}

function releaseTable(releases: readonly KeptRelease[]): PageTable {
  return {
    caption: 'Releases of this cluster',
    columns: [{ name: 'Release' }, { name: 'Revision', isNumber: true }, { name: 'At' }, { name: 'What' }, { name: 'State' }],
    rows: releases.map((kept) => [cell(kept.record.release), cell(kept.record.revision), cell(kept.record.at), cell(kept.record.action), cell(standingOf(kept.state), kept.state === 'failed' ? 'bad' : undefined)]),
    empty: 'none is kept',
  };
}
