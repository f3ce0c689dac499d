// What one change did to a Program, in each direction: ends that moved to another subject or class, and the entries that differ.
import type { IpFamily } from '../base/ip-address.ts';
import type { Pod } from '../model/cluster.ts';
import type { Direction } from '../model/network-policy.ts';

/**
 * Indices of pods and atoms are those of the Program after the change. Ids of subjects and classes mean the same before
 * and after, unless `isRenumbered`.
 */
export interface ProgramDifference {
  /** The ids of all groups, subjects, classes and port sets have been given anew before the change: no earlier id means anything. */
  readonly isRenumbered: boolean;
  /** A pod that came, or whose addresses, node, host network or number of replicas changed: all of its entries are new. */
  readonly addedPod: number | undefined;
  /** A pod that went, as it was: either the one that is `addedPod` now, or one that is gone. */
  readonly removedPod: Pod | undefined;
  /** Atoms were cut, so that their indices are other ones, or lie in pod ranges where they did not, or the other way round. */
  readonly isAtomsCut: boolean;
  readonly ingress: DirectionDifference;
  readonly egress: DirectionDifference;
}

export interface DirectionDifference {
  readonly direction: Direction;
  readonly subjects: readonly SubjectMove[];
  readonly classes: readonly ClassMove[];
}

/** Pods that other policies govern than before. */
export interface SubjectMove {
  readonly before: number;
  readonly after: number;
  readonly pods: readonly number[];
  /** Classes with another entry in the row after than in the row before: for all who stayed in the class. */
  readonly classes: readonly number[];
  /** Places in `DirectionDifference.classes`: for those who moved, the entry is another one. */
  readonly moves: readonly number[];
}

/** Ends that other peer sets hold than before. Of ends with one family, both entries are that family's. */
export interface ClassMove {
  readonly before: Readonly<Record<IpFamily, number>>;
  readonly after: Readonly<Record<IpFamily, number>>;
  readonly pods: readonly number[];
  readonly atoms: readonly number[];
  /** Patterns that policies name; an empty text stands for any other name. */
  readonly domainNames: readonly string[];
  /** Subjects of which the entry for these ends is another one: for all pods that stayed under the subject. */
  readonly subjects: readonly number[];
}
