// What testing in a running cluster takes, and by which means its connections are opened; the answer is a `TestReport` like any other.
import type { Clock } from '../base/clock.ts';
import type { IpAddress } from '../base/ip-address.ts';
import type { Program } from '../compile/program.ts';
import type { ClusterApi } from '../kube/cluster-api.ts';
import type { PodHands } from '../kube/pod-hands.ts';
import type { TestReport } from './check-expectations.ts';
import type { PolicyTest } from './policy-test.ts';

/**
 * `agent`: the prober of the pod's node opens it inside the pod's network namespace, and listens on the target where
 * nobody does. `ephemeral`: a container that is added to the pod, which nobody can take out again. `exec`: a program that
 * a container of the pod has.
 */
export const PROBE_MEANS = ['agent', 'ephemeral', 'exec'] as const;
export type ProbeMeans = (typeof PROBE_MEANS)[number];

export interface ClusterTestOptions {
  /** In order of preference: what one cannot try the next one does. */
  readonly means: readonly ProbeMeans[];
  /** For `ephemeral`: an image with `sh`, and `nc` or `bash`. */
  readonly image?: string;
  /** Addresses outside that may be called, one for each that policies tell apart; no other is, but those that a test names singly. */
  readonly outside?: readonly OutsideTarget[];
  /** Pairs of pods that stand for all that policies treat alike. */
  readonly pairsMax?: number;
  readonly clock: Clock;
  /** So many hexadecimal digits that nobody can guess. */
  readonly secret: (digits: number) => string;
  /** Ends it: what was made is taken away, and ClusterError `unreachable` thrown. */
  readonly signal: AbortSignal;
  /** Told what goes on, in sentences without a final stop. */
  readonly onNote?: (note: string) => void;
}

export interface OutsideTarget {
  readonly address: IpAddress;
  readonly port: number;
}

/**
 * `program` is compiled from what `api` holds now. Rejects with ClusterError where the cluster says no, and `ProbeError`
 * where no means can open a single connection. Nothing is left behind but ephemeral containers, where those are asked for.
 */
export type TestInCluster = (api: ClusterApi & PodHands, program: Program, tests: readonly PolicyTest[], options: ClusterTestOptions) => Promise<TestReport>;

/** No way into the cluster's pods. Commands end with status 3. */
export class ProbeError extends Error {
  readonly code = 'no-way-to-probe';

  constructor(message: string, help: string) {
    super(`${message}\n  help: ${help}`);
    this.name = 'ProbeError';
  }
}
