// Waits until every node says that the policies of a release are in force and those that went are not; where no agent can, for what the engine that is there says.
import type { ClusterApi, ObjectPlace, StoredObject } from '../../kube/cluster-api.ts';
import { REAL_PACING } from '../../kube/retry.ts';
import type { CniSign } from '../../release/cni-signs.ts';
import { placeLabel } from '../../release/release-object.ts';
import { rolloutOf, type PolicyRollout, type RolloutObjects } from '../../status/rollout.ts';
import { watchRollout } from '../../status/watch-rollout.ts';

export interface Awaited {
  /** `unknown`: no node, or not every node, has an agent that could say so; all that have one do. */
  readonly standing: 'in-force' | 'not-in-time' | 'unknown';
  /** A sentence without a final stop. */
  readonly message: string;
}

export interface AwaitOptions {
  /** Policies that are enforced, and were written. */
  readonly written: readonly ObjectPlace[];
  /** That were taken away. */
  readonly gone: readonly StoredObject[];
  readonly seconds: number;
  /** What other engines say of it now. */
  readonly signs: () => Promise<readonly CniSign[]>;
  readonly signal: AbortSignal;
}

export async function awaitEnforcement(api: ClusterApi, { written, gone, seconds, signal, signs }: AwaitOptions): Promise<Awaited> {
  const labels = new Set(written.map(placeLabel));
  const uids = new Set(gone.map(({ metadata }) => metadata.uid));
  let last: Awaited = { standing: 'not-in-time', message: 'the cluster has not told what is in force where within the time' };
  const bound = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)]);
  for await (const objects of watchRollout(api, bound)) {
    last = standingOf(objects, labels, uids);
    if (last.standing === 'unknown') return awaitSigns(last, signs, bound);
    if (last.standing === 'in-force') return last;
  }
  return last;
}

const LOOK_AGAIN_MS = 1000;

/** Signs never make more of it than `unknown`: none of them is about a generation. What one of them denies to the end is not in force. */
async function awaitSigns(known: Awaited, signs: AwaitOptions['signs'], bound: AbortSignal): Promise<Awaited> {
  for (;;) {
    const found = await signs();
    const message = [known.message, ...found.map((sign) => sign.message)].join('; ');
    if (found.every(({ standing }) => standing === 'yes')) return { standing: 'unknown', message };
    if (bound.aborted) return { standing: found.some(({ standing }) => standing === 'no') ? 'not-in-time' : 'unknown', message };
    await REAL_PACING.wait(LOOK_AGAIN_MS, bound);
  }
}

function standingOf(objects: RolloutObjects, labels: ReadonlySet<string>, gone: ReadonlySet<unknown>): Awaited {
  const { nodes, policies } = rolloutOf(objects, new Date());
  const own = policies.filter((policy) => labels.has(labelOf(policy)));
  if (own.length < labels.size) return { standing: 'not-in-time', message: 'the API server has not told of all its policies yet' };
  const silent = nodes.filter(({ standing }) => standing === 'no-agent' || standing === 'silent').map(({ node }) => node);
  const late = own.find((policy) => policy.nodes.some(({ node, standing, problem }) => !silent.includes(node) && (standing !== 'in-force' || problem !== undefined)));
  if (late !== undefined) {
    const { node, problem, why } = late.nodes.find((one) => !silent.includes(one.node) && (one.standing !== 'in-force' || one.problem !== undefined))!;
    return { standing: 'not-in-time', message: `${labelOf(late)} is not in force on ${node}${problem === undefined && why === undefined ? '' : `: ${problem ?? why}`}` };
  }
  const still = objects.enforcements.find((object) => !silent.includes(object.metadata.name) && reportedUids(object).some((uid) => gone.has(uid)));
  if (still !== undefined) return { standing: 'not-in-time', message: `a policy that was taken away is still in force on ${still.metadata.name}` };
  if (nodes.length === silent.length) return { standing: 'unknown', message: 'no agent reports from any node: whether it is in force nobody here can know; `bulkhead test` with real connections shows it' };
  if (silent.length > 0) return { standing: 'unknown', message: `in force on ${nodes.length - silent.length} nodes; of ${silent.join(', ')} nobody can know, for no agent reports from there` };
  return { standing: 'in-force', message: `in force on ${nodes.length === 1 ? 'the node' : `all ${nodes.length} nodes`}` };
}

function labelOf({ kind, namespace, name }: PolicyRollout): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

function reportedUids(object: RolloutObjects['enforcements'][number]): readonly unknown[] {
  const { policies = [], morePolicies = [] } = (object['status'] ?? {}) as { readonly policies?: readonly { readonly uid?: unknown }[]; readonly morePolicies?: readonly string[] };
  return [...policies.map(({ uid }) => uid), ...morePolicies.map((line) => line.split(' ')[0])];
}
