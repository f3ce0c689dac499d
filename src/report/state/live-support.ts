// What a live proof saw, as text or data.
import type { LiveCheck, LiveResult } from '../../doctor/live.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { OWN_NODE_NOTE } from './support.ts';
import { alignColumns, type Cell } from '../text/table.ts';

export function liveJson({ nodes, checks, families, connections, isEnforced }: LiveResult): string {
  return `${JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'LiveSupport', enforced: isEnforced, families, connections, nodes, checks, notes: [OWN_NODE_NOTE] }, undefined, 2)}\n`;
}

const PAINT = { enforced: 'green', inert: 'red', broken: 'red', unknown: 'yellow', yes: 'green', no: 'red', info: 'dim' } as const;

export function liveText({ nodes, checks, families, connections }: LiveResult, style: Style): string {
  const rows = nodes.map(({ node, standing, evidence }) => [printable(node), painted(standing, style), printable(evidence.join('; '))]);
  const tried = checks.map((check) => [check.name, painted(check.verdict, style), effectText(check), printable(check.says)]);
  return [
    ...alignColumns([['NODE', 'POLICIES', 'SEEN'], ...rows]),
    '',
    ...(tried.length === 0 ? [] : [...alignColumns([['TRIED', 'HOLDS', 'WITHIN', ''], ...tried]), '']),
    `${connections} connections over ${families.map((family) => `IPv${family}`).join(' and ') || 'nothing'}, nothing is left of the pods`,
    style.dim(`note: ${OWN_NODE_NOTE}`),
    '',
  ].join('\n');
}

export function liveMarkdown({ nodes, checks, families, connections }: LiveResult): string {
  const row = (cells: readonly string[]): string => `| ${cells.map((cell) => printable(cell).replace(/[\\|<>`*_]/g, (sign) => `\\${sign}`)).join(' | ')} |`;
  return [
    '# What was seen live',
    '',
    row(['node', 'policies', 'seen']),
    '|---|---|---|',
    ...nodes.map(({ node, standing, evidence }) => row([node, standing, evidence.join('; ')])),
    '',
    row(['tried', 'holds', 'within', 'seen']),
    '|---|---|---|---|',
    ...checks.map((check) => row([check.name, check.verdict, effectText(check), check.says])),
    '',
    `${connections} connections over ${families.map((family) => `IPv${family}`).join(' and ') || 'nothing'}. ${OWN_NODE_NOTE}`,
    '',
  ].join('\n');
}

function painted(word: keyof typeof PAINT, style: Style): Cell {
  return { text: word, painted: style[PAINT[word]](word) };
}

function effectText({ effectMs }: LiveCheck): string {
  return effectMs === undefined ? '-' : `${(effectMs / 1000).toFixed(1)} s`;
}
