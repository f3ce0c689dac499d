// What trimming takes away is nothing that decides: a cluster reads the same from its snapshot as from its manifests.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasErrors } from '../../src/base/finding.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { readManifests, sourceFromText, type SourceFile } from '../../src/read/read.ts';
import { entriesOfFiles } from '../../src/kube/snapshot-files.ts';
import { snapshotText } from '../../src/kube/snapshot.ts';
import { KEPT_ANNOTATIONS, trimObject } from '../../src/kube/trim-object.ts';
import { checkClusters } from '../clusters/check-property.ts';
import { manifestText } from '../clusters/manifests.ts';
import { cloneRoot, needs, sharedPath } from '../needs.ts';
import { SECRET, secretivePod } from './cluster-cases.ts';
import { EVERY_KIND } from './every-kind.ts';

function snapshotOf(files: readonly SourceFile[]): string {
  return [...snapshotText(entriesOfFiles(files))].join('');
}

function readAll(files: readonly SourceFile[]): Cluster {
  const { cluster, findings } = readManifests(files);
  assert.ok(!hasErrors(findings), JSON.stringify(findings.map(({ code, message }) => `${code} ${message}`)));
  return cluster;
}

/** All of the model but where it was written, and annotations that mean nothing. */
function modelText({ unreadObjects, ...cluster }: Cluster): string {
  const unread = new Set(unreadObjects.map(({ apiVersion, kind, namespace }) => `${apiVersion} ${kind} ${namespace}`));
  return JSON.stringify({ ...cluster, unread: [...unread].sort() }, (key, value: unknown) => {
    if (key === 'origin') return undefined;
    if (typeof value === 'bigint') return `${value}`;
    if (value instanceof Set) return [...value].sort();
    // The terms of a selector hold together, in any order: the keys of a map have none.
    if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'object' && item !== null && 'key' in item)) return value.map((term) => JSON.stringify(term)).sort();
    if (!(value instanceof Map)) return value;
    const entries = [...(value as Map<string, unknown>)].filter(([name]) => key !== 'annotations' || KEPT_ANNOTATIONS.includes(name)).sort();
    return key === 'annotations' && entries.length === 0 ? undefined : entries;
  }, 1);
}

function isKept(files: readonly SourceFile[]): void {
  const text = snapshotOf(files);
  const again = [sourceFromText('snapshot.json', text)];
  assert.equal(modelText(readAll(again)), modelText(readAll(files)));
  assert.equal(snapshotOf(again), text, 'a snapshot of a snapshot');
  assert.equal(snapshotOf([...files].reverse()), text, 'the order of files does not matter');
}

function keeps(name: string, patterns: readonly string[], wants = {}): void {
  test(`keeps ${name}`, wants, () => isKept(globSync(patterns).sort().map((file) => sourceFromText(file, readFileSync(file, 'utf8')))));
}

keeps('online-boutique', [sharedPath('data/online-boutique/**/*.yaml')], needs('shared'));
keeps('sock-shop', [sharedPath('data/sock-shop/**/*.yaml')], needs('shared'));
keeps('kube-prometheus', [sharedPath('data/kube-prometheus/**/*.yaml')], needs('shared'));
keeps('the policies of the shipped example', [join(cloneRoot, 'examples/shop/*.yaml')]);

test('keeps every field of every kind that is read', () => isKept([sourceFromText('every-kind.yaml', EVERY_KIND)]));

test('keeps random clusters', () => checkClusters((raw) => isKept([sourceFromText('random.yaml', manifestText(raw))]), { share: 0.4 }));

test('keeps no secret', () => {
  const text = snapshotOf([sourceFromText('pod.json', JSON.stringify(secretivePod('shop'))), sourceFromText('every-kind.yaml', EVERY_KIND)]);
  assert.ok(!text.includes(SECRET), text);
});

test('keeps whole what a policy says, also what nobody knows', () => {
  const spec = { podSelector: {}, ingress: [{ form: [] }], tomorrow: { a: 1 } };
  assert.deepEqual(trimObject({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' }, { metadata: { name: 'a', namespace: 'b', managedFields: [{}] }, spec, status: {} }), {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'a', namespace: 'b' },
    spec,
  });
});

test('gives nothing for what has no name', () => {
  for (const value of [undefined, null, 'text', [], {}, { metadata: { name: 3 } }]) assert.equal(trimObject({ apiVersion: 'v1', kind: 'Pod' }, value), undefined);
});
