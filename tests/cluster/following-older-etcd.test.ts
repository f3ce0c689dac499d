// Following an API server over etcd 3.4, which cannot begin a stream with what is there: it is listed and then watched.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openConnection } from '../../src/kube/kube-config.ts';
import { askText } from '../../src/kube/kube-request.ts';
import { needs } from '../needs.ts';
import { testFollowing } from './following-cases.ts';

/** Debian's, which install.sh brings. */
const OLDER_ETCD = '/usr/bin/etcd';

const wants = needs('nodes');
const server = testFollowing(wants, { etcd: OLDER_ETCD });

test('such a server refuses a stream that begins with what is there', wants, async () => {
  const path = '/api/v1/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=3&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
  const answer = await askText(await openConnection({ kubeconfig: server!.kubeconfig }), { path }).catch(String);
  assert.match(answer, /RequestWatchProgress is disabled/);
});
