// A reachability as lines that stand each for itself (`reach -o jsonl`), and as YAML with the same lines; both streamed.
import type { Finding } from '../../base/finding.ts';
import type { Reachability } from '../../analyze/reach.ts';
import type { NamedRoutes } from '../../analyze/named-routes.ts';
import { findingLine, jsonFinding } from '../findings/finding-json.ts';
import { jsonLine } from '../text/json-line.ts';
import { encodeRows, jsonEndpoint } from './reach-rows.ts';
import { jsonEntrance, jsonService } from './routes-json.ts';

/** One object a line, with one member that says what it is: `endpoint`, `allowed`, `service`, `entrance`, `finding`, in this order. */
export function* reachJsonLines(reachability: Reachability, findings: readonly Finding[], routes?: NamedRoutes): Generator<string | Uint8Array> {
  const line = (kind: string, text: string): string => `{ "${kind}": ${text} }\n`;
  for (const endpoint of reachability.endpoints) yield line('endpoint', jsonEndpoint(endpoint));
  yield* encodeRows(reachability, { before: '{ "allowed": ', beforeFirst: '{ "allowed": ', after: ' }\n' });
  for (const service of routes?.services ?? []) yield line('service', jsonLine(jsonService(service)));
  for (const entrance of routes?.entrances ?? []) yield line('entrance', jsonLine(jsonEntrance(entrance)));
  for (const finding of findings) yield findingLine(finding);
}

/** The object of `-o json`; each member of a list is one line in the flow style, which is JSON (YAML 1.2.2, section 1.3). */
export function* reachYaml(reachability: Reachability, findings: readonly Finding[], routes?: NamedRoutes): Generator<string | Uint8Array> {
  yield 'apiVersion: bulkhead/v1\nkind: Reachability\n';
  yield list('endpoints', reachability.endpoints.map(jsonEndpoint));
  let hasRows = false;
  for (const piece of encodeRows(reachability, { before: '- ', beforeFirst: 'allowed:\n- ', after: '\n' })) {
    hasRows ||= piece.length > 0;
    yield piece;
  }
  if (!hasRows) yield list('allowed', []);
  if (routes !== undefined) {
    yield list('services', routes.services.map((service) => jsonLine(jsonService(service))));
    yield list('entrances', routes.entrances.map((entrance) => jsonLine(jsonEntrance(entrance))));
  }
  yield list('findings', findings.map((finding) => jsonLine(jsonFinding(finding))));
}

function list(name: string, texts: readonly string[]): string {
  return texts.length === 0 ? `${name}: []\n` : `${name}:\n${texts.map((text) => `- ${text}\n`).join('')}`;
}
