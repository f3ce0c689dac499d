// Random connections between pods of several nodes, and what the agents of the nodes tell of each.
import fc from 'fast-check';
import type { FlowEnd, FlowRecord } from '../../src/flow/flow-record.ts';
import { FlowJoining } from '../../src/flow/join-views.ts';

const NODES = 4;

export interface Connection {
  readonly source: { readonly workload: number; readonly node: number };
  readonly target: { readonly workload: number; readonly node: number };
  /** 0: straight to the pod. */
  readonly service: number;
  readonly refusedAt: 'source' | 'target' | undefined;
}

const place = fc.record({ workload: fc.nat(1), node: fc.nat(NODES - 1) });
const connections: fc.Arbitrary<readonly Connection[]> = fc.array(
  fc.record({ source: place, target: place, service: fc.nat(2), refusedAt: fc.constantFrom('source' as const, 'target' as const, undefined, undefined) }),
  { minLength: 1, maxLength: 80, size: 'max' },
);

const NAMESPACES = { web: 'shop', db: 'bank' } as const;

export function end(name: keyof typeof NAMESPACES, { workload, node }: Connection['source']): FlowEnd {
  const of = `${name}-${workload}`;
  const namespace = NAMESPACES[name];
  return { kind: 'pod', namespace, workload: { kind: 'Deployment', namespace, name: of }, pod: `${of}-${node}`, labels: new Map([['app', of], ['pod-template-hash', `${node}`]]), namespaceLabels: new Map(), node: `n${node}`, address: { family: 4, value: BigInt(node) } };
}

function record({ source, target, service }: Connection, node: number, more: { readonly verdict: FlowRecord['verdict']; readonly knowsService: boolean }): FlowRecord {
  const isAllowed = more.verdict === 'allowed';
  return {
    verdict: more.verdict, source: end('web', source), target: end('db', target), family: 4, protocol: 6, port: 3306, count: 1, openings: isAllowed ? 1 : 0,
    firstSeen: 1000, lastSeen: 2000, node: `n${node}`, service: more.knowsService && service > 0 ? `shop/s${service}` : undefined, reason: undefined,
  };
}

/** The source's node knows the Service; what it refuses the target's never sees. */
export function told(connection: Connection, isWatched: (node: number) => boolean): readonly FlowRecord[] {
  const { source, target, refusedAt } = connection;
  const isOneNode = source.node === target.node;
  const near = isWatched(source.node) ? [record(connection, source.node, { verdict: refusedAt === 'source' || (isOneNode && refusedAt !== undefined) ? 'denied' : 'allowed', knowsService: true })] : [];
  const far = !isOneNode && refusedAt !== 'source' && isWatched(target.node) ? [record(connection, target.node, { verdict: refusedAt === 'target' ? 'denied' : 'allowed', knowsService: false })] : [];
  return [...near, ...far];
}

/** Judgments and openings by what `keyOf` names. */
export function sums(records: readonly FlowRecord[], keyOf: (record: FlowRecord) => string): Map<string, string> {
  const found = new Map<string, { readonly count: number; readonly openings: number }>();
  for (const one of records) {
    const before = found.get(keyOf(one)) ?? { count: 0, openings: 0 };
    found.set(keyOf(one), { count: before.count + one.count, openings: before.openings + (one.openings ?? Number.NaN) });
  }
  return new Map([...found].map(([key, { count, openings }]): [string, string] => [key, `${count} judged, ${openings} opened`]).sort());
}

export function pairOf({ source, target }: FlowRecord): string {
  return [source, target].map((one) => (one.kind === 'pod' ? one.workload.name : '')).join();
}

export function truth(connection: Connection): FlowRecord {
  return record(connection, connection.source.node, { verdict: connection.refusedAt === undefined ? 'allowed' : 'denied', knowsService: true });
}

export function checkConnections<Value>(other: fc.Arbitrary<Value>, property: (all: readonly Connection[], value: Value) => void, numRuns = 500): void {
  const seed = process.env['BULKHEAD_SEED'];
  fc.assert(fc.property(connections, other, property), { numRuns, ...(seed === undefined ? {} : { seed: Number(seed) }) });
}

export function joinAll(records: readonly FlowRecord[]): readonly FlowRecord[] {
  const joining = new FlowJoining();
  const whole = records.flatMap((one) => joining.add(one) ?? []);
  return [...whole, ...joining.take()];
}
