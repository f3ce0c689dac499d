// Sections of a page of evidence: the controls of frameworks with what they rest on, and what enforces policies.
import type { Diagnosis } from '../../doctor/doctor.ts';
import type { ControlVerdict, JudgedControl, JudgedFramework } from '../../evidence/controls.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import type { Statement } from '../../evidence/statements.ts';
import { cell, type PageCell, type PageSection, type PageTable, type Tone } from './page.ts';

/** Of those against a statement, shown on a page. */
const AGAINST_SHOWN_MAX = 5;

const VERDICTS: Readonly<Record<ControlVerdict, readonly [text: string, tone: Tone]>> = {
  met: ['met', 'good'],
  'met-if-enforced': ['met, if policies are enforced', 'unsure'],
  'not-met': ['not met', 'bad'],
  unknown: ['not known', 'unsure'],
  'not-asked': ['no scope named', 'unsure'],
};

export function controlSection({ frameworks }: Evidence): PageSection {
  return {
    id: 'controls',
    title: 'Controls',
    intro: 'Each verdict follows from who can reach whom, and not from whether some policy exists. The controls are named by number and in a few words; their own texts are with those who publish them.',
    tables: frameworks.map(frameworkTable),
  };
}

function frameworkTable({ framework: { title, version }, controls }: JudgedFramework): PageTable {
  return {
    caption: `${title} ${version}`,
    columns: [{ name: 'Control' }, { name: 'Verdict' }, { name: 'Found' }, { name: 'Number known from' }],
    rows: controls.map((judged) => [{ lines: [judged.control.number, judged.control.name] }, cell(...VERDICTS[judged.verdict]), foundCell(judged), sourceCell(judged)]),
    empty: 'no controls',
  };
}

function foundCell({ statements, reservation }: JudgedControl): PageCell {
  return { lines: [...statements.flatMap(statementLines), ...(reservation === undefined ? [] : [reservation])] };
}

function statementLines({ says, against, againstCount }: Statement): readonly string[] {
  const shown = against.slice(0, AGAINST_SHOWN_MAX);
  if (shown.length === 0) return [says];
  return [`${says}: ${shown.join('; ')}${againstCount > shown.length ? `; and ${againstCount - shown.length} more` : ''}`];
}

function sourceCell({ source: { title, url, date, isChecked } }: JudgedControl): PageCell {
  return { lines: [title, ...(isChecked ? [date] : [date, 'not verified'])], ...(url === undefined ? {} : { link: url }) };
}

const STANDINGS: Readonly<Record<Diagnosis['nodes'][number]['standing'], Tone>> = { enforced: 'good', inert: 'bad', unknown: 'unsure' };

export function enforcementSection(diagnosis: Diagnosis | undefined): PageSection {
  const nodes: PageTable = {
    caption: 'Nodes',
    columns: [{ name: 'Node' }, { name: 'Policies' }, { name: 'By' }, { name: 'Evidence' }],
    rows: (diagnosis?.nodes ?? []).map(({ node, standing, engines, evidence }) => [cell(node), cell(standing, STANDINGS[standing]), cell(engines.join(' + ') || 'nothing'), { lines: evidence }]),
    empty: diagnosis === undefined ? 'nothing was told of them' : 'the cluster has none',
  };
  const findings = (diagnosis?.findings ?? []).map(({ severity, message }) => `${severity}: ${message}`);
  return { id: 'enforcement', title: 'Enforcement', intro: 'Policies are objects; something on each node has to enforce them.', tables: [nodes], notes: findings };
}
