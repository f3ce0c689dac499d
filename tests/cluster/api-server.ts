// A real API server for one test file: etcd and kube-apiserver as processes on loopback, gone when the tests are over.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { cloneRoot } from '../needs.ts';

export interface ApiServer {
  readonly kubeconfig: string;
  /** Of etcd on loopback, which takes plain http. */
  readonly etcdPort: number;
  /** Ends with its output; throws where kubectl fails. */
  kubectl(words: readonly string[], input?: string): string;
  /** Ends the processes, and nothing else. */
  stop(): void;
}

export interface ApiServerOptions {
  /** Manifests that are applied as soon as it answers. */
  readonly crdFiles?: readonly string[];
  readonly extraArgs?: string;
}

/** A server that does not come up, and a command that hangs, must fail their test. */
const COMMAND_TIMEOUT_MS = 120_000;

let started = 0;

/** Takes 4 seconds; `npm run test:cluster` has built the binaries. It is stopped after the last test of the file. */
export function startApiServer({ crdFiles = [], extraArgs = '' }: ApiServerOptions = {}): ApiServer {
  // The names begin alike for one run, so that whoever started the run can sweep behind it.
  const name = `${process.env['BULKHEAD_CLUSTER_RUN'] ?? 'bh'}-${process.pid}-${started++}`;
  const env = { ...process.env, LAB_NAME: name, NODES: '0', API_PORT: '0', ETCD_PORT: '0', ETCD_PEER_PORT: '0', CRD_FILES: crdFiles.join(' '), API_EXTRA_ARGS: extraArgs };
  const state = join(clusterRoot(), 'state', name);
  const down = (words: readonly string[]): void => void run(join(cloneRoot, 'tests/cluster/down.sh'), words, { env });
  after(() => down(['--purge']));
  const up = run(join(cloneRoot, 'tests/cluster/up.sh'), [], { env });
  if (up.status !== 0) throw new Error(`up.sh ended with ${up.status}:\n${up.stderr}`);
  const kubeconfig = join(state, 'kubeconfig', 'admin-host.conf');
  const kubectl = (words: readonly string[], input?: string): string => {
    const { status, stdout, stderr } = run(binary('kubectl'), ['--kubeconfig', kubeconfig, ...words], input === undefined ? {} : { input });
    if (status !== 0) throw new Error(`kubectl ${words.join(' ')} ended with ${status}:\n${stderr}`);
    return stdout;
  };
  const etcdPort = Number(/ETCD_PORT=([0-9]+)/.exec(readFileSync(join(state, 'settings'), 'utf8'))![1]);
  return { kubeconfig, etcdPort, kubectl, stop: () => down([]) };
}

/** Where the binaries and states are (`KUBE_ROOT` of lib.sh). */
export function clusterRoot(): string {
  return process.env['KUBE_ROOT'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bulkhead-cluster');
}

function binary(name: string): string {
  return join(clusterRoot(), 'bin', name);
}

function run(program: string, words: readonly string[], { env, input }: { readonly env?: NodeJS.ProcessEnv; readonly input?: string }): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(program, [...words], { encoding: 'utf8', timeout: COMMAND_TIMEOUT_MS, maxBuffer: 1 << 28, ...(env === undefined ? {} : { env }), ...(input === undefined ? {} : { input }) });
}
