// The ConfigMaps of the input, and whether their keys are there; of Secrets it is known that they are there, and no value.
import type { ObjectName } from '../base/finding.ts';
import type { WrittenObject } from '../read/written-object.ts';
import type { TextPlace } from './assignment.ts';
import { mapIn, textEntries } from './loose.ts';

export interface ConfigMap {
  /** Texts by key; binary data is left out. */
  readonly texts: ReadonlyMap<string, string>;
  placeOf(key: string): TextPlace;
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
  return { texts: new Map(textEntries(mapIn(map, 'data'))), placeOf: (key) => ({ object, document, path: [...path, 'data', key], line: 0 }) };
}
