// From a judged release to what is kept of it.
import type { Judgment } from './judge-release.ts';
import type { ObjectChange } from './prepare-objects.ts';
import { authored, NETWORK_POLICY, placeLabel, placeOfObject } from './release-object.ts';
import { keptGaps, placeOfChange, type KeptRelease, type NamedObject, type RecordedChange, type ReleaseRecord } from './release-record.ts';

export interface Intent extends Pick<ReleaseRecord, 'release' | 'action' | 'undoes'> {
  readonly members: readonly NamedObject[];
  readonly expires?: Date | undefined;
}

export interface Recording {
  readonly judgment: Judgment;
  readonly revision: number;
  /** The newest revision, where it did not come to its end. */
  readonly broken: KeptRelease | undefined;
  readonly at: Date;
  readonly reason: string | undefined;
  /** What is amiss behind it. */
  readonly gaps: readonly string[];
}

/** Of what a revision that broke off had changed, what was there before that one is kept. */
export function makeRecord({ release, action, members, undoes, expires }: Intent, { judgment, revision, broken, at, reason, gaps }: Recording): ReleaseRecord {
  const earlier = new Map((broken?.record.changes ?? []).map((change) => [placeLabel(placeOfChange(change)), change]));
  const touched = new Set(judgment.changes.map(({ place }) => placeLabel(place)));
  const helpers = new Set((broken?.record.helpers ?? []).map((object) => placeLabel(placeOfObject(object))));
  const changes = judgment.changes.filter(({ place }) => !helpers.has(placeLabel(place))).map((change) => recordedChange(change, earlier.get(placeLabel(change.place))));
  const untouched = [...earlier].filter(([label]) => !touched.has(label)).map(([, change]) => change);
  return {
    version: 1,
    release,
    revision,
    action,
    at: at.toISOString(),
    ...(reason === undefined ? {} : { reason }),
    ...(expires === undefined ? {} : { expires: expires.toISOString() }),
    ...(undoes === undefined ? {} : { undoes }),
    ...keptGaps(gaps),
    changes: [...changes, ...(action === 'rollback' ? [] : untouched)],
    members: members.map(nameOf),
    helpers: judgment.plan.steps.flatMap(({ kind, role, policy }): NamedObject[] => (kind === 'put' && role === 'helper' && policy.kind === 'NetworkPolicy' ? [{ apiVersion: NETWORK_POLICY.apiVersion, kind: policy.kind, metadata: { name: policy.name, namespace: policy.namespace } }] : [])),
  };
}

function recordedChange({ held, result }: ObjectChange, earlier: RecordedChange | undefined): RecordedChange {
  const before = earlier === undefined ? (held === undefined ? null : authored(held)) : earlier.before;
  if (before === null && result === undefined) return { before, after: null, object: nameOf((held === undefined ? (earlier?.after ?? earlier?.object) : authored(held))!) }; // else nothing would change
  return { before, after: result === undefined ? null : authored(result) };
}

function nameOf({ apiVersion, kind, metadata: { name, namespace } }: NamedObject): NamedObject {
  return { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
}
