// An object as it was written, for whoever reads more of it than what decides about its traffic today.
import { mapAt } from './loose-map.ts';
import type { NamedObject } from './named-object.ts';
import type { TextDocument } from '../text/text-document.ts';
import { isMap, type LooseMap, type Value } from '../text/yaml-value.ts';

/** Of a Secret, the names of its keys stand here and none of their values. */
export interface WrittenObject extends NamedObject {
  readonly apiVersion: string;
  readonly document: TextDocument;
}

/** All, none, or those that it holds for; of pods in a list of JSON, what decides nothing about traffic is only there where all are kept. */
export type KeepsWritten = boolean | ((object: WrittenObject) => boolean);

export function asWritten(object: NamedObject, apiVersion: string, document: TextDocument): WrittenObject {
  const map = object.kind === 'Secret' ? withoutValues(object.map) : object.map;
  return { ...object, map, apiVersion, document };
}

function withoutValues({ metadata = null, data, stringData }: LooseMap): LooseMap {
  return { metadata, data: keysOf(data), stringData: keysOf(stringData) };
}

function keysOf(value: Value | undefined): LooseMap {
  return isMap(value) ? Object.fromEntries(Object.keys(value).map((key) => [key, null])) : {};
}

/** The spec of a workload's pods, and where it stands in the object. */
export function podSpecOf({ kind, map }: WrittenObject): { readonly spec: LooseMap; readonly path: readonly string[] } {
  const steps = kind === 'Pod' ? ['spec'] : kind === 'CronJob' ? ['spec', 'jobTemplate', 'spec', 'template', 'spec'] : ['spec', 'template', 'spec'];
  return { spec: mapAt(map, steps), path: steps };
}
