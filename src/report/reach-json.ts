// A reachability as the JSON of the contract (`reach -o json`), streamed: one endpoint or row a line, the same bytes for the same answer.
import { hasOtherProtocols, protocolRanges, type PortSet } from '../base/port-set.ts';
import type { Finding } from '../base/finding.ts';
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import { isOutside, type Endpoint } from '../analyze/endpoints.ts';
import type { Reachability } from '../analyze/reach.ts';
import type { NamedRoutes } from '../analyze/named-routes.ts';
import { jsonFinding } from './finding-json.ts';
import { routesJson } from './routes-text.ts';

/** A piece is handed on after the source at which it reaches this size, in UTF-16 units. */
const PIECE_SIZE = 65_536;

/** `routes` adds the sections `services` and `entrances`. */
export function* reachJson(reachability: Reachability, findings: readonly Finding[], routes?: NamedRoutes): Generator<string> {
  yield '{\n"apiVersion": "bulkhead/v1",\n"kind": "Reachability",\n"endpoints": [';
  yield lines(reachability.endpoints.map(jsonEndpoint));
  yield '],\n"allowed": [';
  yield* jsonRows(reachability);
  yield '],\n';
  if (routes !== undefined) yield* routesJson(routes);
  yield '"findings": [';
  yield lines(findings.map((finding) => JSON.stringify(jsonFinding(finding))));
  yield ']\n}\n';
}

// Heads, targets and traffic are encoded once, so that a row is three texts put together.
function* jsonRows({ endpoints, portsFrom, portSet }: Reachability): Generator<string> {
  const targets = endpoints.map((endpoint) => `${JSON.stringify(endpoint.id)}, "traffic": `);
  const traffic: string[] = [];
  let piece = '';
  let separator = '\n';
  for (const [source, endpoint] of endpoints.entries()) {
    const head = `{ "source": ${JSON.stringify(endpoint.id)}, "target": `;
    const ports = portsFrom(source);
    for (let target = 0; target < ports.length; target++) {
      const id = ports[target]!;
      if (id === NO_PORTS_ID) continue;
      piece += separator + head + targets[target]! + (traffic[id] ??= jsonTraffic(portSet(id)));
      separator = ',\n';
    }
    // Between sources only: whoever takes the piece may ask for another row, which overwrites `ports`.
    if (piece.length >= PIECE_SIZE) {
      yield piece;
      piece = '';
    }
  }
  yield separator === '\n' ? '' : `${piece}\n`;
}

function jsonEndpoint(endpoint: Endpoint): string {
  if ('first' in endpoint) {
    const { id, kind, first, last } = endpoint;
    return spaced({ id, kind, first, last });
  }
  if (isOutside(endpoint)) {
    const { id, kind, name } = endpoint;
    return spaced({ id, kind, name });
  }
  const { id, kind, namespace, name, pods, hostNetwork } = endpoint;
  return spaced({ id, kind, namespace, name, pods, hostNetwork });
}

function jsonTraffic(ports: PortSet): string {
  const [tcp, udp, sctp] = (['TCP', 'UDP', 'SCTP'] as const).map((protocol) => JSON.stringify(protocolRanges(ports, protocol)));
  return `{ "TCP": ${tcp}, "UDP": ${udp}, "SCTP": ${sctp} }, "other": ${hasOtherProtocols(ports)} }`;
}

function spaced(fields: Readonly<Record<string, string | number | boolean>>): string {
  const entries = Object.entries(fields).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return `{ ${entries.join(', ')} }`;
}

function lines(texts: readonly string[]): string {
  return texts.length === 0 ? '' : `\n${texts.join(',\n')}\n`;
}
