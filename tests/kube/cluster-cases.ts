// What every cluster does, the fake as well as a real one: the cases of the contract `ClusterApi`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterApi, ClusterObject, ServedKind, WantedObject, WatchOptions } from '../../src/kube/cluster-api.ts';
import { ClusterError, type ClusterErrorCode } from '../../src/kube/cluster-error.ts';
import { readCluster } from '../../src/kube/kube.ts';
import type { TestNeeds } from '../needs.ts';
import { keepWatch, type WatchKeeper } from './keep-watch.ts';

/** A cluster that a test may write to. Each case makes a namespace of its own, so that they may share one. */
export interface ClusterWorld {
  readonly api: ClusterApi;
  /** Rejects with ClusterError. */
  apply(object: WantedObject): Promise<void>;
  remove(object: WantedObject): Promise<void>;
  /** The cluster as a user sees it who may list everything but these resources. */
  restricted(resources: readonly string[]): Promise<ClusterApi>;
}

export function clusterCases(open: () => Promise<ClusterWorld>, wants: TestNeeds = {}): void {
  const holds = (name: string, check: (world: ClusterWorld, namespace: string) => Promise<void>): void => {
    test(name, wants, async () => {
      const world = await open();
      const namespace = freshNamespace();
      await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
      await check(world, namespace);
    });
  };

  holds('a new cluster has its namespaces, each with its name as a label', async ({ api }) => {
    const found = await listAll(api, 'Namespace');
    for (const name of ['default', 'kube-system']) {
      assert.deepEqual(found.filter(({ metadata }) => metadata.name === name).map(({ metadata }) => metadata['labels']), [{ 'kubernetes.io/metadata.name': name }]);
    }
  });

  holds('what is applied is listed, without what is not read', async ({ api, apply }, namespace) => {
    await apply(secretivePod(namespace));
    const [pod, ...more] = await listAll(api, 'Pod', namespace);
    assert.deepEqual(pod, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace, labels: { app: 'web' } },
      spec: { containers: [{ ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }] }] },
      ...(pod?.['status'] === undefined ? {} : { status: { phase: 'Pending' } }),
    });
    assert.deepEqual(more, []);
  });

  holds('what is applied again takes the place of what was there', async ({ api, apply }, namespace) => {
    await apply(policy(namespace, { podSelector: {} }));
    await apply(policy(namespace, { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Egress'] }));
    const found = await listAll(api, 'NetworkPolicy', namespace);
    assert.deepEqual(found.map((object) => object['spec']), [{ podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Egress'] }]);
  });

  holds('what is deleted is gone, and cannot be deleted again', async ({ api, apply, remove }, namespace) => {
    const object = policy(namespace, { podSelector: {}, policyTypes: ['Ingress'] });
    await apply(object);
    await remove(object);
    assert.deepEqual(await listAll(api, 'NetworkPolicy', namespace), []);
    await refuses('not-found', () => remove(object));
  });

  holds('a list of one namespace holds nothing of another', async ({ api, apply }, namespace) => {
    const other = `${namespace}-b`;
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: other } });
    await apply(policy(namespace, { podSelector: {}, policyTypes: ['Ingress'] }));
    await apply(policy(other, { podSelector: {}, policyTypes: ['Ingress'] }));
    assert.deepEqual((await listAll(api, 'NetworkPolicy', namespace)).map(({ metadata }) => metadata.namespace), [namespace]);
    assert.deepEqual((await listAll(api, 'Namespace', namespace)).map(({ metadata }) => metadata.name), [namespace]);
    await refuses('not-found', () => listAll(api, 'Namespace', `${namespace}-missing`));
  });

  holds('refused are what no server takes', async ({ apply }, namespace) => {
    await refuses('not-found', () => apply({ apiVersion: 'nobody.example/v1', kind: 'Thing', metadata: { name: 'a', namespace } }));
    await refuses('not-found', () => apply(policy(`${namespace}-missing`, { podSelector: {}, policyTypes: ['Ingress'] })));
    await refuses('invalid', () => apply(policy(namespace, { podSelector: {}, policyTypes: ['ingress'] })));
    await refuses('invalid', () => apply(policy(namespace, { podSelector: {}, ingress: [{ form: [] }] })));
    await refuses('invalid', () => apply(policy(namespace, { podSelector: {}, policyTypes: ['Ingress'] }, 'No_Name')));
  });

  holds('more than a page comes whole, each object once', async ({ api, apply }, namespace) => {
    const names = Array.from({ length: 510 }, (_, index) => `p${String(index).padStart(4, '0')}`);
    for (const name of names) await apply(policy(namespace, { podSelector: {}, policyTypes: ['Ingress'] }, name));
    assert.deepEqual((await listAll(api, 'NetworkPolicy', namespace)).map(({ metadata }) => metadata.name), names);
  });

  holds('a watch tells what is there, then each change', async ({ api, apply, remove }, namespace) => {
    await apply(policy(namespace, { podSelector: {}, policyTypes: ['Ingress'] }, 'a'));
    await withWatch(api, 'NetworkPolicy', { namespace }, async (watch) => {
      await watch.until(({ syncs }) => syncs === 1);
      assert.deepEqual(watch.names, ['a']);
      const first = watch.objects.get('a')!;
      assert.equal(first.metadata['generation'], 1);
      assert.ok(/./.test(`${first.metadata['uid']}`) && /./.test(`${first.metadata['resourceVersion']}`));
      await apply(policy(namespace, { podSelector: {}, policyTypes: ['Ingress'] }, 'b'));
      await watch.until(({ names }) => names.length === 2);
      await apply(policy(namespace, { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'] }, 'a'));
      await watch.until(({ objects }) => objects.get('a')!.metadata['generation'] === 2);
      assert.deepEqual(watch.objects.get('a')!['spec'], { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'] });
      assert.equal(watch.objects.get('a')!.metadata['uid'], first.metadata['uid']);
      await remove(policy(namespace, {}, 'b'));
      await watch.until(({ names }) => names.length === 1);
      assert.equal(watch.syncs, 1);
    });
  });

  holds('a watch of selected objects tells of an object that is selected no longer as gone', async ({ api, apply }, namespace) => {
    const labelled = (name: string, labels: Readonly<Record<string, string>>): WantedObject => ({ ...policy(namespace, { podSelector: {}, policyTypes: ['Ingress'] }, name), metadata: { name, namespace, labels } });
    await apply(labelled('a', { tier: 'web' }));
    await apply(labelled('b', { tier: 'db' }));
    await withWatch(api, 'NetworkPolicy', { namespace, labelSelector: 'tier=web' }, async (watch) => {
      await watch.until(({ syncs }) => syncs === 1);
      assert.deepEqual(watch.names, ['a']);
      await apply(labelled('b', { tier: 'web' }));
      await apply(labelled('a', { tier: 'db' }));
      await watch.until(({ names }) => names.join() === 'b');
    });
    await withWatch(api, 'NetworkPolicy', { namespace, fieldSelector: 'metadata.name=a' }, async (watch) => {
      await watch.until(({ syncs }) => syncs === 1);
      assert.deepEqual(watch.names, ['a']);
    });
  });

  holds('a watch of one namespace, and of the Namespace itself, sees nothing of another', async ({ api, apply }, namespace) => {
    await withWatch(api, 'Namespace', { namespace }, async (watch) => {
      await watch.until(({ syncs }) => syncs === 1);
      await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: `${namespace}-c` } });
      await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { team: 'a' } } });
      await watch.until(({ objects }) => (objects.get(namespace)!.metadata['labels'] as Readonly<Record<string, string>>)['team'] === 'a');
      assert.deepEqual(watch.names, [namespace]);
    });
  });

  holds('a kind that is not served has no objects', async ({ api }) => {
    const kind = { apiVersion: 'nobody.example/v1', kind: 'Thing', resource: 'things', isNamespaced: true };
    await withWatch(api, kind, {}, async (watch) => {
      await watch.until(({ syncs }) => syncs === 1);
      assert.deepEqual([watch.names, watch.troubles], [[], []]);
    });
  });

  holds('what is created can be got whole, and not be created again', async ({ api }, namespace) => {
    const served = await servedKind(api, 'Pod');
    const place = { served, namespace, name: 'web' };
    await refuses('not-found', () => api.get(place));
    const created = await api.create(served, secretivePod(namespace));
    assert.equal(created.metadata.name, 'web');
    const { spec, metadata } = await api.get(place);
    assert.equal(metadata.uid, created.metadata.uid);
    assert.deepEqual((spec as { readonly containers: readonly { readonly args: unknown }[] }).containers[0]!.args, [SECRET]);
    await refuses('conflict', () => api.create(served, secretivePod(namespace)));
    await api.delete(place);
  });

  holds('fields that were applied and are not any more go, those of others stay', async ({ api }, namespace) => {
    const served = await servedKind(api, 'NetworkPolicy');
    const spec = { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'] };
    const labelled = (labels: Readonly<Record<string, string>>, rest = {}): WantedObject => ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'web', namespace, labels }, ...rest });
    await api.apply(served, labelled({ a: '1', b: '1' }, { spec }), { fieldManager: 'one' });
    await api.apply(served, labelled({ c: '1' }), { fieldManager: 'two' });
    const { metadata, spec: after } = await api.apply(served, labelled({ b: '2' }, { spec }), { fieldManager: 'one' });
    assert.deepEqual(metadata['labels'], { b: '2', c: '1' });
    assert.deepEqual(after, spec);
  });

  holds('a dry run answers as the write would, and changes nothing', async ({ api }, namespace) => {
    const served: ServedKind = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', resource: 'networkpolicies', isNamespaced: true };
    const wanted = policy(namespace, { podSelector: {}, policyTypes: ['Ingress'] });
    const place = { served, namespace, name: wanted.metadata.name };
    const asked = await api.apply(served, wanted, { fieldManager: 'one', dryRun: true });
    assert.deepEqual(asked['spec'], wanted['spec']);
    await refuses('not-found', () => api.get(place));
    await refuses('invalid', () => api.apply(served, policy(namespace, { podSelector: {}, policyTypes: ['ingress'] }), { fieldManager: 'one', dryRun: true }));
    await api.apply(served, wanted, { fieldManager: 'one' });
    await api.delete(place, { dryRun: true });
    await refuses('conflict', () => api.create(served, wanted, { dryRun: true }));
    assert.deepEqual((await api.get(place))['spec'], wanted['spec']);
  });

  holds('who applies without force is told whose field it is, and who names a state whether it is gone', async ({ api }, namespace) => {
    const served: ServedKind = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', resource: 'networkpolicies', isNamespaced: true };
    const wanted = policy(namespace, { podSelector: {}, policyTypes: ['Ingress'] });
    const other = policy(namespace, { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'] });
    const { metadata } = await api.apply(served, wanted, { fieldManager: 'one' });
    await assert.rejects(api.apply(served, other, { fieldManager: 'two', force: false }), (error) => error instanceof ClusterError && error.code === 'conflict' && /conflict with "one".*\.spec\.podSelector/s.test(error.message));
    const dated = { ...other, metadata: { ...other.metadata, resourceVersion: metadata.resourceVersion! } };
    await api.apply(served, dated, { fieldManager: 'two' });
    await refuses('conflict', () => api.apply(served, dated, { fieldManager: 'two' }));
    const place = { served, namespace, name: wanted.metadata.name };
    await refuses('conflict', () => api.delete(place, { resourceVersion: metadata.resourceVersion }));
    await api.delete(place, { resourceVersion: (await api.get(place)).metadata.resourceVersion });
  });

  holds('a list can be of selected objects', async ({ api, apply }, namespace) => {
    const served: ServedKind = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', resource: 'networkpolicies', isNamespaced: true };
    for (const name of ['a', 'b']) await apply({ ...policy(namespace, { podSelector: {}, policyTypes: ['Ingress'] }, name), metadata: { name, namespace, labels: { which: name } } });
    const found: string[] = [];
    for await (const event of api.list(served, { namespace, labelSelector: 'which=b' })) if (event.kind === 'object') found.push(event.object.metadata.name);
    assert.deepEqual(found, ['b']);
  });

  holds('an object is replaced whole, unless somebody was there before', async ({ api }, namespace) => {
    const served = await servedKind(api, 'NetworkPolicy');
    const made = await api.create(served, { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'web', namespace, labels: { a: '1' } }, spec: { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'], ingress: [{}] } });
    const { name, resourceVersion } = made.metadata;
    const wanted: WantedObject = { ...made, metadata: { name: name!, namespace, resourceVersion }, spec: { podSelector: {}, policyTypes: ['Egress'] } };
    const replaced = await api.replace(served, wanted);
    assert.deepEqual([replaced['spec'], replaced.metadata['labels'], replaced.metadata.uid], [wanted['spec'], undefined, made.metadata.uid]);
    await refuses('conflict', () => api.replace(served, wanted));
    await api.delete({ served, namespace, name: 'web' });
  });

  holds('a status is merged, and a writer of the rest does not touch it', async ({ api }, namespace) => {
    const served = await servedKind(api, 'Pod');
    const place = { served, namespace, name: 'web' };
    await api.create(served, { ...secretivePod(namespace), status: { podIP: '10.9.9.9' } });
    await api.patchStatus(place, { phase: 'Running', podIP: '10.1.2.3', podIPs: [{ ip: '10.1.2.3' }], message: 'a' });
    const { status } = await api.patchStatus(place, { message: null, reason: 'b' });
    const { phase, podIP, message, reason } = status as Readonly<Record<string, unknown>>;
    assert.deepEqual({ phase, podIP, message, reason }, { phase: 'Running', podIP: '10.1.2.3', message: undefined, reason: 'b' });
    const { resourceVersion } = (await api.get(place)).metadata;
    await api.patchStatus(place, { reason: 'c' }, { resourceVersion: resourceVersion! });
    await refuses('conflict', () => api.patchStatus(place, { reason: 'd' }, { resourceVersion: resourceVersion! }));
    assert.equal(((await api.get(place))['status'] as Readonly<Record<string, unknown>>)['reason'], 'c');
    await api.delete(place);
    await refuses('not-found', () => api.patchStatus(place, { reason: 'c' }));
    await refuses('not-found', () => api.delete(place));
  });

  holds('what may not be listed is one failure that says how to grant it', async ({ restricted }) => {
    const api = await restricted(['nodes', 'networkpolicies.networking.k8s.io']);
    await assert.rejects(readCluster(api), (error) => {
      assert.ok(error instanceof ClusterError && error.code === 'forbidden');
      assert.match(error.message, /may not list networkpolicies\.networking\.k8s\.io, nodes in the cluster/);
      assert.match(error.message, /kubectl create clusterrole bulkhead-read --verb=get,list --resource=networkpolicies\.networking\.k8s\.io,nodes && kubectl create clusterrolebinding .* --user=/);
      return true;
    });
    const read = await readCluster(api, { lenient: true });
    assert.deepEqual(read.refused.map(({ resource }) => resource), ['networkpolicies', 'nodes']);
    assert.ok(read.entries.some(({ kind }) => kind === 'Namespace'));
  });

  holds('who calls pods may be withheld without a failure', async ({ api, restricted }) => {
    assert.deepEqual((await readCluster(api, { withCallers: true })).unheard, []);
    const isWebhook = ({ kind }: { readonly kind: string }): boolean => kind === 'ValidatingWebhookConfiguration';
    const withheld = await readCluster(await restricted(['validatingwebhookconfigurations.admissionregistration.k8s.io']), { withCallers: true });
    assert.equal(withheld.unheard.some(isWebhook), (await api.discover()).callers.some(isWebhook));
    assert.deepEqual(withheld.refused, []);
  });

  holds('one namespace is read without the rest of the cluster', async ({ api, apply }, namespace) => {
    await apply(secretivePod(namespace));
    const { entries } = await readCluster(api, { namespace });
    const named = entries.filter((entry) => entry.namespace !== '' || entry.kind === 'Namespace');
    assert.deepEqual(named.map(({ kind, name }) => `${kind} ${name}`), [`Namespace ${namespace}`, 'Pod web']);
  });
}

let namespaces = 0;

function freshNamespace(): string {
  return `case-${process.pid}-${namespaces++}`;
}

export async function listAll(api: ClusterApi, kind: string, namespace?: string): Promise<readonly ClusterObject[]> {
  let objects: ClusterObject[] = [];
  for await (const event of api.list(await servedKind(api, kind), namespace === undefined ? {} : { namespace })) {
    if (event.kind === 'restart') objects = [];
    else objects.push(event.object);
  }
  return objects;
}

async function withWatch(api: ClusterApi, kind: string | ServedKind, options: Omit<WatchOptions, 'signal'>, check: (watch: WatchKeeper) => Promise<void>): Promise<void> {
  const watch = keepWatch(api, typeof kind === 'string' ? await servedKind(api, kind) : kind, options);
  try {
    await check(watch);
  } finally {
    await watch.stop();
  }
}

export async function servedKind(api: ClusterApi, kind: string): Promise<ServedKind> {
  const found = (await api.discover()).kinds.find((served) => served.kind === kind);
  assert.ok(found !== undefined, `${kind} is served`);
  return found;
}

export async function refuses(code: ClusterErrorCode, act: () => Promise<unknown>): Promise<void> {
  await assert.rejects(act, (error) => {
    assert.ok(error instanceof ClusterError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });
}

export function policy(namespace: string, spec: object, name = 'web'): WantedObject {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec };
}

/** A word that no list and no snapshot may hold. */
export const SECRET = 'hunter2';

export function secretivePod(namespace: string): WantedObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace, labels: { app: 'web' }, annotations: { 'example.com/password': SECRET } },
    spec: {
      containers: [{ name: 'web', image: `example/web:${SECRET}`, args: [SECRET], env: [{ name: 'PASSWORD', value: SECRET }], ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }] }],
      initContainers: [{ name: 'init', image: 'example/init', command: ['sh', '-c', SECRET] }],
    },
  };
}
