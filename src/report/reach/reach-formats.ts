// A reachability in the format that is asked for, whose file is loaded only then.
import type { Finding } from '../../base/finding.ts';
import { WordError } from '../../base/word-error.ts';
import type { NamedRoutes } from '../../analyze/named-routes.ts';
import { isOutside } from '../../analyze/endpoints.ts';
import type { Reachability } from '../../analyze/reach.ts';
import type { MatrixLayout } from '../text/matrix.ts';

export type ReachFormat = (typeof REACH_FORMATS)[number];

export const REACH_FORMATS = ['table', 'wide', 'matrix', 'json', 'jsonl', 'yaml', 'csv', 'md', 'dot', 'mermaid', 'svg'] as const;

/** Formats that have a place for findings. */
export const DATA_FORMATS: readonly ReachFormat[] = ['json', 'jsonl', 'yaml'];

/** Formats that have a place for Services and entrances. */
export const ROUTE_FORMATS: readonly ReachFormat[] = ['table', 'wide', 'matrix', 'md', ...DATA_FORMATS];

export interface ReachLayout extends MatrixLayout {
  readonly findings: readonly Finding[];
  readonly routes?: NamedRoutes;
}

/** Pieces made as they are read, what is large in UTF-8 already; a piece of bytes is valid until the next one is asked for. Rejects with WordError what nobody could read. Only `DATA_FORMATS` carry the findings, and only `ROUTE_FORMATS` the routes. */
export async function formatReach(format: ReachFormat, reachability: Reachability, layout: ReachLayout): Promise<Iterable<string | Uint8Array>> {
  const rows = await formatRows(format, reachability, layout);
  const { routes, style } = layout;
  if (routes === undefined || DATA_FORMATS.includes(format)) return rows;
  const { routesMarkdown, routesTable } = await import('./routes-text.ts');
  return chain(rows, format === 'md' ? routesMarkdown(routes) : routesTable(routes, style));
}

function* chain(pieces: Iterable<string | Uint8Array>, last: string): Generator<string | Uint8Array> {
  yield* pieces;
  yield last;
}

async function formatRows(format: ReachFormat, reachability: Reachability, layout: ReachLayout): Promise<Iterable<string | Uint8Array>> {
  const { style, findings, routes } = layout;
  switch (format) {
    case 'table':
    case 'wide':
      return (await import('./reach-table.ts')).reachTable(reachability, { style, isWide: format === 'wide' });
    case 'matrix':
      return [await matrixOf(reachability, layout)];
    case 'json':
      return (await import('./reach-json.ts')).reachJsonBytes(reachability, findings, routes);
    case 'jsonl':
      return (await import('./reach-lines.ts')).reachJsonLines(reachability, findings, routes);
    case 'yaml':
      return (await import('./reach-lines.ts')).reachYaml(reachability, findings, routes);
    case 'csv':
      return (await import('./reach-table.ts')).reachCsv(reachability);
    case 'md':
      return (await import('./reach-table.ts')).reachMarkdown(reachability);
    case 'dot':
      return (await import('./reach-graph.ts')).reachDot(reachability);
    case 'mermaid':
      return (await import('./reach-graph.ts')).reachMermaid(reachability);
    case 'svg':
      return svgOf(reachability);
  }
}

async function matrixOf(reachability: Reachability, layout: MatrixLayout): Promise<string> {
  const { MATRIX_ENDPOINTS_MAX, reachMatrix } = await import('./reach-matrix.ts');
  const size = reachability.endpoints.length;
  if (size > MATRIX_ENDPOINTS_MAX) throw new WordError(`a matrix of ${size} endpoints is more than anybody reads (${MATRIX_ENDPOINTS_MAX} at most)`, 'use --by namespace, or another output such as -o table');
  return reachMatrix(reachability, layout);
}

async function svgOf(reachability: Reachability): Promise<Iterable<string>> {
  const { PICTURE_ENDS_MAX, reachSvg } = await import('./reach-svg.ts');
  const size = reachability.endpoints.filter((endpoint) => !isOutside(endpoint)).length;
  if (size > PICTURE_ENDS_MAX) throw new WordError(`a picture of ${size} ends is more than anybody reads (${PICTURE_ENDS_MAX} at most)`, 'use --by namespace or --focus WORD, or another output such as -o dot');
  return reachSvg(reachability);
}
