// A reachability as a matrix: `●` is everything, a letter the ports that the legend names, `·` nothing.
import type { PortSet } from '../base/port-set.ts';
import type { Reachability } from '../analyze/reach.ts';
import { endpointLabel } from './endpoint-label.ts';
import { formatMatrix, type MatrixCell } from './matrix.ts';
import { formatPorts, isEverything } from './port-text.ts';
import type { Style } from './style.ts';

/** Beyond this nobody reads a matrix, and its cells would fill the memory. */
export const MATRIX_ENDPOINTS_MAX = 1000;

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const OPEN: MatrixCell = { text: '●', tone: 'open' };
const NONE: MatrixCell = { text: '·', tone: 'none' };

export interface ReachMatrixOptions {
  readonly style: Style;
  readonly widthColumns: number;
}

/** At most `MATRIX_ENDPOINTS_MAX` endpoints: the caller refuses more. */
export function reachMatrix(reachability: Reachability, options: ReachMatrixOptions): string {
  const size = reachability.endpoints.length;
  const cells: (MatrixCell | undefined)[] = new Array(size * size).fill(undefined);
  const texts = new Map<string, MatrixCell>();
  for (const { source, target, ports } of reachability.rows()) {
    cells[source * size + target] = isEverything(ports) ? OPEN : letterOf(ports, texts);
  }
  const labels = reachability.endpoints.map((endpoint, index) => ({ number: index + 1, text: endpointLabel(endpoint) }));
  const cellAt = (source: number, target: number): MatrixCell | undefined =>
    cells[source * size + target] ?? emptyCell(reachability, source, target);
  return formatMatrix({ sources: labels, targets: labels, cellAt, legend: legendOf(texts) }, options);
}

// A pod to itself and range to range are not in the answer, so they are left empty rather than shown as refused.
function emptyCell({ endpoints }: Reachability, source: number, target: number): MatrixCell | undefined {
  const sourceEnd = endpoints[source]!;
  if ('first' in sourceEnd && 'first' in endpoints[target]!) return undefined;
  if (source === target && 'pods' in sourceEnd && sourceEnd.pods === 1) return undefined;
  return NONE;
}

function letterOf(ports: PortSet, texts: Map<string, MatrixCell>): MatrixCell {
  const text = formatPorts(ports);
  let cell = texts.get(text);
  if (cell === undefined) texts.set(text, (cell = { text: letters(texts.size), tone: 'some' }));
  return cell;
}

/** a … z, aa … zz; beyond these 702 all share `++`. */
function letters(index: number): string {
  if (index < LETTERS.length) return LETTERS[index]!;
  const rest = index - LETTERS.length;
  if (rest >= LETTERS.length ** 2) return '++';
  return LETTERS[Math.floor(rest / LETTERS.length)]! + LETTERS[rest % LETTERS.length]!;
}

function legendOf(texts: ReadonlyMap<string, MatrixCell>): { cell: MatrixCell; text: string }[] {
  return [
    { cell: OPEN, text: 'everything' },
    ...[...texts].filter(([, cell]) => cell.text !== '++').map(([text, cell]) => ({ cell, text })),
    ...(texts.size > 702 ? [{ cell: { text: '++', tone: 'some' } as const, text: 'some ports; see -o table' }] : []),
    { cell: NONE, text: 'nothing' },
  ];
}
