// Two Programs side by side, and what stands for an end in each of them.
import type { EndpointRef } from '../analyze/endpoint.ts';
import type { Program } from '../compile/program.ts';

export interface ProgramPair {
  readonly before: Program;
  readonly after: Program;
}

/** Of pods the first two, of a range its first address; empty where it is missing. */
export interface JointRefs {
  readonly before: readonly EndpointRef[];
  readonly after: readonly EndpointRef[];
}
