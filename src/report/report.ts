// Answers and findings become text: every function here takes a value that another room made and gives what a reader or a program reads.
import type { Finding } from '../base/finding.ts';
import type { NamedRoutes } from '../analyze/named-routes.ts';
import type { Reachability } from '../analyze/reach.ts';
import { findingsJson } from './finding-json.ts';
import { findingText, type FindingLayout } from './finding-text.ts';
import { githubCommand } from './finding-github.ts';
import { sarifLog } from './finding-sarif.ts';
import { reachDot, reachMermaid } from './reach-graph.ts';
import { reachJson, reachJsonBytes } from './reach-json.ts';
import { reachMatrix } from './reach-matrix.ts';
import { reachCsv, reachMarkdown, reachTable } from './reach-table.ts';
import { routesMarkdown, routesTable } from './routes-text.ts';
import type { Style } from './style.ts';

export type ReachFormat = (typeof REACH_FORMATS)[number];

export const REACH_FORMATS = ['table', 'wide', 'matrix', 'json', 'csv', 'md', 'dot', 'mermaid'] as const;

export interface Layout {
  readonly style: Style;
  readonly widthColumns: number;
}

/** Formats that have a place for Services and entrances. */
export const ROUTE_FORMATS: readonly ReachFormat[] = ['table', 'wide', 'matrix', 'md', 'json'];

/** As `formatReach`, with what is large in UTF-8 already; a piece of bytes is valid until the next one is asked for. */
export function encodeReach(format: ReachFormat, reachability: Reachability, options: ReachLayout): Iterable<string | Uint8Array> {
  return format === 'json' ? reachJsonBytes(reachability, options.findings, options.routes) : formatReach(format, reachability, options);
}

export interface ReachLayout extends Layout {
  readonly findings: readonly Finding[];
  readonly routes?: NamedRoutes;
}

/** Pieces of the text, made as they are read; only `json` carries the findings, and only `ROUTE_FORMATS` the routes. */
export function formatReach(format: ReachFormat, reachability: Reachability, options: ReachLayout): Iterable<string> {
  const { routes } = options;
  if (routes === undefined || format === 'json') return formatRows(format, reachability, options);
  return chain(formatRows(format, reachability, options), format === 'md' ? routesMarkdown(routes) : routesTable(routes, options.style));
}

function* chain(pieces: Iterable<string>, last: string): Generator<string> {
  yield* pieces;
  yield last;
}

function formatRows(format: ReachFormat, reachability: Reachability, options: ReachLayout): Iterable<string> {
  switch (format) {
    case 'table':
    case 'wide':
      return reachTable(reachability, { style: options.style, isWide: format === 'wide' });
    case 'matrix':
      return [reachMatrix(reachability, options)];
    case 'json':
      return reachJson(reachability, options.findings, options.routes);
    case 'csv':
      return reachCsv(reachability);
    case 'md':
      return reachMarkdown(reachability);
    case 'dot':
      return reachDot(reachability);
    case 'mermaid':
      return reachMermaid(reachability);
  }
}

export type FindingFormat = (typeof FINDING_FORMATS)[number];

export const FINDING_FORMATS = ['text', 'json', 'github', 'sarif'] as const;

export function formatFindings(
  format: FindingFormat,
  findings: readonly Finding[],
  layout: FindingLayout & { readonly version: string },
): Iterable<string> {
  switch (format) {
    case 'text':
      return findings.map((finding) => findingText(finding, layout));
    case 'json':
      return [findingsJson(findings)];
    case 'github':
      return findings.map(githubCommand);
    case 'sarif':
      return [sarifLog(findings, layout.version)];
  }
}
