// The generation as a number: which bits of the conntrack mark hold it, and what follows it.

/** Bits of the conntrack mark that hold the generation; all others are left alone. None of the known users has these. */
export const GENERATION_MASK = 0x7f;

/** 0 stands for "not judged yet". */
export const GENERATION_MAX = 0x7f;

/** Two values besides 0 would do; with fewer than seven bits idle flows are looked through more often. */
const MASK_BITS_MIN = 2;

/** Whether a mask can hold generations: neighboring bits, some of them. */
export function isGenerationMask(mask: number): boolean {
  if (!Number.isInteger(mask) || mask <= 0 || mask > 0xffffffff) return false;
  const value = mask >>> shiftOf(mask);
  return (value & (value + 1)) === 0 && value >= (1 << MASK_BITS_MIN) - 1;
}

/** The last value before 1 follows. */
export function generationMax(mask: number): number {
  return Math.min(GENERATION_MAX, mask >>> shiftOf(mask));
}

export function nextGeneration(generation: number, mask: number): number {
  return (generation % generationMax(mask)) + 1;
}

/** The bits of the mark, in their place. */
export function markOf(generation: number, mask: number): number {
  return (generation << shiftOf(mask)) >>> 0;
}

/** What stands in the bits of a mark. */
export function generationOf(mark: number, mask: number): number {
  return ((mark & mask) >>> 0) >>> shiftOf(mask);
}

function shiftOf(mask: number): number {
  return 31 - Math.clz32(mask & -mask);
}
