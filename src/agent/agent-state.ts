// What a node agent knows of itself: what is in force since when, and what keeps the node from being as it should.
import type { FlowsState } from '../observe/observe.ts';
import type { ObjectName } from '../base/finding.ts';
import type { CommitTimes } from './commit-times.ts';

export interface AgentState {
  readonly node: string;
  /** The kernel holds what the API server told last, or did until a moment ago and will in the next. */
  readonly isReady: boolean;
  /** Empty: all is as it should be. */
  readonly troubles: readonly Trouble[];
  /** Whether a table of ours judges packets, also one that an earlier process left. */
  readonly isEnforcing: boolean;
  /** Sorted by kind, namespace, name. */
  readonly policies: readonly PolicyState[];
  readonly commits: CommitState;
  readonly names: NamesState;
  readonly flows: FlowsState;
  readonly pods: PodCounts;
  readonly kernel: KernelState;
}

/**
 * `starting`: not everything has been told yet. `cluster`: the way to the API server is cut, and what is in force is what
 * it told last. `kernel`: the kernel refused the last change, or somebody else changed our table. `capacity`: something
 * did not fit and is closed. `no-node`: the cluster has no Node of this name, so no pod is known to run here.
 * `pod-ranges-unknown`: a new pod is open until its address is known. `names`: answers of DNS are not seen, or not all
 * of them, so that rules which name domains let less through than they say. `audit-not-allowed`: a namespace asks to be
 * audited, and its policies are enforced. `flows`: refusals are told later than they could be, or
 * flows without the names of Services.
 */
export type TroubleCode = 'starting' | 'cluster' | 'kernel' | 'capacity' | 'no-node' | 'pod-ranges-unknown' | 'names' | 'audit-not-allowed' | 'flows';

export interface Trouble {
  readonly code: TroubleCode;
  readonly message: string;
  readonly since: Date;
}

/** `generation`, `uid` and `resourceVersion` as the API server gave them. */
export interface PolicyIdentity extends ObjectName {
  readonly apiVersion: string;
  readonly uid: string;
  readonly generation: number;
  readonly resourceVersion: string;
}

export interface PolicyState extends PolicyIdentity {
  /** undefined: this generation is not in the kernel yet, or is audited. */
  readonly inForceSince: Date | undefined;
  /** Its namespace is audited: it is judged and not enforced. */
  readonly isAudited: boolean;
  /** What of it could not be understood, and is closed. */
  readonly problem: string | undefined;
}

export interface CommitState {
  readonly count: number;
  /** Changes after which live connections were judged anew. */
  readonly generations: number;
  readonly lastAt: Date | undefined;
  /** From the first change told to the kernel's answer. */
  readonly lastMs: number;
  /** The same of all. */
  readonly times: CommitTimes;
}

/** Of rules that name domains; counts since the start. */
export interface NamesState {
  /** That pods were told and that are open, or were when connections began that go on. */
  readonly addresses: number;
  /** Answers of DNS to pods under such rules. */
  readonly answers: AnswerCounts;
}

/**
 * `learnt`: they opened something, or for longer. `other`: nothing that a rule names, or nothing new. `unreadable`: no
 * answer to one question for addresses. `full`: what they said did not fit. `unseen`: they were too many, or had come
 * the wrong way; not all of these are counted.
 */
export type AnswerCounts = Readonly<Record<'learnt' | 'other' | 'unreadable' | 'full' | 'unseen', number>>;

export interface PodCounts {
  readonly local: number;
  readonly remote: number;
  /** Of the local ones, those that some policy governs in either direction. */
  readonly governed: number;
}

export interface KernelState {
  readonly table: string;
  /** Times that our table was not as we left it, and was put right. */
  readonly driftRepairs: number;
  readonly lastDriftAt: Date | undefined;
  /** What was found then, and who did it where the kernel said so; a sentence without a final stop. */
  readonly lastDrift: string | undefined;
}
