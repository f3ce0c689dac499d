// Tests between the real pods of the cluster that a release was written into.
import type { LiveOptions } from './live-cluster.ts';
import type { TestLive } from './carry-release.ts';

/** Pairs of pods that stand for all that policies treat alike. */
const PAIRS = 3;

/** By what `bulkhead test --in cluster` uses when nothing else is said; loaded when it is needed. */
export function liveTests({ context, kubeconfig, lenient }: LiveOptions): TestLive {
  return async (tests, signal) => {
    const { prepareClusterRun } = await import('../test/test-cluster.ts');
    return prepareClusterRun({ ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }), ...(lenient === undefined ? {} : { lenient }), pairs: PAIRS }).run(tests, signal);
  };
}
