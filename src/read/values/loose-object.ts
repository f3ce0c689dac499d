// What a text holds before anybody knows its kind: values that should be Kubernetes objects, those of a list one by one.
import type { Path } from '../../model/origin.ts';
import type { TextDocument } from '../text/text-document.ts';
import { isMap, type LooseMap, type Value } from '../text/yaml-value.ts';

/** Something that should be a Kubernetes object. */
export interface LooseObject {
  readonly value: Value;
  readonly document: TextDocument;
  readonly path: Path;
  /** What a list of one kind says of its items, for those that do not say it themselves. */
  readonly listKind: string | undefined;
  readonly listApiVersion: string | undefined;
  /** A large list's item: its text need not stay. */
  readonly isStreamed: boolean;
  /** In UTF-16 units. */
  readonly textLength: number;
}

/** kubectl takes everything with a list in `items` for a list, whatever its kind. */
export function* looseObjects(value: Value, document: TextDocument, path: Path, listKind: string | undefined, listApiVersion: string | undefined): Generator<LooseObject> {
  if (value === null && path.length === 0) return;
  const items = isMap(value) ? value['items'] : undefined;
  if (!isMap(value) || !Array.isArray(items)) {
    yield { value, document, path, listKind, listApiVersion, isStreamed: false, textLength: 0 };
    return;
  }
  const head = listHead(value);
  for (const [index, item] of (items as readonly Value[]).entries()) {
    yield* looseObjects(item, document, [...path, 'items', index], head.kind, head.apiVersion);
  }
}

/** `PodList` says that its items are pods; a `List` says nothing (apimachinery `unstructured`, decodeToList). */
export function listHead(value: LooseMap): { readonly kind: string | undefined; readonly apiVersion: string | undefined } {
  const kind = value['kind'];
  const apiVersion = value['apiVersion'];
  if (typeof kind !== 'string' || kind === 'List' || !kind.endsWith('List')) return { kind: undefined, apiVersion: undefined };
  return { kind: kind.slice(0, -'List'.length), apiVersion: typeof apiVersion === 'string' ? apiVersion : undefined };
}
