// The ConfigMaps of the input, and whether their keys are there; of Secrets it is known that they are there, and no value.
import type { ObjectName } from '../../base/finding.ts';
import type { WrittenObject } from '../../read/values/written-object.ts';
import type { Assignment, TextPlace } from './assignment.ts';
import { readConfigText } from './config-text.ts';
import { mapIn, textEntries } from '../../read/values/loose-map.ts';

export interface ConfigMap {
  /** Texts by key; binary data is left out. */
  readonly texts: ReadonlyMap<string, string>;
  placeOf(key: string): TextPlace;
  /** What a key says as a file; read once, however many mount it. */
  readFile(key: string): readonly Assignment[];
}

export type ConfigMaps = (namespace: string, name: string) => ConfigMap | undefined;

export function indexConfigMaps(written: readonly WrittenObject[]): ConfigMaps {
  const byName = new Map<string, ConfigMap>();
  for (const object of written) {
    if (object.kind === 'ConfigMap' && object.apiVersion === 'v1') byName.set(`${object.namespace}/${object.name}`, readConfigMap(object));
  }
  return (namespace, name) => byName.get(`${namespace}/${name}`);
}

function readConfigMap({ map, namespace, name, document, path }: WrittenObject): ConfigMap {
  const object: ObjectName = { kind: 'ConfigMap', namespace, name };
  const texts = new Map(textEntries(mapIn(map, 'data')));
  const placeOf = (key: string): TextPlace => ({ object, document, path: [...path, 'data', key], line: 0 });
  const files = new Map<string, readonly Assignment[]>();
  const readFile = (key: string): readonly Assignment[] => {
    const file = files.get(key) ?? readConfigText(key, texts.get(key) ?? '', placeOf(key));
    files.set(key, file);
    return file;
  };
  return { texts, placeOf, readFile };
}
