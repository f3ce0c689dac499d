// Checks the metadata of a policy as the API server does: its name, labels and annotations.
import type { Path } from '../model/origin.ts';
import { checkFields } from './check-fields.ts';
import { readMap, readText, REFUSED, shorten } from './loose-value.ts';
import { checkLabelKey, checkSubdomain } from './names.ts';
import { refuse, type ObjectContext } from './object-context.ts';
import { readLabels, type LabelCache } from './read-labels.ts';
import type { LooseMap, Value } from './yaml-value.ts';

/** Whether the object has a name that the server takes. */
export function checkMetadata(context: ObjectContext, cache: LabelCache, map: LooseMap, path: Path, name: string): boolean {
  const metadata = readMap(context, map['metadata'], path);
  if (metadata === undefined || metadata === REFUSED) return false;
  checkFields(context, metadata, path, 'metadata', 'nothing else changes');
  readLabels(context, cache, metadata['labels'], [...path, 'labels']);
  checkAnnotations(context, metadata['annotations'], [...path, 'annotations']);
  const wrong = checkSubdomain(name);
  if (wrong !== undefined) refuse(context, [...path, 'name'], 'invalid-name', `the name \`${shorten(name)}\` ${wrong}`, nameRepair(name));
  return wrong === undefined;
}

function nameRepair(name: string): { readonly help?: string; readonly replacement?: string } {
  const near = name.trim().toLowerCase().replace(/[^a-z0-9.]+/g, '-').replace(/^[-.]+|[-.]+$/g, '');
  return checkSubdomain(near) === undefined && near !== '' ? { help: `write \`${near}\``, replacement: near } : {};
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
