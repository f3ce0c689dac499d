// Rows of a reachability that go from the same sources to the same targets on the same ports, gathered, so that a picture has few lines.
import type { PortSet } from '../../base/port-set.ts';
import type { ReachRow } from '../../analyze/reach.ts';

/** Every source reaches every target; an end that is one pod may stand on both sides and says nothing of itself. */
export interface Bundle {
  readonly ports: PortSet;
  readonly sources: readonly number[];
  readonly targets: readonly number[];
}

/** Each row is in one bundle, and nothing else but pairs of an end with itself where `isAlone`: one pod, which is no row. */
export function bundleRows(rows: Iterable<ReachRow>, isAlone: (end: number) => boolean): Bundle[] {
  const byPorts = Map.groupBy(rows, ({ ports }) => ports.join());
  return [...byPorts.values()].flatMap((members) => {
    const { ports } = members[0]!;
    const outward = gather(members.map(({ source, target }) => [source, target]), isAlone).map(({ alike, others }) => ({ ports, sources: alike, targets: others }));
    const inward = gather(members.map(({ source, target }) => [target, source]), isAlone).map(({ alike, others }) => ({ ports, sources: others, targets: alike }));
    return countLines(inward) < countLines(outward) ? inward : outward;
  });
}

interface Alike {
  readonly alike: readonly number[];
  readonly others: readonly number[];
}

/** Ends with equal sets of others together. One pod never has itself in its set, and may count as if it had. */
function gather(pairs: readonly (readonly [number, number])[], isAlone: (end: number) => boolean): Alike[] {
  const sets = [...Map.groupBy(pairs, ([end]) => end)].map(([end, own]) => {
    const others = own.map(([, other]) => other).sort((a, b) => a - b);
    const filled = isAlone(end) && !others.includes(end) ? [...others, end].sort((a, b) => a - b) : others;
    return { end, raw: others.join(), filled: filled.join() };
  });
  const counts = new Map<string, number>();
  for (const { raw, filled } of sets) for (const key of new Set([raw, filled])) counts.set(key, (counts.get(key) ?? 0) + 1);
  const alike = Map.groupBy(sets, ({ raw, filled }) => (counts.get(filled)! > counts.get(raw)! ? filled : raw));
  return [...alike].map(([key, members]) => ({ alike: members.map(({ end }) => end).sort((a, b) => a - b), others: key.split(',').map(Number) }));
}

function countLines(bundles: readonly Bundle[]): number {
  return bundles.reduce((sum, { sources, targets }) => sum + sources.length + targets.length, 0);
}
