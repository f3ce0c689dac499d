// A reachability as a matrix: `●` is everything, a letter the ports that the legend names, `·` nothing.
import { isOutside } from '../../analyze/endpoints.ts';
import type { Reachability } from '../../analyze/reach.ts';
import { endpointLabel } from './endpoint-label.ts';
import { formatMatrix, type MatrixLayout } from '../text/matrix.ts';
import type { LegendEntry, MatrixCell } from '../text/matrix-cell.ts';
import { PortLetters } from '../text/port-letters.ts';
import { isEverything } from '../text/port-text.ts';

/** Beyond this nobody reads a matrix, and its cells would fill the memory. */
export const MATRIX_ENDPOINTS_MAX = 1000;

const OPEN: MatrixCell = { text: '●', tone: 'open' };
const NONE: MatrixCell = { text: '·', tone: 'none' };

/** At most `MATRIX_ENDPOINTS_MAX` endpoints: the caller refuses more. */
export function reachMatrix(reachability: Reachability, layout: MatrixLayout): string {
  const { endpoints } = reachability;
  const size = endpoints.length;
  const cells: (MatrixCell | undefined)[] = new Array(size * size).fill(undefined);
  const letters = new PortLetters();
  for (const { source, target, ports } of reachability.rows()) {
    cells[source * size + target] = isEverything(ports) ? OPEN : letters.cellOf(ports);
  }
  const cellAt = (source: number, target: number): MatrixCell | undefined =>
    cells[source * size + target] ?? emptyCell(reachability, source, target);
  const ends = endpoints.map((endpoint) => ({ label: endpointLabel(endpoint), isOutside: isOutside(endpoint) }));
  const legend: LegendEntry[] = [
    ...(cells.includes(OPEN) ? [{ cell: OPEN, text: 'everything' }] : []),
    ...letters.legend(),
    { cell: NONE, text: 'nothing' },
  ];
  return formatMatrix({ ends, cellAt, legend }, layout);
}

// A pod to itself, outside to outside, and names as sources are not in the answer, so they are left empty rather than shown as refused.
function emptyCell({ endpoints }: Reachability, source: number, target: number): MatrixCell | undefined {
  const sourceEnd = endpoints[source]!;
  const isName = isOutside(sourceEnd) && sourceEnd.kind === 'DomainName';
  if (isName || (isOutside(sourceEnd) && isOutside(endpoints[target]!))) return undefined;
  if (source === target && 'pods' in sourceEnd && sourceEnd.pods === 1) return undefined;
  return NONE;
}
