// One flow: who opened connections to whom, on what, how often, since when, and which rules decided.
import { formatIpAddress, type IpAddress, type IpFamily } from '../base/ip-address.ts';
import type { Workload } from '../model/cluster.ts';
import type { Direction } from '../model/network-policy.ts';
import type { Labels } from '../model/selector.ts';

export interface FlowRecord {
  readonly verdict: FlowVerdict;
  /** Who opened. */
  readonly source: FlowEnd;
  readonly target: FlowEnd;
  readonly family: IpFamily;
  /** IP protocol number: 6 TCP, 17 UDP, 132 SCTP. */
  readonly protocol: number;
  /** Of the target, after address translation; 0 for protocols without ports. */
  readonly port: number;
  /** Judgments; a flow that is judged again counts again. */
  readonly count: number;
  /** In what is told as it comes: these were told as allowed before. */
  readonly corrects?: true;
  /** Connections opened; undefined where that cannot be known. */
  readonly openings: number | undefined;
  /** Milliseconds since 1970. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Of the node that saw it; undefined where several did, or nobody says. */
  readonly node: string | undefined;
  /** By which it was reached: `namespace/name`. */
  readonly service: string | undefined;
  /** undefined: not judged yet. */
  readonly reason: FlowReason | undefined;
}

export type FlowVerdict = 'allowed' | 'denied';

export type FlowEnd = PodEnd | OutsideEnd;

/** A pod, or all pods of a workload that nothing tells apart, as it was at the time. */
export interface PodEnd {
  readonly kind: 'pod';
  readonly namespace: string;
  readonly workload: Workload;
  /** Nobody told who controls the pod: `workload` stands for the pod alone. */
  readonly isUntold?: true;
  /** undefined: folded into its workload. */
  readonly pod: string | undefined;
  readonly labels: Labels;
  /** Beyond `kubernetes.io/metadata.name`, as far as they are known. */
  readonly namespaceLabels: Labels;
  /** Of the node that it ran on, where that was told and matters: flows that are joined have none. */
  readonly node?: string | undefined;
  /** One that it had. */
  readonly address: IpAddress | undefined;
}

/** What is no pod with an address of its own: a host outside, or a node with all that runs on its network. */
export interface OutsideEnd {
  readonly kind: 'outside';
  readonly address: IpAddress;
  /** By which it was looked up. */
  readonly names: readonly string[];
  /** Name of the node that has the address. */
  readonly node: string | undefined;
  /** The node on which the other end runs. */
  readonly isOwnNode: boolean;
}

/** What each side said, or would say. */
export type FlowReason = Readonly<Record<Direction, SideReason>>;

export interface SideReason {
  /** `not-judged`: no policy speaks of it: outside, host network, the own node. */
  readonly verdict: 'allows' | 'refuses' | 'not-judged';
  /** Those that allow, or of a tier that decide. */
  readonly rules: readonly RuleName[];
  /** Policies that isolate the end; where nothing allows, it is these that refuse. */
  readonly isolatedBy: readonly PolicyName[];
  /** Of a refusal by default: the rule that came nearest, and what of it fails. */
  readonly nearMiss: NearMiss | undefined;
}

export interface PolicyName {
  readonly kind: string;
  /** Empty for cluster-wide kinds. */
  readonly namespace: string;
  readonly name: string;
}

export interface RuleName extends PolicyName {
  /** Position in its section, from 0. */
  readonly index: number;
}

export interface NearMiss extends PolicyName {
  /** undefined: the policy has no rule in the direction. */
  readonly index: number | undefined;
  readonly says: readonly string[];
}

/** `shop/web`, an address, or the name of a node. */
export function endName(end: FlowEnd): string {
  if (end.kind === 'pod') return `${end.namespace}/${end.pod ?? end.workload.name}`;
  return end.node ?? end.names[0] ?? formatIpAddress(end.address);
}

export function policyText({ kind, namespace, name }: PolicyName): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`;
}
