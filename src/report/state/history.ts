// The revisions of releases, as a table or as data.
import { placeLabel, placeOfObject } from '../../release/release-object.ts';
import { placeOfChange, type KeptRelease, type RecordedChange, type ReleaseState } from '../../release/release-record.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { alignColumns } from '../text/table.ts';

const STATE_WORDS: Readonly<Record<ReleaseState, string>> = { writing: 'broke off, or is being written', written: 'written', failed: 'did not hold', 'rolled-back': 'taken back', resumed: 'broke off, resumed' };

/** What became of a revision, in a few words. */
export function standingOf(state: ReleaseState): string {
  return STATE_WORDS[state];
}

export function historyText(kept: readonly KeptRelease[], style: Style, now: Date): string {
  if (kept.length === 0) return 'no release is kept here\n';
  const rows = kept.map(({ record, state }) => {
    const { release, revision, at, action, undoes, reason = '', changes } = record;
    const what = action === 'rollback' ? `rollback of ${undoes ?? '?'}` : 'apply';
    const text = standingAt({ record, state }, now);
    const painted = text === STATE_WORDS.written ? text : style.yellow(text);
    return [printable(release), `${revision}`, printable(at.slice(0, 19)), what, countsOf(changes), { text, painted }, printable(reason)];
  });
  return `${alignColumns([['RELEASE', 'REVISION', 'AT', 'WHAT', 'POLICIES', 'STATE', 'REASON'], ...rows]).join('\n')}\n`;
}

function standingAt({ record: { expires }, state }: Pick<KeptRelease, 'record' | 'state'>, now: Date): string {
  if (state !== 'written' || expires === undefined) return STATE_WORDS[state];
  const until = printable(expires.slice(0, 19));
  return Date.parse(expires) > now.getTime() ? `until ${until}` : `overdue since ${until}`;
}

function countsOf(changes: readonly RecordedChange[]): string {
  const count = (is: (change: RecordedChange) => boolean): number => changes.filter(is).length;
  return `+${count(({ before, after }) => before === null && after !== null)} ~${count(({ before, after }) => before !== null && after !== null)} -${count(({ before, after }) => before !== null && after === null)}`;
}

export function historyJson(kept: readonly KeptRelease[]): string {
  const releases = kept.map(({ record: { release, revision, action, at, reason, expires, undoes, changes, members }, state }) => ({
    release,
    revision,
    action,
    at,
    reason,
    expires,
    undoes,
    state,
    changes: changes.map((change) => ({ object: placeLabel(placeOfChange(change)), before: change.before, after: change.after })),
    members: members.map(labelOf),
  }));
  return `${JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'History', releases }, undefined, 2)}\n`;
}

function labelOf(object: Parameters<typeof placeOfObject>[0]): string {
  return placeLabel(placeOfObject(object));
}
