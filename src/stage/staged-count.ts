// What a node counted for one staged policy, or for all policies of a namespace that is audited.

export interface StagedCount {
  /** `Namespace`: its NetworkPolicies together. */
  readonly kind: 'StagedPolicy' | 'StagedClusterPolicy' | 'Namespace';
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
  /** Of the object that was judged; counts begin anew with each. 0 for a namespace, whose counts begin anew with each change of its policies. */
  readonly generation: number;
  readonly since: Date;
  /** The last drain of the ledger that is in the counts. */
  readonly until: Date;
  /** Judgments of the kernel on connections of pods that the policies select: a flow that is judged again counts again. */
  readonly judged: number;
  /** Of those that are allowed today. */
  readonly wouldRefuse: number;
  /** Of those that are refused today. */
  readonly wouldAllow: number;
  /** Judgments that nobody can repeat, since an end of them is gone. */
  readonly unknown: number;
  readonly rules: readonly RuleCount[];
  /** Connections that it would refuse, those of the most judgments first. */
  readonly witnesses: readonly RefusedFlow[];
  /** Why it cannot be judged. */
  readonly problem?: string;
}

/** Judgments that a rule of the policy decides. */
export interface RuleCount {
  /** Of an audited namespace. */
  readonly policy?: string;
  readonly direction: 'ingress' | 'egress';
  /** Position in its section, from 0. */
  readonly index: number;
  readonly judged: number;
}

export interface RefusedFlow {
  /** The side that would refuse. */
  readonly direction: 'ingress' | 'egress';
  /** `namespace/name` of a pod, or an address. */
  readonly source: string;
  readonly target: string;
  /** `TCP`, `ICMPv4`, or the number of the protocol. */
  readonly protocol: string;
  /** 0 for protocols without ports. */
  readonly port: number;
  readonly judged: number;
}
