// Services and the entrances from outside as a table for people, and as Markdown.
import { formatIpAddress } from '../../base/ip-address.ts';
import { rangeLabel } from '../../base/range-label.ts';
import type { NamedEntrance, NamedPort, NamedRoutes, NamedService, NamedTarget } from '../../analyze/named-routes.ts';
import type { ServicePort } from '../../model/cluster.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { alignColumns } from '../text/table.ts';

/** Ranges shown of one target; the rest is counted. */
const RANGES_MAX = 4;

const SERVICE_HEAD = ['SERVICE', 'TYPE', 'PORT', 'LEADS TO'] as const;
export const ENTRANCE_HEAD = ['ENTRANCE', 'PORT', 'LEADS TO', 'FROM', 'POLICIES'] as const;

export function routesTable(routes: NamedRoutes, style: Style): string {
  return [table(SERVICE_HEAD, serviceRows(routes), style), table(ENTRANCE_HEAD, entranceRows(routes), style)].filter((text) => text !== '').map((text) => `\n${text}`).join('');
}

export function routesMarkdown(routes: NamedRoutes): string {
  return [markdown(SERVICE_HEAD, serviceRows(routes)), markdown(ENTRANCE_HEAD, entranceRows(routes))].filter((text) => text !== '').map((text) => `\n${text}`).join('');
}

function table(head: readonly string[], rows: readonly (readonly string[])[], style: Style): string {
  if (rows.length === 0) return '';
  return alignColumns([head.map((text) => ({ text, painted: style.bold(text) })), ...rows.map((row) => row.map(printable))]).map((line) => `${line}\n`).join('');
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => printable(cell).replace(/[\\|`<>*_[\]]/g, (sign) => `\\${sign}`)).join(' | ')} |\n`;
  return `${line(head.map((text) => text.toLowerCase()))}|${'---|'.repeat(head.length)}\n${rows.map(line).join('')}`;
}

function serviceRows({ services }: NamedRoutes): string[][] {
  return services.flatMap((named) => {
    const { service, leadsTo, endpoints, ports } = named;
    const head = [`${service.namespace}/${service.name}`, service.isHeadless ? 'headless' : service.type];
    if (leadsTo === 'name') return [[...head, '-', `${service.externalName ?? 'a name'}, outside the cluster`]];
    if (service.isHeadless && leadsTo !== 'unknown') return [[...head, 'any', endpoints.join(', ') || 'no pod here']];
    return ports.map((port) => [...head, portText(port.port), targetsText(named, port)]);
  });
}

function portText({ protocol, port, name, nodePort }: ServicePort): string {
  return `${protocol} ${port}${name === undefined ? '' : ` (${name})`}${nodePort === undefined ? '' : `, node port ${nodePort}`}`;
}

function targetsText({ leadsTo, endpoints }: NamedService, { port, targets, unresolved }: NamedPort): string {
  if (leadsTo === 'unknown') return 'not known: no selector, and no EndpointSlice or Endpoints here';
  if (leadsTo === 'pods' && endpoints.length === 0) return 'no pod here';
  const missing = unresolved.length === 0 ? [] : [`not ${unresolved.join(', ')}: no ${port.protocol} port named ${port.targetPort}`];
  return [...targets.map((target) => `${target.endpoint} ${port.protocol} ${target.port}`), ...missing].join(', ');
}

/** Cells under `ENTRANCE_HEAD`. */
export function entranceRows({ entrances }: Pick<NamedRoutes, 'entrances'>): string[][] {
  return entrances.flatMap((named) => {
    const head = entranceText(named);
    if (named.targets.length === 0) return [[...head, 'no pod here', sourcesText(named), '-']];
    return named.targets.map((target) => [...head, `${target.endpoint} ${target.protocol} ${target.port}`, sourcesText(named), verdictText(named, target)]);
  });
}

function entranceText({ entrance }: NamedEntrance): [string, string] {
  if (entrance.kind === 'Ingress') {
    const { ingress, route } = entrance;
    return [`Ingress ${ingress.namespace}/${ingress.name}`, `${route.host ?? '*'}${route.path}`];
  }
  const { service, port } = entrance;
  return [`${entrance.kind} ${service.namespace}/${service.name}`, `${port.protocol} ${entrance.kind === 'NodePort' ? (port.nodePort ?? 'any') : port.port}`];
}

function sourcesText({ sources, sourceEndpoints }: NamedEntrance): string {
  switch (sources.kind) {
    case 'clients':
      return sources.ranges.map(rangeLabel).join(', ');
    case 'nodes':
      return sources.addresses.length === 0 ? "a node's address, not known" : sources.addresses.slice(0, RANGES_MAX).map(formatIpAddress).join(', ') + more(sources.addresses.length);
    case 'controller':
      return sourceEndpoints.join(', ');
    case 'provider':
      return sources.name;
    case 'missing-controller':
      return `${sources.name ?? 'a controller'}, not here`;
  }
}

const VERDICT_WORDS: Readonly<Record<NamedTarget['verdict'], string>> = { open: 'let it in', partly: 'let some in', closed: 'keep it out', unknown: 'not known' };

function verdictText({ sources }: NamedEntrance, { verdict, outside }: NamedTarget): string {
  const isAboutRanges = verdict === 'partly' || verdict === 'unknown';
  if (!isAboutRanges || sources.kind === 'controller' || sources.kind === 'missing-controller' || outside.length === 0) return VERDICT_WORDS[verdict];
  return `${VERDICT_WORDS[verdict]}: ${outside.slice(0, RANGES_MAX).map(rangeLabel).join(', ')}${more(outside.length)} may come in`;
}

function more(count: number): string {
  return count > RANGES_MAX ? ` and ${count - RANGES_MAX} more` : '';
}
