// A real API server for one test file: etcd and kube-apiserver as processes on loopback, gone when the tests are over.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { bringUp, newPlace, runKubectl, takeDown } from './run-script.ts';

export interface ApiServer {
  readonly kubeconfig: string;
  /** Of etcd on loopback, which takes plain http. */
  readonly etcdPort: number;
  /** Ends with its output; throws where kubectl fails. */
  kubectl(words: readonly string[], input?: string): string;
  /** Ends the processes, and nothing else. */
  stop(): void;
  /** After `stop`: the same objects, perhaps at another port. */
  start(): void;
}

export interface ApiServerOptions {
  /** Manifests that are applied as soon as it answers. */
  readonly crdFiles?: readonly string[];
  readonly extraArgs?: string;
  /** The program; that of build.sh when missing. */
  readonly etcd?: string;
}

/** Takes 4 seconds; `npm run test:cluster` has built the binaries. It is stopped after the last test of the file. */
export function startApiServer({ crdFiles = [], extraArgs = '', etcd }: ApiServerOptions = {}): ApiServer {
  const place = newPlace();
  after(() => takeDown(place, ['--purge']));
  bringUp(place, { NODES: '0', API_PORT: '0', ETCD_PORT: '0', ETCD_PEER_PORT: '0', CRD_FILES: crdFiles.join(' '), API_EXTRA_ARGS: extraArgs, ...(etcd === undefined ? {} : { ETCD: etcd }) });
  const etcdPort = Number(/ETCD_PORT=([0-9]+)/.exec(readFileSync(join(place.state, 'settings'), 'utf8'))![1]);
  return { kubeconfig: place.kubeconfig, etcdPort, kubectl: (words, input) => runKubectl(place, words, input), stop: () => takeDown(place, []), start: () => bringUp(place, {}) };
}
