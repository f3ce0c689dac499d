// Valid policies as plain block YAML, and the ways in which web pages and word processors break them.
import fc from 'fast-check';

type Node = string | readonly Node[] | { readonly [key: string]: Node };

const word = fc.constantFrom('web', 'api', 'db', 'cache', 'orders-db');
const labels: fc.Arbitrary<Node> = fc.dictionary(fc.constantFrom('app', 'tier', 'app.kubernetes.io/name'), word, { minKeys: 1, maxKeys: 2, noNullPrototype: true });
const selector: fc.Arbitrary<Node> = labels.map((matchLabels) => ({ matchLabels }));
const block: fc.Arbitrary<Node> = fc.constantFrom<Node>({ cidr: '10.0.0.0/8', except: ['10.1.0.0/16', '10.2.0.0/16'] }, { cidr: '203.0.113.0/24' });
const peer: fc.Arbitrary<Node> = fc.oneof(
  selector.map((podSelector) => ({ podSelector })),
  selector.map((namespaceSelector) => ({ namespaceSelector })),
  fc.tuple(selector, selector).map(([namespaceSelector, podSelector]) => ({ namespaceSelector, podSelector })),
  block.map((ipBlock) => ({ ipBlock })),
);
const port: fc.Arbitrary<Node> = fc.constantFrom<Node>({ protocol: 'TCP', port: '80' }, { port: '8080' }, { protocol: 'UDP', port: '53' }, { protocol: 'TCP', port: '8000', endPort: '8010' }, { port: 'http' });
const peers = fc.array(peer, { minLength: 1, maxLength: 3 });
const ports = fc.array(port, { minLength: 1, maxLength: 2 });

function rules(side: 'from' | 'to'): fc.Arbitrary<Node> {
  const rule = fc.tuple(fc.option(peers, { nil: undefined }), ports).map(([list, portList]): Node => ({ ...(list === undefined ? {} : { [side]: list }), ports: portList }));
  return fc.array(rule, { minLength: 1, maxLength: 2 });
}

/** Every policy says its podSelector, its types and at least one rule; lists and maps are never empty, so that nothing is in flow style. */
const policy: fc.Arbitrary<Node> = fc.record({ podSelector: selector, ingress: rules('from'), egress: rules('to'), labels }).map(
  ({ podSelector, ingress, egress, labels: own }): Node => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'guard', namespace: 'shop', labels: own },
    spec: { podSelector, policyTypes: ['Ingress', 'Egress'], ingress, egress },
  }),
);

/** `isIndented`: lists stand two columns further in than their key, as some write them. */
function write(node: Node, indent: string, isIndented: boolean): string {
  if (typeof node === 'string') return node;
  if (Array.isArray(node)) return (node as readonly Node[]).map((item) => `${indent}- ${write(item, `${indent}  `, isIndented).trimStart()}${typeof item === 'string' ? '\n' : ''}`).join('');
  return Object.entries(node as { readonly [key: string]: Node })
    .map(([key, value]) => {
      if (typeof value === 'string') return `${indent}${key}: ${value}\n`;
      return `${indent}${key}:\n${write(value, Array.isArray(value) && !isIndented ? indent : `${indent}  `, isIndented)}`;
    })
    .join('');
}

export const validPolicy: fc.Arbitrary<string> = fc.tuple(policy, fc.boolean()).map(([node, isIndented]) => write(node, '', isIndented));

/** Breaks a text; `at` picks the line or lines, a number from 0 up. */
export interface Breaker {
  readonly name: string;
  readonly breakText: (text: string, at: number) => string;
}

export const BREAKERS: readonly Breaker[] = [
  { name: 'an em dash', breakText: onLine(/^\s*- /, (line) => line.replace('-', '\u2014')) },
  { name: 'an en dash', breakText: onLine(/^\s*- /, (line) => line.replace('-', '\u2013')) },
  { name: 'a bullet', breakText: onLine(/^\s*- /, (line) => line.replace('-', '\u2022')) },
  { name: 'a tab for each two columns', breakText: (text) => text.replace(/^(?: {2})+/gm, (indent) => '\t'.repeat(indent.length / 2)) },
  { name: 'a tab in one line', breakText: onLine(/^ {2}/, (line) => line.replace(/^(?: {2})+/, (indent) => '\t'.repeat(indent.length / 2))) },
  { name: 'a non-breaking blank behind a colon', breakText: onLine(/: \S/, (line) => line.replace(': ', ':\u00a0')) },
  { name: 'non-breaking indentation', breakText: onLine(/^ /, (line) => line.replace(/^ +/, (indent) => '\u00a0'.repeat(indent.length))) },
  { name: 'an invisible sign', breakText: onLine(/\w/, (line) => `${line.slice(0, 3)}\u200b${line.slice(3)}`) },
  { name: 'curly quotes around a value', breakText: onLine(/(name|app|tier|cidr): /, (line) => line.replace(/: (.+)$/, ': \u201c$1\u201d')) },
  { name: 'no blank behind the colon of a field', breakText: onLine(/(kind|name|port|protocol|cidr|apiVersion): \S/, (line) => line.replace(': ', ':')) },
  { name: 'no blank behind the dash of a field', breakText: onLine(/^\s*- \w+:/, (line) => line.replace('- ', '-')) },
  { name: 'the fields of metadata at the margin', breakText: (text) => text.replace(/(?<=^metadata:\n)(?: {2}.*\n)+/m, (block) => block.replace(/^ {2}/gm, '')) },
  { name: 'the fields of spec at the margin', breakText: (text) => text.replace(/(?<=^spec:\n)(?: {2}.*\n)+/m, (block) => block.replace(/^ {2}/gm, '')) },
  { name: 'everything at the margin', breakText: (text) => text.replace(/^ +/gm, '') },
  { name: 'the first line alone at the margin', breakText: (text) => text.replace(/\n(?=.)/g, '\n  ') },
  { name: 'one line a column off', breakText: onLine(/^ {2}\S/, (line) => ` ${line}`) },
  { name: 'a field of a rule at the column of its dash', breakText: onLine(/^\s+ports:/, (line) => line.replace(/^ {2}/, '')) },
  { name: 'the labels of a selector at its own column', breakText: onLine(/^\s+matchLabels:/, (line) => line.replace(/^ {2}/, '')) },
  { name: 'trailing blanks and a dash', breakText: (text) => text.replace(/$/gm, '  ').replace('- Ingress', '\u2014 Ingress') },
  { name: 'line ends of Windows and a dash', breakText: (text) => text.replace('- Ingress', '\u2014 Ingress').replace(/\n/g, '\r\n') },
];

export function onLine(pattern: RegExp, change: (line: string) => string): Breaker['breakText'] {
  return (text, at) => {
    const lines = text.split('\n');
    const fitting = lines.flatMap((line, index) => (pattern.test(line) ? [index] : []));
    if (fitting.length === 0) return text;
    const index = fitting[at % fitting.length]!;
    return lines.map((line, other) => (other === index ? change(line) : line)).join('\n');
  };
}
