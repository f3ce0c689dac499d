// An end in two Programs: what decides about it in each, and what stands for it there.
import type { Quad } from '../analyze/endpoint.ts';
import type { Endpoint } from '../analyze/endpoints.ts';
import type { JointRefs, ProgramPair } from './program-pair.ts';
import type { Residence } from './residence.ts';

/** Ends that both Programs treat alike throughout; undefined where one of the two does not have them. */
export interface JointQuad {
  readonly before: Quad | undefined;
  readonly after: Quad | undefined;
}

export type EndPlace = 'pods' | 'Range' | 'DomainName';

export interface JointEndpoint {
  readonly place: EndPlace;
  readonly endpoint: Endpoint;
  readonly quads: JointQuad;
  /** Pods behind it: the larger of the two counts. */
  readonly pods: number;
  readonly refs: JointRefs;
  /** Which of the two sets have its pods on the network of their node. */
  readonly isHost: Readonly<Record<keyof ProgramPair, boolean>>;
  /** Where its pods run, each pod once; none where no node matters in either set. */
  readonly residences: readonly Residence[];
}
