// Policies as texts with one to three things done to them that people and pages do: the words of YAML that surprise, lines lost, doubled or moved.
import fc from 'fast-check';
import { validPolicy } from '../mend/broken-manifest.ts';

/** In place of a value. */
const VALUES: readonly string[] = [
  'yes', 'no', 'on', 'Off', 'y', 'N', 'true', 'null', '~', '', '010', '080', '0x50', '0b11', '0o17', '1e3', '1_000', '80.0', '80.5', '.5', '-0', '+80', '1:30', '2001-01-01', '0', '65535', '65536', '-1', '99999999999999999999', '.inf', '.nan',
  '"80"', "'80'", '"web', 'web"', "it's", 'a: b', 'a:b', '- a', '-a', '[a]', '[a', '[]', '{}', '{ a: b }', '{a', 'a,', 'a, b', '!!str 80', '!!int "80"', '!x a', '&a web', '*a', '|', '>-', '|2', '#', 'a #b', 'a#b', '@a', '`a`', '%a', '?', '? a', ': a', '"a\\u0041"', '"\\x"', "'a''b'", '\u00a0web', 'we\u200bb', 'wéb', '\u201cweb\u201d', '\u2014', 'WEB', 'web ', '\tweb', 'a/b', 'a.b/c', '/a', 'a_b', '-', '.', 'a'.repeat(63), 'a'.repeat(64), 'a'.repeat(16),
  'TCP', 'tcp', 'SCTP', 'ICMP', 'http', 'In', 'Exists', 'Ingress', 'ingress', '10.0.0.0/8', '10.0.0.7/8', '10.0.0.0', '10.0.0.0/33', '010.0.0.0/8', '::/0', '"::/0"', '::ffff:10.0.0.0/104', 'fe80::1%1/64', '0.0.0.0/0', '10.1.0.0/16', '10.0.0.0/8 ', '1/8',
];

/** In place of a key. */
const KEYS: readonly string[] = ['podSelector', 'namespaceSelector', 'ipBlock', 'matchLabels', 'matchExpressions', 'from', 'to', 'ports', 'port', 'endPort', 'protocol', 'cidr', 'except', 'ingress', 'egress', 'policyTypes', 'name', 'labels', 'annotations', 'yes', '010', '1.0', 'null', '"a"', 'A', 'a b', '<<', '? a', '!!str a', 'podselector', 'Ports', 'status', 'generateName', 'uid', 'generation', 'creationTimestamp', 'finalizers', 'ownerReferences', 'selfLink', 'key', 'operator', 'values'];

type Change = (lines: string[], at: number, what: number) => void;

const CHANGES: readonly Change[] = [
  (lines, at, what) => void (lines[at] = lines[at]!.replace(/(: ?|- )(?=[^\s:][^:]*$)\S.*$/, (_, before: string) => before + pick(VALUES, what))),
  (lines, at, what) => void (lines[at] = lines[at]!.replace(/:$/, `: ${pick(VALUES, what)}`)),
  (lines, at, what) => void (lines[at] = lines[at]!.replace(/[\w./]+(?=:)/, pick(KEYS, what))),
  (lines, at) => void lines.splice(at, 1),
  (lines, at) => void lines.splice(at, 0, lines[at]!),
  (lines, at, what) => void lines.splice(at, 0, lines[5 + (what % (lines.length - 5))]!),
  (lines, at, what) => void (lines[at] = pick(['', ' ', '  ', '   ', '    ', '      ', '\t'], what) + lines[at]!.trimStart()),
  (lines, at, what) => void (lines[at] = lines[at]!.replace(/: |- |:$/, pick([' : ', ':', ':  ', '-', '-  ', ': # ', '- - ', ':\t'], what))),
  (lines, at, what) => void lines.splice(at, 0, pick(['# a', '  # a', '', '...', '%YAML 1.1', '   ', '\t', '? a', '- a', 'a', '"', '}', '\u0007'], what)),
];

function pick<Value>(values: readonly Value[], what: number): Value {
  return values[what % values.length]!;
}

/** The head, `apiVersion` to `namespace`, says where the server is asked, and stays. */
const HEAD_LINES = 5;

export const mutatedText: fc.Arbitrary<string> = fc
  .tuple(validPolicy, fc.array(fc.tuple(fc.constantFrom(...CHANGES), fc.nat(), fc.nat()), { minLength: 1, maxLength: 3 }))
  .map(([text, changes]) => {
    const lines = text.trimEnd().split('\n');
    for (const [change, at, what] of changes) if (lines.length > HEAD_LINES + 1) change(lines, HEAD_LINES + (at % (lines.length - HEAD_LINES)), what);
    return `${lines.join('\n')}\n`;
  });
