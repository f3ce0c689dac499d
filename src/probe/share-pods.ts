// Probes by the pod that they start from, a few pods at the same time.
import type { ConcreteProbe } from './concrete-probe.ts';
import type { LivePod } from './live-pods.ts';

export interface IndexedProbe {
  readonly index: number;
  readonly probe: ConcreteProbe;
}

const PODS_AT_ONCE = 8;

/** Pods that are not begun when the signal comes are left out. */
export async function sharePods(probes: readonly ConcreteProbe[], signal: AbortSignal, act: (source: LivePod, own: readonly IndexedProbe[]) => Promise<void>): Promise<void> {
  const bySource = [...Map.groupBy(probes.map((probe, index): IndexedProbe => ({ index, probe })), ({ probe }) => probe.source.place.uid).values()];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < bySource.length && !signal.aborted) {
      const own = bySource[next++]!;
      await act(own[0]!.probe.source, own);
    }
  };
  await Promise.all(Array.from({ length: PODS_AT_ONCE }, work));
}
