// The few words of which random clusters are made, and selectors and blocks of them.
import fc from 'fast-check';
import type * as raw from './raw-cluster.ts';

export const NAMESPACES = ['a', 'b', 'c'] as const;
const KEYS = ['app', 'tier', 'pod-template-hash'] as const;
const VALUES = ['x', 'x', 'y', ''] as const;
/** Each block with what may be excepted from it; some with host bits set, which the API server masks. */
const BLOCKS: Readonly<Record<string, readonly string[]>> = {
  '0.0.0.0/0': ['10.0.0.0/8', '10.0.0.0/24', '0.0.0.0/1', '128.0.0.0/1', '255.255.255.255/32'],
  '10.0.0.0/8': ['10.0.0.0/24', '10.0.0.0/25', '10.0.0.128/25', '10.0.0.1/32', '10.0.0.0/9', '10.128.0.0/9'],
  '10.0.0.0/24': ['10.0.0.0/25', '10.0.0.128/25', '10.0.0.127/32', '10.0.0.64/26'],
  '10.0.0.5/24': ['10.0.0.129/25', '10.0.0.0/32'],
  '10.0.0.1/32': [],
  '::/0': ['fd00::/8', '8000::/1', '::/1', 'fd00::1/128'],
  '::/96': ['::a00:0/104', '::a00:1/128'],
  '::a00:1/128': [],
  'fd00::/8': ['fd00::/16', 'fd00::/64', 'fd00::1/128', 'fd00:0:0:1::/64'],
  'fd00::1/120': ['fd00::/128', 'fd00::/127'],
};

/** A value, or one of the ways to say nothing: left out, null, and where given, an empty form. */
export function maybe<Value>(arbitrary: fc.Arbitrary<Value>, ...empty: readonly Value[]): fc.Arbitrary<Value | null | undefined> {
  return fc.oneof({ weight: 5, arbitrary }, { weight: 2, arbitrary: fc.constantFrom(undefined, null, ...empty) });
}

/** Records without the fields that are undefined, as a manifest would be written. */
export function record<Shape extends object>(fields: { [Key in keyof Shape]: fc.Arbitrary<Shape[Key] | undefined> }): fc.Arbitrary<Shape> {
  const whole = fc.record(fields as Record<string, fc.Arbitrary<unknown>>);
  // Only fields that hold undefined are left out, and those are optional in each Shape used here.
  return whole.map((value) => Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Shape);
}

const key = fc.constantFrom(...KEYS);
const value = fc.constantFrom(...VALUES);
const matchLabels: fc.Arbitrary<raw.RawLabels> = fc.dictionary(key, value, { minKeys: 1, maxKeys: 2, noNullPrototype: true });


const expression: fc.Arbitrary<raw.RawExpression> = fc.oneof(
  record<raw.RawExpression>({
    key,
    operator: fc.constantFrom('In', 'In', 'NotIn'),
    values: fc.oneof(fc.shuffledSubarray(['x', 'y', ''], { minLength: 1 }), fc.constantFrom(['x', 'x'], ['y', 'x', 'y'])),
  }),
  record<raw.RawExpression>({ key, operator: fc.constantFrom('Exists', 'DoesNotExist'), values: fc.constantFrom(undefined, null, []) }),
);

export const randomSelector: fc.Arbitrary<raw.RawSelector> = record<raw.RawSelector>({
  matchLabels: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 3, arbitrary: maybe(matchLabels, {}) }),
  matchExpressions: fc.oneof(
    { weight: 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: maybe(fc.array(expression, { minLength: 1, maxLength: 2 }), []) },
  ),
});

/** Namespaces are told apart by their name's label as well as by those they share with pods. */
export const randomNamespaceSelector: fc.Arbitrary<raw.RawSelector> = fc.oneof(
  randomSelector,
  fc.constantFrom(...NAMESPACES).map((name) => ({ matchLabels: { 'kubernetes.io/metadata.name': name } })),
  fc.subarray([...NAMESPACES], { minLength: 1 }).map((values) => ({
    matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn' as const, values }],
  })),
);

export const randomIpBlock: fc.Arbitrary<raw.RawBlock> = fc.constantFrom(...Object.keys(BLOCKS)).chain((cidr) =>
  record<raw.RawBlock>({
    cidr: fc.constant(cidr),
    except: BLOCKS[cidr]!.length === 0 ? fc.constantFrom(undefined, null, []) : maybe(fc.array(fc.constantFrom(...BLOCKS[cidr]!), { minLength: 1, maxLength: 3 }), []),
  }),
);
