// Reads the text of a configuration file, of whatever format, as assignments: YAML and JSON by their values, all else line by line.
import type { Path } from '../../model/origin.ts';
import { parsePlaces, findValue } from '../../read/text/place-tree.ts';
import { TextProblem } from '../../read/text/text-problem.ts';
import { parseYaml, type Value } from '../../read/text/yaml-value.ts';
import { lineStarts, positionAt } from '../../base/source-position.ts';
import type { Assignment, TextPlace } from './assignment.ts';
import { flattenTexts } from '../../read/values/loose-map.ts';

/** Longer texts are data rather than configuration, in UTF-16 units. */
const CONFIG_LENGTH_MAX = 1_048_576;

/** `name` is the file's, as a ConfigMap's key is. */
export function readConfigText(name: string, text: string, place: TextPlace): readonly Assignment[] {
  if (text.length > CONFIG_LENGTH_MAX) return [];
  if (/\.(?:ya?ml|json)$/i.test(name)) {
    const values = parseWhole(text);
    if (values !== undefined) return readValues(text, values, place);
  }
  return readLines(text, place);
}

/** undefined: it is no YAML, or several documents of it. */
function parseWhole(text: string): Value | undefined {
  try {
    const { values } = parseYaml(text);
    return values.length === 1 && typeof values[0] === 'object' && values[0] !== null ? values[0] : undefined;
  } catch (error) {
    if (error instanceof TextProblem) return undefined;
    throw error;
  }
}

function readValues(text: string, root: Value, place: TextPlace): Assignment[] {
  const places = parsePlaces(text);
  const starts = lineStarts(text);
  return flattenTexts(root).map(([path, value]) => {
    const start = places === undefined ? 0 : findValue(text, places, path).start;
    return { key: keyOf(path), value, group: `${place.object.name} ${JSON.stringify(place.path)} ${JSON.stringify(path.slice(0, -1))}`, place: { ...place, line: positionAt(starts, Math.max(start, 0)).line - 1 } };
  });
}

function keyOf(path: Path): string {
  return path.filter((step) => typeof step === 'string').join('.');
}

const COMMENT = /^\s*(?:#|;|\/\/|--|!|\*|\/\*)/;
const SECTION = /^\s*\[\s*"?([\w.\-/ ]+?)"?\s*\]\s*$/;
const FIELD = /^(\s*)(?:export\s+|-\s+)?["']?([A-Za-z_][\w.\-/]*)["']?\s*[:=](?!\/)\s*(\S.*)$/;
/** nginx' `proxy_pass http://api;`, HAProxy's `server a api:80 check`, fluent-bit's `Host es`, redis' `replicaof db 6379`. */
const DIRECTIVE = /^(\s*)([A-Za-z][\w-]*)\s+(\S.*)$/;
const OPENING = /^(\s*)(?:-\s+)?["']?([A-Za-z_][\w.-]*)["']?\s*(?::|\{|[^{};=]*\{)\s*$/;

interface Block {
  readonly indent: number;
  readonly name: string;
}

function readLines(text: string, place: TextPlace): Assignment[] {
  const assignments: Assignment[] = [];
  const ownNames = new Set([...text.matchAll(/^\s*upstream\s+(\S+)/gm)].map(([, name]) => name!.toLowerCase()));
  let section = '';
  let blocks: readonly Block[] = [];
  for (const [line, whole] of text.split(/\r?\n/).entries()) {
    if (whole.trim() === '' || COMMENT.test(whole)) continue;
    const heading = SECTION.exec(whole)?.[1];
    if (heading !== undefined) section = heading;
    const indent = whole.search(/\S/);
    blocks = blocks.filter((block) => block.indent < indent);
    const read = readLine(whole);
    if (read !== undefined) {
      const names = [section, ...blocks.map(({ name }) => name)].filter((name) => name !== '');
      assignments.push({
        key: [...names, read.key].join('.'),
        value: read.value,
        group: `${place.object.name} ${JSON.stringify(place.path)} ${names.join('.')} ${indent}`,
        place: { ...place, line },
        ownNames,
      });
    }
    const opened = OPENING.exec(whole)?.[2];
    if (opened !== undefined) blocks = [...blocks, { indent, name: opened }];
  }
  return assignments;
}

function readLine(line: string): { readonly key: string; readonly value: string } | undefined {
  const found = FIELD.exec(line) ?? DIRECTIVE.exec(line);
  if (found === null) return { key: '', value: line.trim() };
  const value = found[3]!.replace(/[;,]\s*$/, '').replace(/^(["'])(.*)\1$/, '$2');
  return { key: found[2]!, value: /^(?:replicaof|slaveof)$/.test(found[2]!) ? value.replace(/\s+(\d+)$/, ':$1') : value };
}
