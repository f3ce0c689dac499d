// The contract of whoever enters the network namespaces of a node's pods: finds them, listens in them, opens connections out of them.
import type { IpAddress } from '../base/ip-address.ts';
import type { NamespaceFd } from './network-namespace.ts';
import type { Prober } from './prober.ts';

export interface PodNetwork {
  readonly prober: Prober;
  /** The node's own namespace. */
  readonly home: NamespaceFd;
  closeHome(): void;
  /** By position, the namespace that has all of a pod's addresses; undefined: none of this node has. Each is to be closed, for an open one outlives its pod. */
  find(pods: readonly (readonly IpAddress[])[]): readonly (NamespaceFd | undefined)[];
  close(namespace: NamespaceFd): void;
  listen(wish: ListenWish): ListenOutcome;
}

export interface ListenWish {
  readonly namespace: NamespaceFd;
  /** One of the namespace's own; no other of it is listened on. */
  readonly address: IpAddress;
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
  /** Of the address's family; the kernel drops what comes from anybody else before a handshake. At most `SOURCES_MAX`. */
  readonly sources: readonly IpAddress[];
  /** Datagrams are sent back when they begin with it. */
  readonly mark: Uint8Array;
}

/** Of one listener. */
export const SOURCES_MAX = 32;

export type ListenOutcome =
  | { readonly kind: 'listening'; readonly listener: PodListener }
  /** Somebody else listens there. */
  | { readonly kind: 'served' }
  | { readonly kind: 'failed'; readonly errno: number };

export interface PodListener {
  /** Takes what has come: ends connections, sends marked datagrams back. Never waits. */
  answer(): void;
  close(): void;
}
