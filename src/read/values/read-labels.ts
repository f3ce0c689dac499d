// Reads maps of labels; equal ones become one value.
import type { Path } from '../../model/origin.ts';
import type { Labels } from '../../model/selector.ts';
import { readMap, readText, REFUSED, shorten } from './loose-value.ts';
import { checkLabelKey, checkLabelValue } from '../../model/names.ts';
import { refuse, remark, type ObjectContext } from './object-context.ts';
import { resolvePlain } from '../text/yaml-scalar.ts';
import type { LooseMap, Value } from '../text/yaml-value.ts';

export const NO_LABELS: Labels = new Map();

/** Label maps that have been seen and are right, by their text. */
export interface LabelCache {
  get(text: string): Labels | undefined;
  /** Gives those that are used from now on. */
  keep(text: string, labels: Labels): Labels;
}

/** Label maps kept for reuse; further ones are made anew. */
const LABEL_CACHE_MAX = 100_000;

export function createLabelCache(): LabelCache {
  const seen = new Map<string, Labels>();
  return {
    get: (text) => seen.get(text),
    keep: (text, labels) => {
      if (seen.size < LABEL_CACHE_MAX) seen.set(text, labels);
      return labels;
    },
  };
}

/** Labels with what is wrong left out. A null value is `""`. */
export function readLabels(context: ObjectContext, cache: LabelCache, value: Value | undefined, path: Path): Labels {
  const map = readMap(context, value, path);
  if (map === undefined || map === REFUSED) return NO_LABELS;
  const text = JSON.stringify(map);
  const seen = cache.get(text);
  if (seen !== undefined) return seen;
  const before = context.refusals;
  const labels = readLabelEntries(context, map, path);
  const isClean = context.refusals === before && !hasWordKey(map);
  return isClean ? cache.keep(text, labels) : labels;
}

function hasWordKey(map: LooseMap): boolean {
  return Object.keys(map).some((key) => MAY_COME_FROM_WORD.test(key));
}

export function readLabelEntries(context: ObjectContext, map: LooseMap, path: Path): Labels {
  const labels = new Map<string, string>();
  for (const key of Object.keys(map)) {
    const place = [...path, key];
    checkKey(context, key, place);
    const value = readText(context, map[key], place);
    if (value === REFUSED) continue;
    const wrong = checkLabelValue(value ?? '');
    if (wrong !== undefined) refuse(context, place, 'invalid-label', `the label value \`${shorten(value ?? '')}\` ${wrong}`);
    else labels.set(key, value ?? '');
  }
  return labels;
}

const MAY_COME_FROM_WORD = /^(true|false|[-+.0-9].*)$/;

function checkKey(context: ObjectContext, key: string, path: Path): void {
  if (MAY_COME_FROM_WORD.test(key)) remarkWordKey(context, key, path);
  const wrong = checkLabelKey(key);
  if (wrong !== undefined) refuse(context, path, 'invalid-label', `the label key \`${shorten(key)}\` ${wrong}`, { atKey: true });
}

/** Accepted by the server, but not what its author sees: `y: z` is the label `true`. */
function remarkWordKey(context: ObjectContext, key: string, path: Path): void {
  const written = context.document.writtenKey(path);
  if (written === undefined || written === key || /^["'|>&!*]/.test(written)) return;
  const isBoolean = resolvePlain(written).kind === 'boolean';
  remark(context, path, isBoolean ? 'yaml-boolean-word' : 'yaml-number-key', 'warning', `kubectl reads the key \`${shorten(written)}\` as \`${key}\``, {
    atKey: true,
    help: `put it in quotes if the label is \`${shorten(written)}\``,
    literal: JSON.stringify(written),
  });
}
