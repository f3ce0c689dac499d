// A reachability as the JSON of the contract (`reach -o json`), streamed: one endpoint or row a line, the same bytes for the same answer.
import type { Finding } from '../../base/finding.ts';
import type { Reachability } from '../../analyze/reach.ts';
import type { NamedRoutes } from '../../analyze/named-routes.ts';
import { jsonFinding } from '../findings/finding-json.ts';
import { jsonLine } from '../text/json-line.ts';
import { encodeRows, jsonEndpoint } from './reach-rows.ts';
import { jsonEntrance, jsonService } from './routes-json.ts';

/** `routes` adds the sections `services` and `entrances`. */
export function* reachJson(reachability: Reachability, findings: readonly Finding[], routes?: NamedRoutes): Generator<string> {
  const decoder = new TextDecoder();
  for (const piece of reachJsonBytes(reachability, findings, routes)) yield decoder.decode(piece);
}

/** The same in UTF-8, several times as fast; a piece is valid until the next one is asked for. */
export function* reachJsonBytes(reachability: Reachability, findings: readonly Finding[], routes?: NamedRoutes): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  const member = (name: string, texts: readonly string[]): string => `"${name}": [${texts.length === 0 ? '' : `\n${texts.join(',\n')}\n`}]`;
  yield encoder.encode(`{\n"apiVersion": "bulkhead/v1",\n"kind": "Reachability",\n${member('endpoints', reachability.endpoints.map(jsonEndpoint))},\n"allowed": [`);
  let hasRows = false;
  for (const piece of encodeRows(reachability, { before: ',\n', beforeFirst: '\n', after: '' })) {
    hasRows ||= piece.length > 0;
    yield piece;
  }
  yield encoder.encode(hasRows ? '\n],\n' : '],\n');
  if (routes !== undefined) {
    yield encoder.encode(`${member('services', routes.services.map((service) => jsonLine(jsonService(service))))},\n`);
    yield encoder.encode(`${member('entrances', routes.entrances.map((entrance) => jsonLine(jsonEntrance(entrance))))},\n`);
  }
  yield encoder.encode(`${member('findings', findings.map((finding) => jsonLine(jsonFinding(finding))))}\n}\n`);
}
