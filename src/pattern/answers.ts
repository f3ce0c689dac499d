// What a pattern is filled in with, settled: names, selectors, ports and blocks as policies take them.
import type { IpRange } from '../base/ip-address.ts';
import type { Direction, PortMatch } from '../model/network-policy.ts';
import type { Selector } from '../model/selector.ts';

/** What can be asked for a pattern; on the command line an option of this name. */
export type Topic =
  | 'namespace' | 'selector' | 'direction'
  | 'from-namespace' | 'from-selector' | 'to-namespace' | 'to-selector'
  | 'port' | 'cidr' | 'except' | 'provider' | 'node-local' | 'without-dns' | 'except-namespace' | 'priority' | 'name';

/** Fields of topics that a pattern does not take are empty. */
export interface Answers {
  /** Of the policy; `''` for one of the whole cluster. */
  readonly namespace: string;
  /** The pods that the policy governs. */
  readonly podSelector: Selector;
  /** Never empty. */
  readonly directions: readonly Direction[];
  /** Pods at the other end. */
  readonly peers: readonly PodPlace[];
  /** Empty: every port. */
  readonly ports: readonly PortMatch[];
  readonly blocks: readonly NotedBlock[];
  /** Addresses that stay closed within the blocks. */
  readonly except: readonly IpRange[];
  /** undefined: not to be opened beside what a pattern opens. */
  readonly dns: DnsPlace | undefined;
  readonly exceptNamespaces: readonly string[];
  /** 0–1000, of a cluster-wide policy. */
  readonly priority: number;
  /** undefined: named after what it does. */
  readonly name: string | undefined;
}

/** Pods somewhere in the cluster. */
export interface PodPlace {
  /** undefined: the policy's own namespace; `*`: every one. */
  readonly namespace: string | undefined;
  readonly podSelector: Selector;
  /** Who they are, for a comment. */
  readonly who?: string;
}

/** Who is asked for names. */
export interface DnsPlace {
  readonly peers: readonly PodPlace[];
  readonly ports: readonly PortMatch[];
  readonly hasNodeLocalDns: boolean;
}

export interface NotedBlock {
  readonly range: IpRange;
  readonly who?: string;
}

export const EVERY_NAMESPACE = '*';
