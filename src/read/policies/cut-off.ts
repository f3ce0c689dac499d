// Finds a policy whose text ends with a key and nothing behind it, as when the end of a page was not copied.
import type { Path } from '../../model/origin.ts';
import { lastName } from '../values/loose-value.ts';
import { remark, type ObjectContext } from '../values/object-context.ts';
import type { LooseMap, Value } from '../text/yaml-value.ts';

/** Accepted by the server, which reads nothing as the widest there is: `from:` is everybody. */
export function remarkCutOff(context: ObjectContext, map: LooseMap, path: Path): void {
  const end = path.length > 0 ? undefined : lastEmpty(map);
  if (end === undefined || !WIDENING.has(end.at(-1))) return;
  if (/^(?:null|~)$/i.test(context.document.writtenAt(end) ?? 'null')) return;
  const message = `the text ends with ${lastName(end)} and nothing behind it, as if it were cut off; kubectl reads that as if the field were not there`;
  remark(context, end, 'yaml-cut-off', 'warning', message, { atKey: true, help: 'write what is missing, or take the field away' });
}

/** Fields that mean more with nothing behind them, and of which nothing else is said. */
const WIDENING: ReadonlySet<unknown> = new Set(['from', 'to', 'ports', 'port', 'matchLabels', 'matchExpressions', 'except', 'policyTypes']);

function lastEmpty(map: LooseMap): Path | undefined {
  const path: (string | number)[] = [];
  let value: Value | undefined = map;
  while (typeof value === 'object' && value !== null) {
    const step: string | number | undefined = Array.isArray(value) ? value.length - 1 : Object.keys(value).at(-1);
    if (step === undefined || step === -1) return undefined;
    path.push(step);
    value = Array.isArray(value) ? (value as readonly Value[])[step as number] : (value as LooseMap)[step as string];
  }
  return value === null ? path : undefined;
}
