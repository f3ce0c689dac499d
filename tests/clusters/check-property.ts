// Holds a property against random clusters; a failure gives the seed, and the smallest cluster found as manifests.
import fc from 'fast-check';
import { manifestText } from './manifests.ts';
import { randomCluster } from './random-cluster.ts';
import type { RawCluster } from './raw-cluster.ts';

/** Clusters per property in `npm test`, and in the nightly setting. */
const RUNS = 500;
const RUNS_NIGHTLY = 10_000;

export interface PropertyOptions {
  /** A part of the usual number, for what is slow. */
  readonly share?: number;
  /** Always these clusters: for what is to be counted. */
  readonly seed?: number;
}

/** `property` throws where it does not hold. BULKHEAD_SEED runs the clusters of an earlier failure again. */
export function checkClusters(property: (cluster: RawCluster) => void, options: PropertyOptions = {}): void {
  checkWith(fc.constant(undefined), (cluster) => property(cluster), options);
}

/** The same with a second random value beside the cluster. */
export function checkWith<Value>(other: fc.Arbitrary<Value>, property: (cluster: RawCluster, value: Value) => void, options: PropertyOptions = {}): void {
  const runs = process.env['BULKHEAD_NIGHTLY'] === '1' ? RUNS_NIGHTLY : RUNS;
  const seed = options.seed ?? process.env['BULKHEAD_SEED'];
  const result = fc.check(fc.property(randomCluster, other, property), {
    numRuns: Math.ceil(runs * (options.share ?? 1)),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  });
  if (!result.failed) return;
  const [cluster, value] = result.counterexample ?? [];
  const beside = value === undefined ? '' : `\n# with\n${fc.stringify(value)}`;
  const ranges = cluster?.podRanges.length ? `\n# pod ranges ${cluster.podRanges.join(', ')}` : '';
  throw new Error(
    `seed ${result.seed}, path ${result.counterexamplePath}, after ${result.numRuns} clusters and ${result.numShrinks} steps of shrinking${ranges}\n`
      + `${cluster === undefined ? '' : manifestText(cluster)}${beside}\n${String(result.errorInstance)}`,
    { cause: result.errorInstance },
  );
}
