// Reads what the containers of a workload are told: environment, commands and arguments, hooks and probes, and the files of ConfigMaps.
import type { Path } from '../../model/origin.ts';
import type { LooseMap } from '../../read/text/yaml-value.ts';
import { podSpecOf, type WrittenObject } from '../../read/values/written-object.ts';
import type { Assignment, MissingText, TextPlace, WorkloadTexts } from './assignment.ts';
import { readCommand } from './command-words.ts';
import type { ConfigMaps } from './config-maps.ts';
import { expandVariables, type Variables } from './expand-variables.ts';
import { mapAt, mapIn, mapsIn, textIn, textsIn } from '../../read/values/loose-map.ts';

/** `path` is that below the object. */
export function placeIn({ kind, namespace, name, document, path: start }: WrittenObject, path: Path): TextPlace {
  return { object: { kind, namespace, name }, document, path: [...start, ...path], line: 0 };
}

export function readWorkloadTexts(object: WrittenObject, configMaps: ConfigMaps): WorkloadTexts {
  const { spec, path } = podSpecOf(object);
  const reading: Reading = { object, configMaps, assignments: [], missing: [] };
  for (const list of ['initContainers', 'containers']) {
    for (const [index, container] of mapsIn(spec, list)) readContainer(reading, container, [...path, list, index]);
  }
  for (const [index, volume] of mapsIn(spec, 'volumes')) readVolume(reading, volume, [...path, 'volumes', index]);
  return reading;
}

interface Reading extends WorkloadTexts {
  readonly object: WrittenObject;
  readonly configMaps: ConfigMaps;
  readonly assignments: Assignment[];
  readonly missing: MissingText[];
}


function readContainer(reading: Reading, container: LooseMap, path: Path): void {
  const variables = new Map<string, string>();
  readSources(reading, container, path, variables);
  readVariables(reading, container, path, variables);
  readCommands(reading, container, path, variables);
}

function readSources(reading: Reading, container: LooseMap, path: Path, variables: Map<string, string>): void {
  for (const [index, source] of mapsIn(container, 'envFrom')) {
    const prefix = textIn(source, 'prefix') ?? '';
    const place = placeIn(reading.object, [...path, 'envFrom', index]);
    const config = findConfig(reading, mapIn(source, 'configMapRef'), { key: '', place });
    for (const [key, text] of config?.texts ?? []) {
      variables.set(`${prefix}${key}`, text);
      reading.assignments.push({ key: `${prefix}${key}`, value: text, group: groupOf(path), place: config!.placeOf(key) });
    }
    noteSecret(reading, mapIn(source, 'secretRef'), { key: '', place });
  }
}

function readVariables(reading: Reading, container: LooseMap, path: Path, variables: Map<string, string>): void {
  for (const [index, variable] of mapsIn(container, 'env')) {
    const key = textIn(variable, 'name');
    if (key === undefined) continue;
    const own = [...path, 'env', index];
    const text = textIn(variable, 'value');
    const read = text === undefined ? readReference(reading, mapIn(variable, 'valueFrom'), { key, path: [...own, 'valueFrom'] }) : { text, place: placeIn(reading.object, [...own, 'value']) };
    if (read === undefined) continue;
    const value = expandVariables(read.text, variables);
    variables.set(key, value);
    reading.assignments.push({ key, value, group: groupOf(path), place: read.place });
  }
}

function readReference(reading: Reading, valueFrom: LooseMap, { key, path }: { readonly key: string; readonly path: Path }): { readonly text: string; readonly place: TextPlace } | undefined {
  const place = placeIn(reading.object, path);
  noteSecret(reading, mapIn(valueFrom, 'secretKeyRef'), { key, place });
  const reference = mapIn(valueFrom, 'configMapKeyRef');
  const keyThere = textIn(reference, 'key');
  const config = findConfig(reading, reference, { key, place });
  if (config === undefined || keyThere === undefined) return undefined;
  const text = config.texts.get(keyThere);
  if (text !== undefined) return { text, place: config.placeOf(keyThere) };
  reading.missing.push({ kind: 'key', key, name: textIn(reference, 'name') ?? '', keyThere, isOptional: reference['optional'] === true, place });
  return undefined;
}

interface Wanted {
  readonly key: string;
  readonly place: TextPlace;
}

function findConfig(reading: Reading, reference: LooseMap, { key, place }: Wanted): ReturnType<ConfigMaps> {
  const name = textIn(reference, 'name');
  if (name === undefined) return undefined;
  const config = reading.configMaps(reading.object.namespace, name);
  if (config === undefined) reading.missing.push({ kind: 'config-map', key, name, keyThere: textIn(reference, 'key'), isOptional: reference['optional'] === true, place });
  return config;
}

/** Its value is not looked for: that it is a Secret's is all there is to say. */
function noteSecret(reading: Reading, reference: LooseMap, { key, place }: Wanted): void {
  const name = textIn(reference, 'name');
  if (name !== undefined) reading.missing.push({ kind: 'secret', key, name, keyThere: textIn(reference, 'key'), isOptional: reference['optional'] === true, place });
}

/** Of one container. */
function groupOf(path: Path): string {
  return JSON.stringify(path);
}

const HANDLERS: readonly (readonly string[])[] = [['livenessProbe', 'exec'], ['readinessProbe', 'exec'], ['startupProbe', 'exec'], ['lifecycle', 'postStart', 'exec'], ['lifecycle', 'preStop', 'exec']];

/** A command and its arguments are one line; a probe of `exec` runs in the container, all others come from the node. */
function readCommands(reading: Reading, container: LooseMap, path: Path, variables: Variables): void {
  const wordsAt = (map: LooseMap, field: string, at: Path): { readonly text: string; readonly place: TextPlace }[] =>
    textsIn(map, field).map(([index, text]) => ({ text: expandVariables(text, variables), place: placeIn(reading.object, [...at, field, index]) }));
  reading.assignments.push(...readCommand([...wordsAt(container, 'command', path), ...wordsAt(container, 'args', path)], `${groupOf(path)} command`));
  for (const steps of HANDLERS) {
    const at = [...path, ...steps];
    reading.assignments.push(...readCommand(wordsAt(mapAt(container, steps), 'command', at), groupOf(at)));
  }
}

/** Files of a ConfigMap, alone or among others; of several keys only those that `items` names. */
function readVolume(reading: Reading, volume: LooseMap, path: Path): void {
  readConfigVolume(reading, mapIn(volume, 'configMap'), [...path, 'configMap']);
  for (const [index, source] of mapsIn(mapIn(volume, 'projected'), 'sources')) {
    readConfigVolume(reading, mapIn(source, 'configMap'), [...path, 'projected', 'sources', index, 'configMap']);
  }
}

function readConfigVolume(reading: Reading, source: LooseMap, path: Path): void {
  const config = findConfig(reading, source, { key: '', place: placeIn(reading.object, path) });
  if (config === undefined) return;
  const items = mapsIn(source, 'items').flatMap(([, item]) => textIn(item, 'key') ?? []);
  for (const key of source['items'] === undefined ? config.texts.keys() : items) reading.assignments.push(...config.readFile(key));
}
