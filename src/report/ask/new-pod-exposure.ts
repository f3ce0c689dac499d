// What pods that are not there yet could reach, and who could reach them, as a table and as JSON.
import { formatIpRange } from '../../base/ip-address.ts';
import type { PortSet } from '../../base/port-set.ts';
import { rangeLabel } from '../../base/range-label.ts';
import { formatLabelled, type DirectionExposure, type WorkloadExposure } from '../../analyze/new-pod-exposure.ts';
import { DIRECTIONS } from '../../model/network-policy.ts';
import { jsonPorts } from '../text/port-json.ts';
import { formatPorts } from '../text/port-text.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { alignColumns } from '../text/table.ts';

export const EXPOSURE_FORMATS = ['table', 'json', 'yaml', 'md'] as const;

const HEADINGS = ['WORKLOAD', '', 'NEW POD OR ADDRESS', 'TRAFFIC'];

export function exposureTable(exposures: readonly WorkloadExposure[], style: Style): string {
  const [heading, ...lines] = alignColumns([HEADINGS, ...rowsOf(exposures).map((row) => row.map(printable))]);
  return `${style.bold(heading!)}\n${lines.map((line) => `${line}\n`).join('')}`;
}

export function exposureMarkdown(exposures: readonly WorkloadExposure[]): string {
  const lines = rowsOf(exposures).map((row) => `| ${row.map((cell) => printable(cell).replace(/[\\|`<>*_[\]]/g, (sign) => `\\${sign}`)).join(' | ')} |\n`);
  return `| workload | | new pod or address | traffic |\n|---|---|---|---|\n${lines.join('')}`;
}

export function exposureJson(exposures: readonly WorkloadExposure[]): string {
  const workloads = exposures.map(({ endpoint, ...directions }) => ({ ...endpoint, ...Object.fromEntries(DIRECTIONS.map((direction) => [direction, jsonDirection(directions[direction])])) }));
  return `${JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'Exposure', workloads }, undefined, 2)}\n`;
}

function rowsOf(exposures: readonly WorkloadExposure[]): string[][] {
  return exposures.flatMap(({ endpoint, ...directions }) => DIRECTIONS.flatMap((direction) => directionRows(directions[direction]).map((row) => [endpoint.id, direction === 'ingress' ? '←' : '→', ...row])));
}

function directionRows({ anyNamespace, ownNamespace, outside, labelled }: DirectionExposure): string[][] {
  const row = (who: string, ports: PortSet): string[][] => (ports.length === 0 ? [] : [[who, formatPorts(ports)]]);
  const isAlike = anyNamespace.join() === ownNamespace.join();
  const rows = [
    ...row('any pod in any namespace', anyNamespace),
    ...(isAlike ? [] : row('any pod in its own namespace', ownNamespace)),
    ...labelled.flatMap((one) => row(formatLabelled(one), one.ports)),
    ...outside.flatMap(({ ranges, ports }) => row(rangesText(ranges), ports)),
  ];
  return rows.length === 0 ? [['nobody', '']] : rows;
}

/** Ranges named in a row; more are counted. */
const RANGES_MAX = 4;

function rangesText(ranges: DirectionExposure['outside'][number]['ranges']): string {
  const shown = ranges.slice(0, RANGES_MAX).map(rangeLabel).join(', ');
  return ranges.length > RANGES_MAX ? `${shown} and ${ranges.length - RANGES_MAX} more` : shown;
}

function jsonDirection({ anyNamespace, ownNamespace, outside, labelled }: DirectionExposure): object {
  return {
    anyNamespace: jsonPorts(anyNamespace),
    ownNamespace: jsonPorts(ownNamespace),
    labelled: labelled.map((one) => ({ who: formatLabelled(one), ...jsonPorts(one.ports) })),
    outside: outside.map(({ ranges, ports }) => ({ ranges: ranges.map(formatIpRange), ...jsonPorts(ports) })),
  };
}
