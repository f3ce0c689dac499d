// The live truth table: what the kernel did with every probed pair, and each probe that differs from what was computed.
import { compareText } from '../base/finding.ts';
import type { PairSummary, TruthTable } from '../probe/compare-verdicts.ts';
import { formatDifference } from '../probe/compare-verdicts.ts';
import { formatMatrix, type MatrixCell } from './matrix.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';

/** Differences printed one by one; the rest is counted. */
const DIFFERENCES_SHOWN_MAX = 50;

export interface TruthLayout {
  readonly style: Style;
  readonly widthColumns: number;
}

const CELLS: Readonly<Record<'all' | 'some' | 'none' | 'wrong', MatrixCell>> = {
  all: { text: '●', tone: 'open' },
  some: { text: '◐', tone: 'some' },
  none: { text: '·', tone: 'none' },
  wrong: { text: '✗', tone: 'wrong' },
};

const LEGEND: Readonly<Record<keyof typeof CELLS, string>> = {
  all: 'every probe came through',
  some: 'some did',
  none: 'none did',
  wrong: 'at least one is not as computed',
};

/** One row and column for each end; a cell sums up all probes of its pair. */
export function truthMatrix(table: TruthTable, layout: TruthLayout): string {
  const { endpoints } = table.plan;
  const size = endpoints.length;
  const cells = new Map(table.pairs.map((pair) => [pair.source * size + pair.target, wordOf(pair)]));
  const labels = endpoints.map(({ name }, index) => ({ number: index + 1, text: name }));
  const used = new Set(cells.values());
  return formatMatrix(
    {
      sources: labels,
      targets: labels,
      cellAt: (source, target) => {
        const word = cells.get(source * size + target);
        return word === undefined ? undefined : CELLS[word];
      },
      legend: (['all', 'some', 'none', 'wrong'] as const).filter((word) => used.has(word)).map((word) => ({ cell: CELLS[word], text: LEGEND[word] })),
    },
    layout,
  );
}

/** One sentence each: what was tried, what came of it, what could not be known. */
export function truthSummary(table: TruthTable, style: Style): string {
  const { plan, probed, allowed, denied, unknown, differences } = table;
  const lines = [`${count(probed)} connections tried: ${count(allowed)} came through, ${count(denied)} were refused${unknown === 0 ? '' : `, ${count(unknown)} gave no verdict`}`];
  if (plan.leftOut > 0) lines.push(`${count(plan.leftOut)} more were left out: ${plan.pairs === 'groups' ? 'the first pod of each workload stands for all' : 'an even sample stands for all'}`);
  lines.push(
    table.agrees
      ? style.green(`every verdict of the kernel is the computed one`)
      : style.red(differences.length === 0 ? 'not every probe was made' : `${count(differences.length)} verdicts are not the computed ones`),
  );
  return `${lines.join('\n')}\n`;
}

export function truthDifferences(table: TruthTable, style: Style): string {
  const texts = table.differences.map(formatDifference).sort(compareText);
  const shown = texts.slice(0, DIFFERENCES_SHOWN_MAX).map((text) => `${style.red('✗')} ${printable(text)}\n`);
  const rest = texts.length - shown.length;
  return shown.join('') + (rest > 0 ? `and ${count(rest)} more\n` : '');
}

function wordOf({ allowed, denied, different }: PairSummary): keyof typeof CELLS {
  if (different > 0) return 'wrong';
  return denied === 0 ? 'all' : allowed === 0 ? 'none' : 'some';
}

/** 1,234,567, the same on every machine. */
export function count(number: number): string {
  return `${number}`.replace(/\B(?=(\d{3})+$)/g, ',');
}
