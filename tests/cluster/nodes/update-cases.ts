// What happens when something changes: a policy, the labels of a pod or a namespace, a pod that goes and comes back, a namespace that goes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AnswerError, askServer } from '../../../src/kube/kube-request.ts';
import { applyObject, deleteObject } from '../write-object.ts';
import type { FleetPod } from './fleet.ts';
import { holdTruth, type HeldTruth } from './hold-truth.ts';
import { makeNamespace, networkPolicy, PODS, relabel, type World } from './world.ts';

const ALL = {};
const X = { matchLabels: { app: 'x' } };
const Y = { matchLabels: { app: 'y' } };

/** Each change is held against the engine over all pairs, before and after. */
export function declareUpdates(world: () => World, seen: HeldTruth[]): void {
  const hold = async (): Promise<HeldTruth> => {
    const held = await holdTruth(world().cluster, world().fleet);
    seen.push(held);
    return held;
  };
  const expectThat = async (name: string, comesThrough: boolean): Promise<void> => {
    const held = await hold();
    assert.ok(held.tried.has(name), name);
    assert.equal(held.through.has(name), comesThrough, name);
  };

  test('a policy is changed, and changed back, and deleted', async () => {
    const { connection } = world().cluster;
    const letIn = (podSelector: unknown): ReturnType<typeof networkPolicy> => networkPolicy('a/one', { podSelector: ALL, ingress: [{ from: [{ podSelector, namespaceSelector: ALL }] }] });
    await applyObject(connection, letIn(X));
    await expectThat('b/x -> a/y tcp/80', true);
    await applyObject(connection, letIn(Y));
    await expectThat('b/x -> a/y tcp/80', false);
    await applyObject(connection, letIn(X));
    await expectThat('b/x -> a/y tcp/80', true);
    await applyObject(connection, networkPolicy('a/one', { podSelector: Y, policyTypes: ['Ingress'] }));
    await expectThat('b/x -> a/y tcp/80', false);
    await deleteObject(connection, letIn(X));
    await expectThat('b/x -> a/y tcp/80', true);
  });

  test('a pod gets a label, and loses it, as a peer and as who is selected', async () => {
    const { cluster } = world();
    await applyObject(cluster.connection, networkPolicy('a/guests', { podSelector: Y, ingress: [{ from: [{ namespaceSelector: ALL, podSelector: { matchLabels: { guest: 'yes' } } }] }] }));
    await expectThat('b/bare -> a/y tcp/80', false);
    await relabel(cluster, { namespace: 'b', pod: 'bare' }, { guest: 'yes' });
    await expectThat('b/bare -> a/y tcp/80', true);
    await relabel(cluster, { namespace: 'b', pod: 'bare' }, { guest: null });
    await expectThat('b/bare -> a/y tcp/80', false);
    await relabel(cluster, { namespace: 'a', pod: 'bare' }, { app: 'y' });
    await expectThat('c/x -> a/bare tcp/80', false);
    await relabel(cluster, { namespace: 'a', pod: 'bare' }, { app: null });
    await expectThat('c/x -> a/bare tcp/80', true);
  });

  test('the labels of a namespace change', async () => {
    const { cluster } = world();
    await applyObject(cluster.connection, networkPolicy('a/team', { podSelector: ALL, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'blue' } } }] }] }));
    await expectThat('c/x -> a/x tcp/80', false);
    await relabel(cluster, { namespace: 'c' }, { team: 'blue' });
    await expectThat('c/x -> a/x tcp/80', true);
    await relabel(cluster, { namespace: 'c' }, { team: 'red' });
    await expectThat('c/x -> a/x tcp/80', false);
    await relabel(cluster, { namespace: 'c' }, { team: null });
  });

  test('a pod goes and comes back with another address', async () => {
    const { cluster, fleet } = world();
    await applyObject(cluster.connection, networkPolicy('a/from-b', { podSelector: Y, ingress: [{ from: [{ namespaceSelector: Y, podSelector: X }] }] }));
    const pods = PODS.filter(({ namespace, name }) => (namespace === 'a' && name === 'y') || (namespace === 'b' && name === 'x'));
    assert.equal(pods.length, 2);
    await expectThat('b/x -> a/y tcp/80', true);
    await fleet.remove(pods);
    await hold();
    await fleet.deploy(pods);
    await expectThat('b/x -> a/y tcp/80', true);
    await expectThat('c/x -> a/y tcp/80', false);
  });

  test('a namespace comes, is let in, goes, and comes back without its label', async () => {
    const { cluster, fleet } = world();
    const pods: readonly FleetPod[] = [1, 2].map((node) => ({ namespace: 'd', name: `z${node}`, labels: { app: 'x' }, node }));
    await applyObject(cluster.connection, networkPolicy('a/from-d', { podSelector: ALL, ingress: [{ from: [{ namespaceSelector: { matchLabels: { visitor: 'yes' } } }] }] }));
    await makeNamespace(cluster, 'd', { visitor: 'yes' });
    await applyObject(cluster.connection, networkPolicy('d/shut', { podSelector: ALL, policyTypes: ['Ingress'] }));
    await fleet.deploy(pods);
    await expectThat('d/z1 -> a/x tcp/80', true);
    await expectThat('d/z1 -> d/z2 tcp/80', false);
    await removeNamespace(world(), 'd');
    await hold();
    await makeNamespace(cluster, 'd', {});
    await fleet.deploy(pods);
    await expectThat('d/z1 -> a/x tcp/80', false);
    await expectThat('d/z1 -> d/z2 tcp/80', true);
    await removeNamespace(world(), 'd');
  });
}

/** The controllers take its objects away first. */
async function removeNamespace({ cluster: { connection } }: World, name: string): Promise<void> {
  await askServer(connection, { path: `/api/v1/namespaces/${name}`, method: 'DELETE' });
  for (let tries = 0; tries < 600; tries++) {
    try {
      await askServer(connection, { path: `/api/v1/namespaces/${name}` });
    } catch (error) {
      if (error instanceof AnswerError && error.status === 404) return;
      throw error;
    }
    await sleep(100);
  }
  throw new Error(`the namespace ${name} does not go`);
}
