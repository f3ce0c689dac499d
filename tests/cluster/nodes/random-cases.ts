// Random policies of every kind on a real cluster, held against the engine and the reference over all pairs; a failure gives the seed.
import { test } from 'node:test';
import fc from 'fast-check';
import type { WantedObject } from '../../../src/kube/cluster-api.ts';
import { AnswerError } from '../../../src/kube/kube-request.ts';
import { manifests } from '../../clusters/manifests.ts';
import { randomClusterPolicies } from '../../clusters/random-cluster-policies.ts';
import { randomPolicies } from '../../clusters/random-cluster.ts';
import { applyObject } from '../write-object.ts';
import { holdTruth, type HeldTruth } from './hold-truth.ts';
import { removePolicies, type World } from './world.ts';

/** Sets of policies in each combination. */
const SETS = process.env['BULKHEAD_NIGHTLY'] === '1' ? 100 : 8;

/** One set is changed into the next: what they have in common by name is put in the place of what was there. */
export function declareRandomSets(world: () => World, seen: HeldTruth[]): void {
  test(`${SETS} random sets of policies, one after another`, async () => {
    const seed = Number(process.env['BULKHEAD_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    const sets = fc.sample(fc.record({ policies: randomPolicies, clusterPolicies: randomClusterPolicies }), { numRuns: SETS, seed });
    for (const [index, { policies, clusterPolicies }] of sets.entries()) {
      const objects = manifests({ namespaces: [], workloads: [], nodes: [], podRanges: [], policies, clusterPolicies }) as readonly WantedObject[]; // manifests of policies are such
      if (index % 3 === 0) await removePolicies(world().cluster);
      for (const object of objects) await applyIfTaken(world(), object);
      try {
        seen.push(await holdTruth(world().cluster, world().fleet));
      } catch (error) {
        throw new Error(`seed ${seed}, set ${index}: ${(error as Error).message}\n${JSON.stringify(objects)}`, { cause: error });
      }
    }
  });
}

/** The schemas refuse some of what the readers must be ready for. */
async function applyIfTaken({ cluster }: World, object: WantedObject): Promise<void> {
  try {
    await applyObject(cluster.connection, object);
  } catch (error) {
    if (!(error instanceof AnswerError) || (error.status !== 422 && error.status !== 400)) throw error;
  }
}
