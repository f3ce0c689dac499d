// Who reaches whom in a few lines: `shop/web, any IPv4 → shop/db  TCP 3306`, ends with the same line joined.
import type { Endpoint } from '../../src/analyze/endpoints.ts';
import { ALL_PORTS, NO_PORTS, OTHER_POINT, portSetOf, unionPorts, type PortSet, type Protocol } from '../../src/base/port-set.ts';

/** A pair that may talk; ids as in the text. */
export interface ReachPair {
  readonly source: string;
  readonly target: string;
  /** `TCP 80,443; UDP all; other`. */
  readonly traffic: string;
}

/** The id in the text: the whole of a family has a name. */
export function endName(endpoint: Endpoint): string {
  if (endpoint.id === '0.0.0.0-255.255.255.255') return 'any IPv4';
  if (endpoint.id === '::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff') return 'any IPv6';
  return endpoint.id;
}

/** Pairs in the order of sources and targets; ends without any traffic do not appear. */
export function formatReach(pairs: readonly ReachPair[]): string {
  const linesOfSource = groupBy(pairs, ({ source }) => source).map(([source, own]) => ({
    source,
    lines: groupBy(own, ({ traffic }) => traffic).map(([traffic, rows]) => `→ ${rows.map(({ target }) => target).join(', ')}  ${traffic}`),
  }));
  const joined = groupBy(linesOfSource, ({ lines }) => lines.join('\n'));
  return joined
    .flatMap(([, sources]) => sources[0]!.lines.map((line) => `${sources.map(({ source }) => source).join(', ')} ${line}\n`))
    .join('');
}

/** Ports by `source → target`; what the text does not name is refused. */
export function parseReach(text: string): ReadonlyMap<string, PortSet> {
  const pairs = new Map<string, PortSet>();
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const match = /^(.+) → (.+?) {2}(.+)$/.exec(line);
    if (match === null) throw new Error(`not a line of reach: ${line}`);
    const [, sources, targets, traffic] = match;
    for (const source of sources!.split(', ')) {
      for (const target of targets!.split(', ')) {
        const pair = `${source} → ${target}`;
        pairs.set(pair, unionPorts(pairs.get(pair) ?? NO_PORTS, parsePorts(traffic!)));
      }
    }
  }
  return pairs;
}

function parsePorts(text: string): PortSet {
  if (text === 'all') return ALL_PORTS;
  return text.split('; ').map(parseProtocol).reduce(unionPorts, NO_PORTS);
}

function parseProtocol(text: string): PortSet {
  if (text === 'other') return [OTHER_POINT, OTHER_POINT];
  const match = /^(TCP|UDP|SCTP) (all|[\d,-]+)$/.exec(text);
  if (match === null) throw new Error(`not ports: ${text}`);
  // The pattern admits these three alone.
  const protocol = match[1] as Protocol;
  const ranges = match[2] === 'all' ? ['1-65535'] : match[2]!.split(',');
  return ranges
    .map((range) => range.split('-').map(Number))
    .map(([first, last]) => portSetOf(protocol, first!, last ?? first!))
    .reduce(unionPorts, NO_PORTS);
}

function groupBy<Value>(values: readonly Value[], keyOf: (value: Value) => string): [string, Value[]][] {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return [...groups];
}
