// `bulkhead test --in cluster`: the words of the command line into connections between the real pods of a cluster.
import { randomBytes } from 'node:crypto';
import { parseIpAddress } from '../../base/ip-address.ts';
import { compileCluster } from '../../compile/compile.ts';
import type { InputOptions } from '../../input/input-options.ts';
import { readInputs } from '../../input/input.ts';
import { openKubeApi, type KubeApi } from '../../kube/kube-api.ts';
import type { TestReport } from '../../probe/check-expectations.ts';
import { PROBE_MEANS, type ClusterTestOptions, type OutsideTarget, type ProbeMeans } from '../../probe/cluster-under-test.ts';
import type { PolicyTest } from '../../probe/policy-test.ts';
import { testInCluster } from '../../probe/test-in-cluster.ts';
import { UsageError } from '../../terminal/failures.ts';
import { writeNote } from '../../terminal/output.ts';
import { systemClock } from '../system-clock.ts';

export interface ClusterTestWords extends InputOptions {
  readonly by?: string;
  readonly image?: string;
  readonly outside?: readonly string[];
  readonly pairs: number;
  /** Says nothing of what goes on. */
  readonly isQuiet?: boolean;
}

/** Who is asked, and how; the cluster is read anew for each run. */
export interface ClusterRun {
  /** undefined: what the cluster holds could not be understood, which has been said. */
  run(tests: readonly PolicyTest[], signal: AbortSignal): Promise<TestReport | undefined>;
  open(): Promise<KubeApi>;
}

/** Throws UsageError for words that make no sense. */
export function prepareClusterRun(words: ClusterTestWords): ClusterRun {
  if (words.file !== undefined || words.snapshot !== undefined) throw new UsageError('--in cluster tries what runs, and manifests or a snapshot do not run', 'leave out -f and --snapshot; the cluster is that of the current context, or of --context');
  const settled: Omit<ClusterTestOptions, 'signal'> = {
    means: meansOf(words),
    ...(words.image === undefined ? {} : { image: words.image }),
    outside: (words.outside ?? []).map(outsideTarget),
    pairsMax: words.pairs,
    clock: systemClock,
    secret: (digits) => randomBytes(Math.ceil(digits / 2)).toString('hex').slice(0, digits),
    ...(words.isQuiet === true ? {} : { onNote: (note: string) => void writeNote(`bulkhead: ${note}\n`).catch(() => undefined) }),
  };
  const open = (): Promise<KubeApi> => openKubeApi({ ...(words.context === undefined ? {} : { context: words.context }), ...(words.kubeconfig === undefined ? {} : { kubeconfig: words.kubeconfig }) });
  return {
    open,
    run: async (tests, signal) => {
      const input = await readInputs([], { ...words, cluster: true });
      if (input === undefined) return undefined;
      return testInCluster(await open(), compileCluster(input.cluster), tests, { ...settled, signal });
    },
  };
}

/** What cannot be taken away again is done only when an image says so. */
function meansOf({ by, image }: ClusterTestWords): readonly ProbeMeans[] {
  const words = by === undefined ? PROBE_MEANS.filter((means) => means !== 'ephemeral' || image !== undefined) : by.split(',').map((word) => word.trim());
  const unknown = words.find((word) => !PROBE_MEANS.some((means) => means === word));
  if (unknown !== undefined) throw new UsageError(`\`${unknown}\` is no way to open connections in a cluster`, `write --by with some of ${PROBE_MEANS.join(', ')}, the dearest first`);
  if (words.includes('ephemeral') && image === undefined) throw new UsageError('an ephemeral container needs an image', 'name one that has sh and nc, bash or the like with --image, and note that it stays listed in the pods');
  return words as readonly ProbeMeans[]; // each was found among them
}

function outsideTarget(word: string): OutsideTarget {
  const [, host = '', port = ''] = /^\[?([0-9a-f.:]+?)\]?:([0-9]{1,5})$/i.exec(word) ?? [];
  const address = parseIpAddress(host);
  if (address === undefined || Number(port) < 1 || Number(port) > 65_535) throw new UsageError(`\`${word}\` is no address and port`, 'write --outside 203.0.113.7:443');
  return { address, port: Number(port) };
}
