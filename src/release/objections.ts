// What stands against a release, so that it is not written unless somebody says that it may.
import { adviceOf, otherManagers } from './field-owners.ts';
import { GUARDS, type Guard, type GuardWitness } from './guards.ts';
import type { Judgment } from './judge-release.ts';
import type { ObjectChange } from './prepare-objects.ts';
import { placeLabel } from './release-object.ts';

export interface Objection {
  readonly message: string;
  readonly help: string;
}

export interface Consent {
  readonly allowed: ReadonlySet<Guard>;
  /** Objects and fields of others may be taken over. */
  readonly isAdopting: boolean;
}

export interface Findings {
  /** Errors that the release brings. */
  readonly errors: number;
  readonly failedTests: number;
  /** It is to stand for a while only. */
  readonly isTemporary?: boolean;
}

/** Empty: it may be written. */
export function objectionsTo(judgment: Judgment, { errors, failedTests, isTemporary = false }: Findings, consent: Consent): readonly Objection[] {
  return [
    ...(errors === 0 ? [] : [{ message: `lint finds ${errors === 1 ? 'an error' : `${errors} errors`} in it`, help: 'mend what is named above; `bulkhead lint --fix` mends what it can' }]),
    ...(failedTests === 0 ? [] : [{ message: `${failedTests === 1 ? 'a test fails' : `${failedTests} tests fail`} on the cluster as it would be`, help: 'mend the policies, or the tests' }]),
    ...GUARDS.flatMap((guard) => guardObjection(guard, judgment.cuts.filter((cut) => cut.guard === guard), consent)),
    ...(consent.isAdopting ? [] : adoptions(judgment.changes)),
    ...(isTemporary ? notOnlyAllowing(judgment) : []),
  ];
}

const GUARD_WORDS: Readonly<Record<Guard, string>> = {
  dns: 'it cuts pods off DNS',
  'api-server': 'it cuts pods that need the API server off it',
  ingress: 'it shuts what comes in from outside',
  webhooks: 'it shuts the API server out of webhooks or extension APIs',
  namespace: 'it refuses all that a whole namespace takes, or opens',
  flows: 'it refuses what was seen to go through',
  order: 'no order of the writes keeps every state in between harmless',
};

function guardObjection(guard: Guard, cuts: readonly GuardWitness[], { allowed }: Consent): readonly Objection[] {
  return cuts.length === 0 || allowed.has(guard) ? [] : [{ message: GUARD_WORDS[guard], help: `if that is meant: --allow ${guard}` }];
}

/** What is to go by itself must leave nothing behind. */
function notOnlyAllowing({ changes, difference: { groups } }: Judgment): readonly Objection[] {
  const old = changes.find(({ held }) => held !== undefined);
  return [
    ...(old === undefined ? [] : [{ message: `for a while only new policies can stand, and ${placeLabel(old.place)} is there already`, help: 'give it a name of its own' }]),
    ...(groups.lostPairs === 0 ? [] : [{ message: 'for a while it is to allow, and it cuts something', help: 'let it select only pods that policies of the same direction isolate already' }]),
  ];
}

function adoptions(changes: readonly ObjectChange[]): readonly Objection[] {
  return changes.some(({ isAdopted, conflicts }) => isAdopted || conflicts.length > 0) ? [{ message: 'it takes over what others have written', help: 'if that is meant: --adopt' }] : [];
}

/** Who owns what of an object that the release would take over, and what to do about it; empty where nobody does. */
export function ownershipNotes({ place, held, isAdopted, conflicts }: ObjectChange): readonly string[] {
  const label = placeLabel(place);
  const byManager = [...Map.groupBy(conflicts, ({ manager }) => manager)];
  const fields = byManager.map(([manager, own]) => `${own.map(({ field }) => field).join(', ')} of ${label} ${own.length === 1 ? 'belongs' : 'belong'} to ${manager}: ${adviceOf(manager)}`);
  if (!isAdopted || byManager.length > 0) return fields;
  const managers = otherManagers(held?.metadata ?? {});
  return [`${label} is there already, written by ${managers.join(', ') || 'somebody else'}, and becomes part of the release${managers.length === 1 ? `: ${adviceOf(managers[0]!)}` : ''}`];
}
