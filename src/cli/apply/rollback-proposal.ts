// What a rollback wants: each object of the revisions that are taken back exactly as it was before the first of them.
import { WordError } from '../../base/word-error.ts';
import type { WantedChange } from '../../release/prepare-objects.ts';
import { placeLabel } from '../../release/release-object.ts';
import { placeOfChange, type KeptRelease } from '../../release/release-record.ts';
import type { Proposal } from './proposal.ts';

/** To the state behind revision `target`, 0 for before the first; without it, the newest revision is taken back. `kept` is old before new. Throws WordError where that is not kept. */
export function rollbackProposal(release: string, kept: readonly KeptRelease[], target?: number): Proposal {
  const last = kept.at(-1);
  const newest = last?.record.revision;
  if (last === undefined || newest === undefined) throw new WordError(`there is no release \`${release}\` in the history`, '`bulkhead history` lists them; --keep-in says where it is kept');
  // A rollback that broke off goes on to where it was going.
  const aim = last.state === 'writing' && last.record.undoes !== undefined ? last.record.undoes - 1 : newest - 1;
  const until = target ?? aim;
  const undone = kept.filter(({ record }) => record.revision > until);
  if (until < 0 || until >= newest || undone.length < newest - until) throw new WordError(`revision ${until} of \`${release}\` cannot be gone back to: kept are ${kept[0]!.record.revision - 1} to ${newest - 1}`);
  const wanted = new Map<string, WantedChange>();
  for (const { record } of undone.toReversed()) {
    for (const change of record.changes) {
      const place = placeOfChange(change);
      wanted.set(placeLabel(place), { place, wanted: change.before ?? undefined });
    }
  }
  const members = kept.find(({ record }) => record.revision === until)?.record.members ?? [];
  return { release, action: 'rollback', wanted: [...wanted.values()], members, left: [], ofFiles: new Map(), lineOf: () => undefined, undoes: until + 1, isRestore: true };
}
