// A selector of labels that all have to be there.
import { compareText } from '../../base/finding.ts';
import type { Selector } from '../../model/selector.ts';

export function labelSelector(labels: Iterable<readonly [key: string, value: string]>): Selector {
  return { requirements: [...labels].sort(([a], [b]) => compareText(a, b)).map(([key, value]) => ({ kind: 'In', key, values: [value] })) };
}
