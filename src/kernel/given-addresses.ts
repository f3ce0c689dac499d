// The contract of what the CNI of this node gave to its pods, known from the moment that their network stands.
import type { IpAddress } from '../base/ip-address.ts';

export interface GivenAddresses {
  /** Of the pod with this uid; undefined where nothing, or nothing certain, is known of it. */
  of(uid: string): readonly IpAddress[] | undefined;
  /** Told by uid whenever `of` may answer otherwise than before; gives what takes the listener back. */
  watch(listener: (uid: string) => void): () => void;
  close(): void;
}
