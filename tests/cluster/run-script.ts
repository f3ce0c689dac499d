// Runs the scripts of this folder and the programs that they build, for one cluster of its own name.
import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cloneRoot } from '../needs.ts';

export interface ClusterPlace {
  readonly name: string;
  /** Certificates, logs, kubeconfigs, the nodes' files. */
  readonly state: string;
  readonly kubeconfig: string;
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A server that does not come up, and a command that hangs, must fail their test. */
const COMMAND_TIMEOUT_MS = 120_000;

let started = 0;

/** The names begin alike for one run, so that whoever started the run can sweep behind it. */
export function newPlace(): ClusterPlace {
  const name = `${process.env['BULKHEAD_CLUSTER_RUN'] ?? 'bh'}-${process.pid}-${started++}`;
  const state = join(clusterRoot(), 'state', name);
  return { name, state, kubeconfig: join(state, 'kubeconfig', 'admin-host.conf') };
}

/** Where the binaries and states are (`KUBE_ROOT` of lib.sh). */
export function clusterRoot(): string {
  return process.env['KUBE_ROOT'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bulkhead-cluster');
}

/** `settings` are those of lib.sh. Throws with what the script said where it fails. */
export function bringUp({ name }: ClusterPlace, settings: Readonly<Record<string, string>>): void {
  const { status, stderr } = run(join(cloneRoot, 'tests/cluster/up.sh'), [], { env: { ...process.env, LAB_NAME: name, ...settings } });
  if (status !== 0) throw new Error(`up.sh ended with ${status}:\n${stderr}`);
}

export function takeDown({ name }: ClusterPlace, words: readonly string[]): void {
  run(join(cloneRoot, 'tests/cluster/down.sh'), words, { env: { ...process.env, LAB_NAME: name } });
}

/** Ends with its output; throws where kubectl fails. */
export function runKubectl({ kubeconfig }: ClusterPlace, words: readonly string[], input?: string): string {
  const { status, stdout, stderr } = run(builtProgram('kubectl'), ['--kubeconfig', kubeconfig, ...words], input === undefined ? {} : { input });
  if (status !== 0) throw new Error(`kubectl ${words.join(' ')} ended with ${status}:\n${stderr}`);
  return stdout;
}

/** One that build.sh makes. */
export function builtProgram(name: string): string {
  return join(clusterRoot(), 'bin', name);
}

function run(program: string, words: readonly string[], { env, input }: { readonly env?: NodeJS.ProcessEnv; readonly input?: string }): Ran {
  return spawnSync(program, [...words], { encoding: 'utf8', timeout: COMMAND_TIMEOUT_MS, maxBuffer: 1 << 28, ...(env === undefined ? {} : { env }), ...(input === undefined ? {} : { input }) });
}
