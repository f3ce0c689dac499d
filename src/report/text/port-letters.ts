// Letters for sets of ports in a matrix, given out in the order in which they are met.
import type { PortSet } from '../../base/port-set.ts';
import type { LegendEntry, MatrixCell } from './matrix-cell.ts';
import { formatPorts } from './port-text.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
/** a to z and aa to zz; sets beyond these share one sign. */
const LETTERS_MAX = LETTERS.length + LETTERS.length ** 2;
const BEYOND: MatrixCell = { text: '++', tone: 'some' };

export class PortLetters {
  private readonly cells = new Map<string, MatrixCell>();

  cellOf(ports: PortSet): MatrixCell {
    const text = formatPorts(ports);
    let cell = this.cells.get(text);
    if (cell === undefined) this.cells.set(text, (cell = letterCell(this.cells.size)));
    return cell;
  }

  legend(): LegendEntry[] {
    const lettered = [...this.cells].filter(([, cell]) => cell !== BEYOND).map(([text, cell]) => ({ cell, text }));
    return this.cells.size > LETTERS_MAX ? [...lettered, { cell: BEYOND, text: 'some ports: -o table names them' }] : lettered;
  }
}

function letterCell(index: number): MatrixCell {
  if (index >= LETTERS_MAX) return BEYOND;
  const rest = index - LETTERS.length;
  const text = rest < 0 ? LETTERS[index]! : LETTERS[Math.floor(rest / LETTERS.length)]! + LETTERS[rest % LETTERS.length]!;
  return { text, tone: 'some' };
}
