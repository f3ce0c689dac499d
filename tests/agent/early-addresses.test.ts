// A pod of the node has its address when its CNI gave it one; what the API server tells goes before, and nobody else's pod is touched.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { withEarlyAddresses } from '../../src/agent/early-addresses.ts';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import type { GivenAddresses } from '../../src/kernel/given-addresses.ts';
import type { ClusterObject, WatchEvent } from '../../src/kube/cluster-api.ts';

/** A class, for it is told things over time. */
class World {
  readonly #given = new Map<string, string>();
  readonly #listeners = new Set<(uid: string) => void>();
  readonly #events: WatchEvent[] = [];
  #wake: () => void = () => undefined;
  /** `put a/web 10.0.0.1`, and so on. */
  readonly seen: string[] = [];

  constructor() {
    const given: GivenAddresses = {
      of: (uid) => this.#given.get(uid)?.split(',').map((text) => parseIpAddress(text)!),
      watch: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      close: () => undefined,
    };
    void this.#follow(withEarlyAddresses(this.#told(), { node: 'here', given }));
  }

  async tell(...events: readonly WatchEvent[]): Promise<void> {
    this.#events.push(...events);
    this.#wake();
    await turn();
    await turn();
  }

  async give(uid: string, addresses: string | undefined): Promise<void> {
    if (addresses === undefined) this.#given.delete(uid);
    else this.#given.set(uid, addresses);
    for (const listener of this.#listeners) listener(uid);
    await turn();
    await turn();
  }

  /** Since it was asked last. */
  news(): readonly string[] {
    return this.seen.splice(0);
  }

  async *#told(): AsyncGenerator<WatchEvent> {
    for (;;) {
      for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) yield event;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async #follow(events: AsyncIterable<WatchEvent>): Promise<void> {
    for await (const event of events) this.seen.push(textOf(event));
  }
}

function textOf(event: WatchEvent): string {
  if (event.kind !== 'put') return event.kind;
  const { podIP, podIPs = [] } = (event.object['status'] ?? {}) as { readonly podIP?: string; readonly podIPs?: readonly { readonly ip: string }[] };
  assert.equal(podIP, podIPs[0]?.ip);
  return ['put', event.object.metadata.name, ...podIPs.map(({ ip }) => ip)].join(' ');
}

interface PodParts {
  readonly uid?: string;
  readonly node?: string;
  readonly hostNetwork?: boolean;
  readonly status?: Readonly<Record<string, string>>;
  readonly ip?: string;
}

function pod(name: string, { uid = name, node = 'here', hostNetwork, status = { phase: 'Pending' }, ip }: PodParts = {}): ClusterObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'a', name, uid }, spec: { nodeName: node, ...(hostNetwork === undefined ? {} : { hostNetwork }) }, status: { ...status, ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }) } };
}

const put = (object: ClusterObject): WatchEvent => ({ kind: 'put', object });
const remove = (object: ClusterObject): WatchEvent => ({ kind: 'remove', object });

test('told first, or given first: the addresses are there with the second of both', async () => {
  const world = new World();
  await world.tell({ kind: 'restart' }, put(pod('web')), { kind: 'synced' });
  assert.deepEqual(world.news(), ['restart', 'put web', 'synced']);
  await world.give('web', '10.0.0.1,fd00::1');
  assert.deepEqual(world.news(), ['put web 10.0.0.1 fd00::1']);
  await world.give('db', '10.0.0.2');
  assert.deepEqual(world.news(), []);
  await world.tell(put(pod('db')));
  assert.deepEqual(world.news(), ['put db 10.0.0.2']);
});

test('what the API server tells goes before, and stays', async () => {
  const world = new World();
  await world.give('web', '10.0.0.1');
  await world.tell(put(pod('web', { ip: '10.0.0.9' })));
  await world.give('web', '10.0.0.2');
  assert.deepEqual(world.news(), ['put web 10.0.0.9']);
});

test('what is taken away before the API server knew of it is gone', async () => {
  const world = new World();
  await world.tell(put(pod('web')));
  await world.give('web', '10.0.0.1');
  await world.give('web', undefined);
  assert.deepEqual(world.news(), ['put web', 'put web 10.0.0.1', 'put web']);
});

test('pods of other nodes, of the node\'s own network, that have ended, and namesakes get nothing', async () => {
  const world = new World();
  for (const uid of ['far', 'host', 'done', 'old']) await world.give(uid, '10.0.0.1');
  await world.tell(put(pod('far', { node: 'there' })), put(pod('host', { hostNetwork: true })), put(pod('done', { status: { phase: 'Succeeded' } })), put(pod('new', { uid: 'new' })));
  for (const uid of ['far', 'host', 'done', 'old']) await world.give(uid, '10.0.0.2');
  assert.deepEqual(world.news(), ['put far', 'put host', 'put done', 'put new']);
});

test('nothing is told of a pod that is gone, or was not told anew', async () => {
  const world = new World();
  await world.tell(put(pod('web')), remove(pod('web')), put(pod('db')), { kind: 'restart' });
  world.news();
  await world.give('web', '10.0.0.1');
  await world.give('db', '10.0.0.2');
  assert.deepEqual(world.news(), []);
  await world.tell(put(pod('db')), { kind: 'synced' });
  assert.deepEqual(world.news(), ['put db 10.0.0.2', 'synced']);
});

test('what was told of others is not kept', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void; // there since the flag
  let first: WeakRef<ClusterObject> | undefined;
  async function* told(): AsyncGenerator<WatchEvent> {
    for (let index = 0; index < 100; index++) {
      const object: ClusterObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: `web-${index}`, namespace: 'a', uid: `${index}` }, spec: { nodeName: 'there' }, status: { podIP: '10.0.0.1' } };
      first ??= new WeakRef(object);
      await turn();
      yield { kind: 'put', object };
    }
  }
  let count = 0;
  for await (const _ of withEarlyAddresses(told(), { node: 'here', given: { of: () => undefined, watch: () => () => undefined, close: () => undefined } })) {
    if (++count < 100) continue;
    await turn();
    collect();
    assert.equal(first?.deref(), undefined);
  }
  assert.equal(count, 100);
});
