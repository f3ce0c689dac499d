// One connection to try between real ends, and what a means of trying says of many.
import type { IpAddress } from '../base/ip-address.ts';
import type { LivePod } from './live-pods.ts';
import type { SeenVerdict } from './run-probes.ts';

export interface ConcreteProbe {
  readonly source: LivePod;
  /** One of the source's. */
  readonly sourceAddress: IpAddress;
  readonly target: IpAddress;
  /** undefined: no pod, or one on the network of its node. */
  readonly targetPod: LivePod | undefined;
  /** The target is a Service's address, behind which pods listen. */
  readonly isService: boolean;
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
}

export interface MeansResult {
  /** By position of the probes; those that could not be tried are missing. */
  readonly seen: ReadonlyMap<number, SeenVerdict>;
  /** Why some could not, in sentences without a final stop; each once. */
  readonly notes: readonly string[];
}
