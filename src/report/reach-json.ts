// A reachability as the JSON of the contract (`reach -o json`), streamed: one endpoint or row a line, the same bytes for the same answer.
import { hasOtherProtocols, protocolRanges, type PortSet } from '../base/port-set.ts';
import type { Finding } from '../base/finding.ts';
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import { isOutside, type Endpoint } from '../analyze/endpoints.ts';
import type { Reachability } from '../analyze/reach.ts';
import type { NamedRoutes } from '../analyze/named-routes.ts';
import { jsonFinding } from './finding-json.ts';
import { routesJson } from './routes-text.ts';

/** Bytes of rows that are handed on at once. */
const PIECE_BYTES = 131_072;

/** `routes` adds the sections `services` and `entrances`. */
export function* reachJson(reachability: Reachability, findings: readonly Finding[], routes?: NamedRoutes): Generator<string> {
  const decoder = new TextDecoder();
  for (const piece of reachJsonBytes(reachability, findings, routes)) yield decoder.decode(piece);
}

/** The same in UTF-8, several times as fast; a piece is valid until the next one is asked for. */
export function* reachJsonBytes(reachability: Reachability, findings: readonly Finding[], routes?: NamedRoutes): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  yield encoder.encode(`{\n"apiVersion": "bulkhead/v1",\n"kind": "Reachability",\n"endpoints": [${lines(reachability.endpoints.map(jsonEndpoint))}],\n"allowed": [`);
  yield* jsonRows(reachability, encoder);
  yield encoder.encode('],\n');
  if (routes !== undefined) for (const text of routesJson(routes)) yield encoder.encode(text);
  yield encoder.encode(`"findings": [${lines(findings.map((finding) => JSON.stringify(jsonFinding(finding))))}]\n}\n`);
}

// A row is its source's head and a tail of target and traffic; both are encoded once and copied from then on.
function* jsonRows({ endpoints, portsFrom, portSet }: Reachability, encoder: TextEncoder): Generator<Uint8Array> {
  const tailOf = tailMaker(endpoints, portSet, encoder);
  const buffer = new Uint8Array(PIECE_BYTES);
  let size = 0;
  let isFirst = true;
  for (const [source, endpoint] of endpoints.entries()) {
    const head = encoder.encode(`,\n{ "source": ${JSON.stringify(endpoint.id)}, "target": `);
    // Whoever takes a piece may ask for another row, which overwrites the array.
    const ports = portsFrom(source).slice();
    for (let target = 0; target < ports.length; target++) {
      if (ports[target] === NO_PORTS_ID) continue;
      const tail = tailOf(target, ports[target]!);
      if (size + head.length + tail.length > PIECE_BYTES) {
        yield buffer.subarray(0, size);
        size = 0;
      }
      const own = isFirst ? head.subarray(1) : head;
      isFirst = false;
      if (own.length + tail.length > PIECE_BYTES) {
        yield own;
        yield tail;
        continue;
      }
      buffer.set(own, size);
      buffer.set(tail, size + own.length);
      size += own.length + tail.length;
    }
  }
  yield buffer.subarray(0, size);
  if (!isFirst) yield encoder.encode('\n');
}

/** Bytes of tails that are kept; further ones are made anew. */
const TAIL_BYTES_MAX = 64 * 1024 * 1024;

function tailMaker(endpoints: readonly Endpoint[], portSet: (id: number) => PortSet, encoder: TextEncoder): (target: number, ports: number) => Uint8Array {
  const traffic: string[] = [];
  const known: Uint8Array[][] = endpoints.map(() => []);
  let keptBytes = 0;
  return (target, ports) => {
    let tail = known[target]![ports];
    if (tail === undefined) {
      tail = encoder.encode(`${JSON.stringify(endpoints[target]!.id)}, "traffic": ${(traffic[ports] ??= jsonTraffic(portSet(ports)))}`);
      keptBytes += tail.length;
      if (keptBytes <= TAIL_BYTES_MAX) known[target]![ports] = tail;
    }
    return tail;
  };
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
