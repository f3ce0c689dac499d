// A reachability as rows of text: a table for people, CSV for spreadsheets, Markdown for reviews; all streamed.
import { hasOtherProtocols, protocolRanges, type PortSet } from '../../base/port-set.ts';
import { isOutside, type Endpoint } from '../../analyze/endpoints.ts';
import type { Reachability } from '../../analyze/reach.ts';
import { endpointLabel } from './endpoint-label.ts';
import { formatPorts, rememberedPorts } from '../text/port-text.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';

export interface ReachTableOptions {
  readonly style: Style;
  /** Adds kind and number of pods of both ends. */
  readonly isWide: boolean;
}

export function* reachTable(reachability: Reachability, { style, isWide }: ReachTableOptions): Generator<string> {
  const cells = reachability.endpoints.map((endpoint) => endpointCells(endpoint, isWide));
  const heading = isWide ? ['KIND', 'PODS'] : [];
  const sourceHead = ['SOURCE', ...heading];
  const targetHead = ['TARGET', ...heading];
  const widths = sourceHead.map((head, column) => cells.reduce((width, row) => Math.max(width, row[column]!.length), head.length));
  const pad = (row: readonly string[]): string => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ');
  const padded = cells.map(pad);
  const ports = rememberedPorts(formatPorts);
  yield `${style.bold(`${pad(sourceHead)}  ${pad(targetHead)}  TRAFFIC`)}\n`;
  let isEmpty = true;
  for (const row of reachability.rows()) {
    isEmpty = false;
    yield `${padded[row.source]!}  ${padded[row.target]!}  ${ports(row.ports)}\n`;
  }
  if (isEmpty) yield style.dim('nobody reaches anybody\n');
}

/** RFC 4180 with LF; one column of ports for each protocol, `1-65535` for all of them. */
export function* reachCsv(reachability: Reachability): Generator<string> {
  const ids = reachability.endpoints.map((endpoint) => csvField(printable(endpoint.id)));
  const traffic = rememberedPorts(csvTraffic);
  yield 'source,target,tcp,udp,sctp,other\n';
  for (const row of reachability.rows()) yield `${ids[row.source]!},${ids[row.target]!},${traffic(row.ports)}\n`;
}

export function* reachMarkdown(reachability: Reachability): Generator<string> {
  const labels = reachability.endpoints.map((endpoint) => markdownCell(endpointLabel(endpoint)));
  const ports = rememberedPorts(formatPorts);
  yield '| source | target | traffic |\n|---|---|---|\n';
  for (const row of reachability.rows()) yield `| ${labels[row.source]!} | ${labels[row.target]!} | ${ports(row.ports)} |\n`;
}

function endpointCells(endpoint: Endpoint, isWide: boolean): string[] {
  const label = printable(endpointLabel(endpoint));
  if (!isWide) return [label];
  return isOutside(endpoint)
    ? [label, endpoint.kind, '-']
    : [label, printable(endpoint.kind) + (endpoint.hostNetwork ? ' (host network)' : ''), `${endpoint.pods}`];
}

function csvTraffic(ports: PortSet): string {
  const ranges = (['TCP', 'UDP', 'SCTP'] as const).map((protocol) =>
    protocolRanges(ports, protocol)
      .map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
      .join(' '),
  );
  return [...ranges, hasOtherProtocols(ports)].join(',');
}

export function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function markdownCell(text: string): string {
  return printable(text).replace(/[\\|`<>*_[\]]/g, (sign) => `\\${sign}`);
}
