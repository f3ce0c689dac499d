// Makes clusters of a given size for benchmarks: the same seed gives the same bytes on every machine.
import { pathToFileURL } from 'node:url';

/**
 * `deployments`: five replicas each; `pods`: the same pods one by one, each with its owner; `bare`: every pod with
 * labels of its own and without an owner.
 */
export type ClusterMode = 'deployments' | 'pods' | 'bare';

export interface ClusterSize {
  readonly mode: ClusterMode;
  readonly pods: number;
  /** A fiftieth of the pods where not given. */
  readonly namespaces?: number;
  /** A fifth of the pods where not given. */
  readonly policies?: number;
  readonly seed?: number;
}

type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };
export type Manifest = { readonly [key: string]: Value };

const REPLICAS = 5;
const TIERS = ['web', 'api', 'worker', 'cache', 'db'] as const;
const TEAMS = ['atlas', 'beacon', 'cobalt', 'delta', 'ember', 'fjord', 'grove', 'harbor'] as const;
const STAGES = ['prod', 'prod', 'staging', 'dev'] as const;

/** The manifests as YAML, one document each. */
export function generateYaml(size: ClusterSize): string {
  return generateManifests(size).map((manifest) => `---\n${toYaml(manifest)}`).join('');
}

/** Namespaces first, then workloads, then policies: a default deny for three namespaces in five, the rest by the mix below. */
export function generateManifests(size: ClusterSize): Manifest[] {
  const chance = new Chance(size.seed ?? 1);
  const namespaceCount = Math.max(1, size.namespaces ?? Math.round(size.pods / 50));
  const namespaces = Array.from({ length: namespaceCount }, (_, index) => `ns-${pad(index)}`);
  const apps = generateApps(chance, namespaces, size);
  const policyCount = size.policies ?? Math.round(size.pods / 5);
  return [
    ...namespaces.map((name) => namespaceManifest(chance, name)),
    ...apps.flatMap((app) => appManifests(app, size.mode)),
    ...generatePolicies(chance, { namespaces, apps, count: policyCount }),
  ];
}

interface App {
  readonly namespace: string;
  readonly name: string;
  readonly tier: string;
  readonly port: number;
  readonly replicas: number;
}

function generateApps(chance: Chance, namespaces: readonly string[], { mode, pods }: ClusterSize): App[] {
  const replicas = mode === 'bare' ? 1 : REPLICAS;
  return Array.from({ length: Math.ceil(pods / replicas) }, (_, index) => ({
    namespace: namespaces[index % namespaces.length]!,
    name: `app-${pad(index)}`,
    tier: chance.pick(TIERS),
    port: chance.pick([8080, 8443, 9000, 3000, 5432]),
    replicas: Math.min(replicas, pods - index * replicas),
  }));
}

function namespaceManifest(chance: Chance, name: string): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { team: chance.pick(TEAMS), stage: chance.pick(STAGES) } } };
}

function appManifests(app: App, mode: ClusterMode): Manifest[] {
  const { namespace, name, tier, port, replicas } = app;
  const labels = { app: name, tier };
  const spec = { containers: [{ name: 'main', image: `registry.example/${name}:1.0`, ports: [{ name: 'http', containerPort: port }, { name: 'metrics', containerPort: 9090 }] }] };
  if (mode === 'deployments') {
    const template = { metadata: { labels }, spec };
    return [{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec: { replicas, selector: { matchLabels: { app: name } }, template } }];
  }
  if (mode === 'bare') return [{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels }, spec }];
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid: `uid-${name}`, controller: true };
  return Array.from({ length: replicas }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${name}-${index}`, namespace, labels, ownerReferences: [owner] },
    spec,
  }));
}

/** The mix of peers/static-analysis §6, in percent of what is left after the default denies. */
const MIX: readonly (readonly [share: number, make: (given: Given) => Manifest])[] = [
  [40, ({ app, other }) => policy(app, { ingress: [{ from: [{ podSelector: byApp(other) }], ports: [tcp(app.port)] }] })],
  [16, ({ chance, app }) => policy(app, { ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: chance.pick(TEAMS) } }, podSelector: byTier(chance) }], ports: [tcp(app.port)] }] })],
  [10, ({ chance, app }) => policy(app, { podSelector: { matchExpressions: [{ key: 'tier', operator: 'In', values: chance.pickTwo(TIERS) }] }, ingress: [{ from: [{ podSelector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: chance.pickTwo(TIERS) }, { key: 'app', operator: 'Exists' }] } }] }] })],
  [9, ({ chance, app }) => policy(app, blockRules(chance, app))],
  [8, ({ chance, app }) => policy(app, { ingress: [{ from: [{ podSelector: byTier(chance) }], ports: [{ protocol: 'TCP', port: 'http' }] }] })],
  [8, ({ app, other }) => policy(app, { policyTypes: ['Egress'], egress: [{ to: [{ podSelector: byApp(other) }], ports: [tcp(other.port)] }] })],
  [5, ({ app }) => policy(app, { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } }, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }], ports: [{ protocol: 'UDP', port: 53 }, { protocol: 'TCP', port: 53 }] }] })],
  [4, ({ app, other }) => policy(app, { ingress: [{ from: [{ podSelector: byApp(other) }], ports: [{ protocol: 'TCP', port: 8000, endPort: 8999 }] }] })],
];

interface Given {
  readonly chance: Chance;
  readonly app: App;
  /** Another app of the same namespace, where there is one. */
  readonly other: App;
}

function generatePolicies(chance: Chance, { namespaces, apps, count }: { namespaces: readonly string[]; apps: readonly App[]; count: number }): Manifest[] {
  const byNamespace = new Map<string, App[]>();
  for (const app of apps) {
    const list = byNamespace.get(app.namespace);
    if (list === undefined) byNamespace.set(app.namespace, [app]);
    else list.push(app);
  }
  const denied = namespaces.filter((_, index) => index % 5 < 3).slice(0, count);
  const denies = denied.map((namespace, index) => defaultDeny(namespace, index % 2 === 0));
  const others = Array.from({ length: count - denies.length }, (_, index) => {
    const app = chance.pick(apps);
    const given: Given = { chance, app, other: chance.pick(byNamespace.get(app.namespace)!) };
    return named(chance.pickWeighted(MIX)(given), `policy-${pad(index)}`);
  });
  return [...denies, ...others];
}

function defaultDeny(namespace: string, isBothWays: boolean): Manifest {
  const policyTypes = isBothWays ? ['Ingress', 'Egress'] : ['Ingress'];
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'default-deny', namespace }, spec: { podSelector: {}, policyTypes } };
}

function policy(app: App, spec: Manifest): Manifest {
  const types = { policyTypes: ['Ingress'] };
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: '', namespace: app.namespace }, spec: { podSelector: byApp(app), ...types, ...spec } };
}

function named(manifest: Manifest, name: string): Manifest {
  const metadata = manifest['metadata'] as Manifest; // `policy` has just made it
  return { ...manifest, metadata: { ...metadata, name } };
}

function blockRules(chance: Chance, app: App): Manifest {
  const net = chance.below(200);
  const block = { cidr: `10.${net}.0.0/16`, except: [`10.${net}.${chance.below(256)}.0/24`, `10.${net}.${chance.below(128)}.0/25`] };
  const ports = [tcp(app.port)];
  return chance.below(2) === 0
    ? { ingress: [{ from: [{ ipBlock: block }], ports }] }
    : { policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: block }], ports: [tcp(443)] }] };
}

function byApp(app: App): Manifest {
  return { matchLabels: { app: app.name } };
}

function byTier(chance: Chance): Manifest {
  return { matchLabels: { tier: chance.pick(TIERS) } };
}

function tcp(port: number): Manifest {
  return { protocol: 'TCP', port };
}

function pad(index: number): string {
  return String(index).padStart(4, '0');
}

/** The generator of Marsaglia's xorshift family with 32 bits; chance enough for a mix, and the same everywhere. */
export class Chance {
  private state: number;

  constructor(seed: number) {
    this.state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
    for (let turn = 0; turn < 16; turn++) this.next();
  }

  /** A whole number from 0 to `end` − 1. */
  below(end: number): number {
    return Math.floor((this.next() / 4294967296) * end);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  pickTwo<Item>(items: readonly Item[]): Item[] {
    const first = this.below(items.length);
    const second = (first + 1 + this.below(items.length - 1)) % items.length;
    return [items[first]!, items[second]!];
  }

  pickWeighted<Item>(items: readonly (readonly [weight: number, item: Item])[]): Item {
    let at = this.below(items.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, item] of items) {
      if (at < weight) return item;
      at -= weight;
    }
    throw new Error('the weights are whole numbers');
  }

  private next(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>>= 0);
  }
}

/** Block style as people write it; texts here need no quotes but for addresses and versions, which are strings anyway. */
export function toYaml(value: Value, indent = ''): string {
  if (Array.isArray(value)) {
    const items = value as readonly Value[];
    return items.map((item) => `${indent}- ${toYaml(item, `${indent}  `).trimStart()}${isScalar(item) ? '\n' : ''}`).join('');
  }
  if (typeof value !== 'object') return String(value);
  return Object.entries(value as Manifest)
    .map(([key, field]) => {
      if (isScalar(field)) return `${indent}${key}: ${String(field)}\n`;
      if (isEmpty(field)) return `${indent}${key}: {}\n`;
      return `${indent}${key}:\n${toYaml(field, Array.isArray(field) ? indent : `${indent}  `)}`;
    })
    .join('');
}

function isScalar(value: Value): boolean {
  return typeof value !== 'object';
}

function isEmpty(value: Value): boolean {
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** `bin/node bench/generate-cluster.ts bare 1000 [seed]` writes a cluster to standard output. */
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [mode = 'deployments', pods = '1000', seed = '1'] = process.argv.slice(2);
  if (mode !== 'deployments' && mode !== 'pods' && mode !== 'bare') throw new Error(`unknown mode ${mode}`);
  process.stdout.write(generateYaml({ mode, pods: Number(pods), seed: Number(seed) }));
}
