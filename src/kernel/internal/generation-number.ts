// The generation as a number: which bits of the conntrack mark hold it, and what follows it.

/** Bits of the conntrack mark that hold the generation; all others are left alone. None of the known users has these. */
export const GENERATION_MASK = 0x7f;

/** 0 stands for "not judged yet". */
export const GENERATION_MAX = 0x7f;

export function nextGeneration(generation: number): number {
  return (generation % GENERATION_MAX) + 1;
}
