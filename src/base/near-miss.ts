// The word that somebody probably meant: the nearest one by edits, if it is near enough.

/** Words longer than this are not compared: the work grows with the square of the length. */
const WORD_LENGTH_MAX = 100;

/** The candidate with the fewest edits; a third of the word's signs may differ, one at least. Of equals the first. */
export function nearestWord(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestEdits = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestEdits || candidate.length > WORD_LENGTH_MAX || word.length > WORD_LENGTH_MAX) continue;
    const edits = countEdits(word, candidate);
    if (edits < bestEdits) {
      best = candidate;
      bestEdits = edits;
    }
  }
  return best;
}

/** The same, letter case apart. */
export function nearestWordAnyCase(word: string, candidates: Iterable<string>): string | undefined {
  const written = new Map<string, string>();
  for (const candidate of candidates) if (!written.has(candidate.toLowerCase())) written.set(candidate.toLowerCase(), candidate);
  const nearest = nearestWord(word.toLowerCase(), written.keys());
  return nearest === undefined ? undefined : written.get(nearest);
}

/** Insertions, deletions, replacements and swaps of neighbors (optimal string alignment). */
export function countEdits(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let edits = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) edits = Math.min(edits, beforeLast[j - 2]! + 1);
      row.push(edits);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
