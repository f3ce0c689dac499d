// The word that somebody probably meant.

/** The nearest of the words by edits, letter case apart; undefined when none is near. */
export function findNearMiss(written: string, words: Iterable<string>): string | undefined {
  const allowed = Math.max(1, Math.floor(written.length / 3));
  let best: string | undefined;
  let bestDistance = allowed + 1;
  for (const word of words) {
    const distance = editDistance(written.toLowerCase(), word.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = word;
      bestDistance = distance;
    }
  }
  return best;
}

/** Longest text that is compared; anything longer is nobody's typing mistake. */
const LENGTH_MAX = 64;

/** Insertions, deletions, replacements and swaps of neighbors; gives up at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (a === b) return 0;
  if (a.length > LENGTH_MAX || b.length > LENGTH_MAX || Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let distance = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) distance = Math.min(distance, before[j - 2]! + 1);
      current.push(distance);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length]!;
}
