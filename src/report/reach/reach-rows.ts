// Endpoints and rows of a reachability as objects of JSON, the rows as UTF-8 between the signs of the format that frames them.
import { hasOtherProtocols, protocolRanges, type PortSet } from '../../base/port-set.ts';
import { NO_PORTS_ID } from '../../compile/port-set-table.ts';
import { isOutside, type Endpoint } from '../../analyze/endpoints.ts';
import type { Reachability } from '../../analyze/reach.ts';
import { jsonLine } from '../text/json-line.ts';

/** What stands around each row. */
export interface RowFrame {
  readonly before: string;
  /** In place of `before` for the first row. */
  readonly beforeFirst: string;
  readonly after: string;
}

/** Bytes of rows that are handed on at once. */
const PIECE_BYTES = 131_072;

/** A row is its source's head and a tail of target and traffic; both are encoded once and copied from then on. A piece is valid until the next one is asked for. */
export function* encodeRows({ endpoints, portsFrom, portSet }: Reachability, { before, beforeFirst, after }: RowFrame): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  const tailOf = tailMaker({ endpoints, portSet, after, encoder });
  const buffer = new Uint8Array(PIECE_BYTES);
  let size = 0;
  let isFirst = true;
  for (const [source, endpoint] of endpoints.entries()) {
    const head = encoder.encode(headOf(before, endpoint));
    // Whoever takes a piece may ask for another row, which overwrites the array.
    const ports = portsFrom(source).slice();
    for (let target = 0; target < ports.length; target++) {
      if (ports[target] === NO_PORTS_ID) continue;
      const tail = tailOf(target, ports[target]!);
      const own = isFirst ? encoder.encode(headOf(beforeFirst, endpoint)) : head;
      isFirst = false;
      if (size + own.length + tail.length > PIECE_BYTES) {
        yield buffer.subarray(0, size);
        size = 0;
      }
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
}

function headOf(before: string, { id }: Endpoint): string {
  return `${before}{ "source": ${jsonLine(id)}, "target": `;
}

/** Bytes of tails that are kept; further ones are made anew. */
const TAIL_BYTES_MAX = 64 * 1024 * 1024;

interface TailInput {
  readonly endpoints: readonly Endpoint[];
  readonly portSet: (id: number) => PortSet;
  readonly after: string;
  readonly encoder: TextEncoder;
}

function tailMaker({ endpoints, portSet, after, encoder }: TailInput): (target: number, ports: number) => Uint8Array {
  const traffic: string[] = [];
  const known: Uint8Array[][] = endpoints.map(() => []);
  let keptBytes = 0;
  return (target, ports) => {
    let tail = known[target]![ports];
    if (tail === undefined) {
      tail = encoder.encode(`${jsonLine(endpoints[target]!.id)}, "traffic": ${(traffic[ports] ??= jsonTraffic(portSet(ports)))}${after}`);
      keptBytes += tail.length;
      if (keptBytes <= TAIL_BYTES_MAX) known[target]![ports] = tail;
    }
    return tail;
  };
}

export function jsonEndpoint(endpoint: Endpoint): string {
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
  const entries = Object.entries(fields).map(([key, value]) => `${jsonLine(key)}: ${jsonLine(value)}`);
  return `{ ${entries.join(', ')} }`;
}
