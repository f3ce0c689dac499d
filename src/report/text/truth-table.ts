// The live truth table: what the kernel did with every probed pair, and each probe that differs from what was computed.
import { compareText } from '../../base/finding.ts';
import { formatIpAddress, parseIpAddress } from '../../base/ip-address.ts';
import { portSetOf, unionPorts, type PortSet } from '../../base/port-set.ts';
import { formatDifference, type PairSummary, type TruthTable } from '../../probe/compare-verdicts.ts';
import { rangeLabel } from '../../base/range-label.ts';
import { formatMatrix, type MatrixLayout } from './matrix.ts';
import type { LegendEntry, MatrixCell } from './matrix-cell.ts';
import { PortLetters } from './port-letters.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';

/** Differences printed one by one; the rest is counted. */
const DIFFERENCES_SHOWN_MAX = 50;

const ALL: MatrixCell = { text: '●', tone: 'open' };
const NONE: MatrixCell = { text: '·', tone: 'none' };
const WRONG: MatrixCell = { text: '✗', tone: 'wrong' };

/** One row and column for each end; a cell says on which of the ports tried a connection came through. */
export function truthMatrix(table: TruthTable, layout: MatrixLayout): string {
  const { endpoints } = table.plan;
  const letters = new PortLetters();
  const cells = new Map<string, MatrixCell>();
  let at = 0;
  for (const pair of table.pairs) {
    const probes = pair.allowed + pair.denied + pair.unknown;
    cells.set(`${pair.source} ${pair.target}`, pairCell(pair, () => letters.cellOf(portsThrough(table, at, probes))));
    at += probes;
  }
  const used = new Set(cells.values());
  const legend: LegendEntry[] = [
    { cell: ALL, text: 'every connection tried came through' },
    ...letters.legend(),
    { cell: NONE, text: 'none came through' },
    { cell: WRONG, text: 'at least one verdict is not the computed one' },
  ].filter(({ cell }) => used.has(cell));
  const ends = endpoints.map(({ subject, addresses, name }) =>
    subject.kind === 'pod' ? { label: name, isOutside: false } : { label: rangeName(name) ?? formatIpAddress(addresses[0]!), isOutside: true },
  );
  return formatMatrix({ ends, cellAt: (source, target) => cells.get(`${source} ${target}`), legend }, layout);
}

function pairCell({ allowed, denied, different }: PairSummary, letter: () => MatrixCell): MatrixCell {
  if (different > 0) return WRONG;
  return denied === 0 ? ALL : allowed === 0 ? NONE : letter();
}

/** The ports of one pair's probes that came through, over either family. */
function portsThrough({ plan, seen }: TruthTable, start: number, length: number): PortSet {
  let ports: PortSet = [];
  for (let index = start; index < start + length; index++) {
    const { protocol, port } = plan.probes[index]!;
    if (seen[index]!.verdict === 'allowed') ports = unionPorts(ports, portSetOf(protocol, port, port));
  }
  return ports;
}

/** Hosts outside are named by their range, first-last. */
function rangeName(name: string): string | undefined {
  const [first, last] = name.split('-').map(parseIpAddress);
  return first === undefined || last === undefined ? undefined : rangeLabel({ family: first.family, first: first.value, last: last.value });
}

/** One sentence each: what was tried, what came of it, what could not be known. */
export function truthSummary(table: TruthTable, style: Style): string {
  const { plan, probed, allowed, denied, unknown, differences } = table;
  const lines = [`${count(probed)} connections tried: ${count(allowed)} came through, ${count(denied)} were refused${unknown === 0 ? '' : `, ${count(unknown)} gave no verdict`}`];
  if (plan.leftOut > 0) lines.push(`${count(plan.leftOut)} more were left out: ${plan.pairs === 'groups' ? 'the first pod of each workload stands for all' : 'an even sample stands for all'}`);
  lines.push(table.agrees ? style.green('every verdict of the kernel is the computed one') : style.red(disagreement(differences.length)));
  return `${lines.join('\n')}\n`;
}

function disagreement(differences: number): string {
  if (differences === 0) return 'not every probe was made';
  return differences === 1 ? '1 verdict is not the computed one' : `${count(differences)} verdicts are not the computed ones`;
}

export function truthDifferences(table: TruthTable, style: Style): string {
  const texts = table.differences.map(formatDifference).sort(compareText);
  const shown = texts.slice(0, DIFFERENCES_SHOWN_MAX).map((text) => `${style.red('✗')} ${printable(text)}\n`);
  const rest = texts.length - shown.length;
  return shown.join('') + (rest > 0 ? `and ${count(rest)} more\n` : '');
}

/** 1,234,567, the same on every machine. */
export function count(number: number): string {
  return `${number}`.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 pod`, `2,000 pods`. */
export function countOf(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`;
}
