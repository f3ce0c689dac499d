// Two sets that are compared: paths, snapshots, or the word `cluster`, each with what belongs to both.
import { UsageError } from '../terminal/failures.ts';
import type { InputOptions } from './input-options.ts';
import { listInputs } from './list-inputs.ts';
import { hasBase, openBase, openCluster } from './open-base.ts';
import { joinFiles, openFiles, type OpenedFiles } from './open-files.ts';

/** Stands for the cluster of the current context, or of `--context`; a folder of this name is `./cluster`. */
const CLUSTER_WORD = 'cluster';

export interface OpenedSides {
  readonly before: OpenedFiles;
  readonly after: OpenedFiles;
}

/**
 * `old` undefined: nothing but what belongs to both, the files of `-f` and the cluster of `--cluster` or `--snapshot`, of
 * which both sides see one and the same state.
 */
export async function openSides(old: string | undefined, now: string, options: InputOptions): Promise<OpenedSides> {
  const namesCluster = old === CLUSTER_WORD || now === CLUSTER_WORD;
  if (namesCluster && hasBase(options)) throw new UsageError(`\`${CLUSTER_WORD}\` is one of the two, and the cluster of --cluster or --snapshot belongs to both`, 'leave the option out');
  const live = namesCluster ? await openCluster(options) : undefined;
  const base = namesCluster ? undefined : await openBase(options);
  const openSide = (word: string | undefined): OpenedFiles => {
    const isCluster = word === CLUSTER_WORD;
    const files = openFiles(listInputs([...(word === undefined || isCluster ? [] : [word]), ...(options.file ?? [])]));
    const found = isCluster ? live : base;
    return found === undefined ? files : joinFiles(files, found);
  };
  return { before: openSide(old), after: openSide(now) };
}
