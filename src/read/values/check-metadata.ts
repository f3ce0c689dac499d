// Checks the metadata of a policy as the API server does: its name, labels, annotations, and the types of the rest.
import type { Path } from '../../model/origin.ts';
import { checkFields } from './check-fields.ts';
import { listAt, readMap, readText, REFUSED, refuseType, shorten } from './loose-value.ts';
import { checkLabelKey, checkSubdomain } from '../../model/names.ts';
import { refuse, type ObjectContext } from './object-context.ts';
import { readLabels, type LabelCache } from './read-labels.ts';
import type { LooseMap, Value } from '../text/yaml-value.ts';

/** Whether the object has a name that the server takes. */
export function checkMetadata(context: ObjectContext, cache: LabelCache, map: LooseMap, path: Path, name: string): boolean {
  const metadata = readMap(context, map['metadata'], path);
  if (metadata === undefined || metadata === REFUSED) return false;
  checkFields(context, metadata, path, 'metadata', 'nothing else changes');
  readLabels(context, cache, metadata['labels'], [...path, 'labels']);
  checkAnnotations(context, metadata['annotations'], [...path, 'annotations']);
  checkOwnFields(context, metadata, path);
  const wrong = checkSubdomain(name);
  if (wrong !== undefined) refuse(context, [...path, 'name'], 'invalid-name', `the name \`${shorten(name)}\` ${wrong}`, nameRepair(name));
  return wrong === undefined;
}

function nameRepair(name: string): { readonly help?: string; readonly replacement?: string } {
  const near = name.trim().toLowerCase().replace(/[^a-z0-9.]+/g, '-').replace(/^[-.]+|[-.]+$/g, '');
  return checkSubdomain(near) === undefined && near !== '' ? { help: `write \`${near}\``, replacement: near } : {};
}

/** Fields of meta/v1 ObjectMeta that decide nothing here, and on whose type the server insists all the same. */
const TEXTS = ['generateName', 'selfLink', 'uid', 'resourceVersion'];
const NUMBERS = ['generation', 'deletionGracePeriodSeconds'];
const TIMES = ['creationTimestamp', 'deletionTimestamp'];
const LISTS_OF_MAPS = ['ownerReferences', 'managedFields'];

/** RFC 3339, as Go's time package reads it. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)$/;

function checkOwnFields(context: ObjectContext, metadata: LooseMap, path: Path): void {
  for (const key of TEXTS) readText(context, metadata[key], [...path, key]);
  for (const key of NUMBERS) {
    const value = metadata[key] ?? 0;
    if (!Number.isInteger(value)) refuseType(context, value, [...path, key], 'a whole number');
  }
  for (const key of TIMES) {
    const time = readText(context, metadata[key], [...path, key]);
    if (typeof time === 'string' && !TIME.test(time)) refuseType(context, time, [...path, key], 'a time such as 2026-01-31T12:00:00Z');
  }
  for (const [index, value] of listAt(context, metadata['finalizers'], [...path, 'finalizers']).entries()) readText(context, value, [...path, 'finalizers', index]);
  for (const key of LISTS_OF_MAPS) for (const [index, value] of listAt(context, metadata[key], [...path, key]).entries()) readMap(context, value, [...path, key, index]);
  checkGenerateName(context, metadata['generateName'], [...path, 'generateName']);
}

/** Of one that ends with a dash the server leaves out the dash and the sign before it (`maskTrailingDash` of apimachinery). */
function checkGenerateName(context: ObjectContext, value: Value | undefined, path: Path): void {
  const wrong = typeof value === 'string' && value !== '' ? checkSubdomain(value.replace(/.-$/, 'a')) : undefined;
  if (wrong !== undefined) refuse(context, path, 'invalid-name', `the beginning of a name \`${shorten(String(value))}\` ${wrong}`);
}

function checkAnnotations(context: ObjectContext, value: Value | undefined, path: Path): void {
  const annotations = readMap(context, value, path);
  if (annotations === undefined || annotations === REFUSED) return;
  for (const key of Object.keys(annotations)) {
    readText(context, annotations[key], [...path, key]);
    const wrong = checkLabelKey(key.toLowerCase());
    if (wrong !== undefined) refuse(context, [...path, key], 'invalid-label', `the annotation key \`${shorten(key)}\` ${wrong}`, { atKey: true });
  }
}
