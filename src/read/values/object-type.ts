// What kind an object is of, and what is said of kinds that are not read.
import type { TextEdit } from '../../base/finding.ts';
import { nearestWordAnyCase } from '../../base/near-miss.ts';
import { insertField } from './field-edits.ts';
import { ALL_READ_KINDS, apiVersionOf } from './kinds.ts';
import { readText, REFUSED, shorten } from './loose-value.ts';
import { refuse, remark, type ObjectContext } from './object-context.ts';
import type { LooseObject } from './loose-object.ts';
import { isMap, type LooseMap } from '../text/yaml-value.ts';

/** An object that says what it is. */
export interface TypedMap {
  readonly kind: string;
  readonly apiVersion: string;
  readonly map: LooseMap;
}

/** undefined: it does not say, with a finding, or it need not. */
export function readTypeOf(context: ObjectContext, loose: LooseObject): TypedMap | undefined {
  const { value, path } = loose;
  if (!isMap(value)) {
    refuse(context, path, 'missing-kind', `this is no Kubernetes object, but ${Array.isArray(value) ? 'a list' : value === null ? 'nothing' : 'a single value'}`, { leavesOut: 'the answer leaves it out' });
    return undefined;
  }
  if (isKustomization(loose)) return undefined;
  const kind = typeField(context, loose, value, 'kind', loose.listKind);
  const apiVersion = typeField(context, loose, value, 'apiVersion', loose.listApiVersion);
  return kind === undefined || apiVersion === undefined ? undefined : { kind, apiVersion, map: value };
}

/** `kustomization.yaml` is the one file without a kind that belongs beside manifests. */
function isKustomization({ document, value }: LooseObject): boolean {
  return /(^|[\\/])kustomization\.ya?ml$|(^|[\\/])Kustomization$/.test(document.file) && isMap(value) && value['kind'] === undefined;
}

function typeField(context: ObjectContext, loose: LooseObject, map: LooseMap, field: string, otherwise: string | undefined): string | undefined {
  const place = [...loose.path, field];
  const text = readText(context, map[field], place);
  if (text === REFUSED) return undefined;
  const found = text === undefined || text === '' ? otherwise : text;
  if (found === undefined) refuse(context, place, 'missing-kind', `the object has no \`${field}\``, { help: helpForType(field, map), leavesOut: 'the answer leaves it out', edits: addedType(context, loose, field, map) });
  return found;
}

/** `apiVersion` is known by the kind; a field in other letters is mended otherwise. */
function addedType(context: ObjectContext, { path }: LooseObject, field: string, map: LooseMap): readonly TextEdit[] | undefined {
  const kind = map['kind'];
  const apiVersion = typeof kind === 'string' ? apiVersionOf(kind) : undefined;
  const isMissing = field === 'apiVersion' && !Object.keys(map).some((key) => key.toLowerCase() === 'apiversion');
  return isMissing && apiVersion !== undefined ? insertField(context.document, path, map, `apiVersion: ${apiVersion}`) : undefined;
}

function helpForType(field: string, map: LooseMap): string {
  const other = Object.keys(map).find((key) => key.toLowerCase() === field.toLowerCase());
  if (other !== undefined && other !== field) return `did you mean \`${field}\` for \`${shorten(other)}\`?`;
  const kind = map['kind'];
  const apiVersion = typeof kind === 'string' ? apiVersionOf(kind) : undefined;
  return field === 'apiVersion' && apiVersion !== undefined ? `write \`apiVersion: ${apiVersion}\`` : `write its \`${field}\`, or take the file out of the input`;
}

export function refuseRemoved(context: ObjectContext, loose: LooseObject, kind: string, apiVersion: string, removed: { readonly replacement: string; readonly isRead: boolean }): void {
  const place = [...loose.path, 'apiVersion'];
  const message = `no server has \`${apiVersion}\` any more for a ${kind}`;
  const details = { help: `write \`apiVersion: ${removed.replacement}\``, replacement: removed.replacement };
  if (removed.isRead) remark(context, place, 'removed-api-version', 'warning', `${message}; it is read as ${removed.replacement}`, details);
  else refuse(context, place, 'removed-api-version', message, { ...details, leavesOut: 'the answer leaves the policy out and may show more open than it would be' });
}

export function refuseUnsupported(context: ObjectContext, loose: LooseObject, kind: string, apiVersion: string, engine: string | undefined): void {
  const whose = engine === undefined ? '' : ` of ${engine}`;
  refuse(context, [...loose.path, 'kind'], 'unsupported-policy-kind', `${describeObject(context, kind)} (${shorten(apiVersion)}) is a policy${whose} of a kind that is not judged`, {
    help: 'take it out of the input, or read on with `--lenient` and without it',
    leavesOut: 'the answer is as if it were not there: what it denies counts as open, what it allows as not allowed by it',
  });
}

/** What a mesh refuses comes on top: the answer says what the network lets through. */
export function noteMeshPolicy(context: ObjectContext, loose: LooseObject, kind: string, engine: string): void {
  remark(context, [...loose.path, 'kind'], 'mesh-policy-not-judged', 'info', `${describeObject(context, kind)} is judged by the proxies of ${engine}, behind the network: it may refuse what the answer shows as allowed`);
}

function describeObject({ object: { namespace, name } }: ObjectContext, kind: string): string {
  return `the ${shorten(kind)} \`${shorten(namespace === '' ? name : `${namespace}/${name}`)}\``;
}

export function refuseUnknownKind(context: ObjectContext, loose: LooseObject, kind: string, apiVersion: string, kinds: readonly string[]): void {
  const home = ALL_READ_KINDS.includes(kind) ? apiVersionOf(kind) : undefined;
  const near = home === undefined ? nearestWordAnyCase(kind, [...kinds, ...ALL_READ_KINDS]) : undefined;
  const help = home !== undefined ? `write \`apiVersion: ${home}\`` : near !== undefined ? `did you mean \`${near}\`?` : undefined;
  refuse(context, [...loose.path, home === undefined ? 'kind' : 'apiVersion'], 'unknown-kind', `\`${shorten(apiVersion)}\` has no kind \`${shorten(kind)}\``, {
    ...(help === undefined ? {} : { help, replacement: home ?? near! }),
    leavesOut: 'the answer leaves it out',
  });
}
