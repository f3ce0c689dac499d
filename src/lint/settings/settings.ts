// Reads `bulkhead.yaml`: which inputs and engine are meant, how severe findings are, and which are let be.
import * as v from 'valibot';
import { isMap, isNode, LineCounter, parseDocument, type Document } from 'yaml';
import { FINDING_CODES, type FindingCode } from '../../base/finding-code.ts';
import type { Finding, Severity } from '../../base/finding.ts';
import { nearestWord } from '../../base/near-miss.ts';
import type { TextRange } from '../../base/source-position.ts';
import { WordError } from '../../base/word-error.ts';

export interface Settings {
  /** Files and folders, as written: relative to the file's own folder. Empty: none. */
  readonly inputs: readonly string[];
  readonly engine: string | undefined;
  /** `off`: not shown. */
  readonly severities: ReadonlyMap<FindingCode, Severity | 'off'>;
  readonly suppressions: readonly SettingsSuppression[];
  /** Files of recorded flows, as `inputs`: an editor says what of them a policy would refuse. */
  readonly flows: readonly string[];
  /** What `report` judges controls by. */
  readonly scopes: readonly SettingsScope[];
}

/** Words for ends, as `explain` takes them; what they mean is for whoever asks about them. */
export interface SettingsScope {
  readonly name: string;
  /** A word for its pods. */
  readonly pods: string;
  /** Words for those that may open connections to them; empty: nobody beyond the scope. */
  readonly from: readonly string[];
  /** Words for those that its pods may open connections to; undefined: that is not asked. */
  readonly to: readonly string[] | undefined;
  /** Chains through those in `from` are looked for up to this many connections; undefined: what comes through them is theirs to answer for. */
  readonly hopsMax: number | undefined;
  /** Names of the frameworks that it is evidence for; undefined: all of them. */
  readonly frameworks: readonly string[] | undefined;
}

/** All that is given must fit. `*` stands for any signs but `/`, `**` for any at all. */
export interface SettingsSuppression {
  readonly code: FindingCode;
  readonly reason: string;
  readonly file: string | undefined;
  /** `Kind/namespace/name`, or `Kind/name` of what has no namespace. */
  readonly object: string | undefined;
  readonly place: { readonly file: string; readonly range: TextRange };
}

export const NO_SETTINGS: Settings = { inputs: [], engine: undefined, severities: new Map(), suppressions: [], flows: [], scopes: [] };

export const SEVERITY_WORDS = ['error', 'warning', 'info', 'off'] as const;

const text = v.pipe(v.string(), v.nonEmpty());
const suppressionFields = { code: v.picklist(FINDING_CODES), reason: text, file: v.optional(text), object: v.optional(text) };
const scopeFields = { name: text, pods: text, from: v.optional(v.array(text)), to: v.optional(v.array(text)), hops: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))), frameworks: v.optional(v.array(text)) };
/** The keys of each map of the file; the JSON schema in docs/reference has the same. */
export const SETTINGS_KEYS: { readonly settings: readonly string[]; readonly suppression: readonly string[]; readonly scope: readonly string[] } = { settings: ['inputs', 'engine', 'severities', 'suppressions', 'flows', 'scopes'], suppression: Object.keys(suppressionFields), scope: Object.keys(scopeFields) };

const schema = v.strictObject({
  inputs: v.optional(v.array(text)),
  engine: v.optional(text),
  severities: v.optional(v.record(v.picklist(FINDING_CODES), v.picklist(SEVERITY_WORDS))),
  suppressions: v.optional(v.array(v.strictObject(suppressionFields))),
  flows: v.optional(v.array(text)),
  scopes: v.optional(v.array(v.strictObject(scopeFields))),
});

/** Throws WordError, with file and line, where anything in it cannot be understood. */
export function readSettings(file: string, source: string): Settings {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken !== undefined) throw new WordError(`${file}:${lines.linePos(broken.pos[0]).line}: ${broken.message.split('\n')[0]!.replace(/ at line .*$/, '')}`);
  if (document.contents === null) return NO_SETTINGS;
  if (!isMap(document.contents)) throw new WordError(`${file}:1: the file is no map`, `its keys are ${SETTINGS_KEYS.settings.join(', ')}`);
  const parsed = v.safeParse(schema, toData(document, file));
  if (!parsed.success) throw describeIssue(parsed.issues[0], document, { file, lines });
  const { inputs = [], engine, severities = {}, suppressions = [], flows = [], scopes = [] } = parsed.output;
  return {
    inputs,
    engine,
    severities: new Map(Object.entries(severities) as [FindingCode, Severity | 'off'][]), // the schema takes no other keys
    suppressions: suppressions.map((given, index) => ({ ...given, file: given.file, object: given.object, place: { file, range: rangeAt(document, ['suppressions', index], lines) } })),
    flows,
    scopes: scopes.map(({ name, pods, from = [], to, hops, frameworks }) => ({ name, pods, from, to, hopsMax: hops, frameworks })),
  };
}

/** The parser refuses more aliases than anybody writes. */
function toData(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new WordError(`${file}:1: ${error instanceof Error ? error.message : String(error)}`);
  }
}

type Key = string | number;

function describeIssue(issue: v.BaseIssue<unknown>, document: Document, { file, lines }: { readonly file: string; readonly lines: LineCounter }): WordError {
  const path = (issue.path ?? []).map(({ key }) => key as Key); // keys of YAML maps and lists
  const place = `${file}:${keyLine(document, path, lines)}`;
  const last = path[path.length - 1];
  if (issue.type === 'strict_object' && last !== undefined) {
    const known = path[0] === 'suppressions' ? SETTINGS_KEYS.suppression : path[0] === 'scopes' ? SETTINGS_KEYS.scope : SETTINGS_KEYS.settings;
    return issue.expected === 'never' ? unknownWord(place, 'key', { word: String(last), known }) : new WordError(`${place}: \`${String(last)}\` is missing`, path[0] === 'scopes' ? 'a scope needs `name` and `pods`' : 'a suppression needs `code` and `reason`');
  }
  const isCode = path[0] === 'severities' ? issue.path?.at(-1)?.origin === 'key' : last === 'code';
  if (issue.type === 'picklist') return unknownWord(place, isCode ? 'code of a finding' : 'severity', { word: String(issue.input), known: isCode ? FINDING_CODES : SEVERITY_WORDS });
  return new WordError(`${place}: ${path.length === 0 ? 'the file' : `\`${path.join('.')}\``} must be ${issue.expected ?? 'something else'}, and is ${issue.received}`);
}

function unknownWord(place: string, what: string, { word, known }: { readonly word: string; readonly known: readonly string[] }): WordError {
  const near = nearestWord(word, known);
  return new WordError(`${place}: \`${word}\` is no ${what} that is known here`, near !== undefined ? `did you mean \`${near}\`?` : known.length < 10 ? `known are ${known.join(', ')}` : 'they stand in docs/reference/findings.md');
}

/** Line of the key at the end of a path, or of what it would stand in. */
function keyLine(document: Document, path: readonly Key[], lines: LineCounter): number {
  const parent = path.length < 2 ? document.contents : document.getIn(path.slice(0, -1), true);
  const pair = isMap(parent) ? parent.items.find(({ key }) => isNode(key) && String(key) === String(path.at(-1))) : undefined;
  const node = pair !== undefined && isNode(pair.key) ? pair.key : isNode(parent) ? parent : undefined;
  return lines.linePos(node?.range?.[0] ?? 0).line;
}

function rangeAt(document: Document, path: readonly Key[], lines: LineCounter): TextRange {
  const node = document.getIn(path, true);
  const [start, end] = isNode(node) ? [node.range?.[0] ?? 0, node.range?.[1] ?? 0] : [0, 0];
  const [first, last] = [lines.linePos(start), lines.linePos(end)];
  return { start: { line: first.line, column: first.col }, end: { line: last.line, column: last.col } };
}

/** Severities and suppressions in force, of all that lint finds: a suppression that lets nothing be is found. An error stays one: every other verb stops at it. */
export function applySettings(findings: readonly Finding[], settings: Settings): Finding[] {
  const { left, unused } = sift(findings, settings);
  return [...left, ...unused.map(unusedSuppression)];
}

/** The same of a part of what lint finds, of which a suppression need not hold for any. */
export function letBe(findings: readonly Finding[], settings: Settings): Finding[] {
  return sift(findings, settings).left;
}

function sift(findings: readonly Finding[], { severities, suppressions }: Settings): { readonly left: Finding[]; readonly unused: readonly SettingsSuppression[] } {
  const patterns = suppressions.map((suppression) => ({ suppression, fits: fitter(suppression) }));
  const used = new Set<SettingsSuppression>();
  const left = findings.flatMap((finding): Finding[] => {
    if (finding.severity === 'error') return [finding];
    const own = patterns.find(({ fits }) => fits(finding));
    if (own !== undefined) used.add(own.suppression);
    return own === undefined ? applySeverities([finding], { severities }) : [];
  });
  return { left, unused: suppressions.filter((suppression) => !used.has(suppression)) };
}

/** Without the suppressions. */
export function applySeverities(findings: readonly Finding[], { severities }: Pick<Settings, 'severities'>): Finding[] {
  return findings.flatMap((finding) => {
    const severity = finding.severity === 'error' ? 'error' : (severities.get(finding.code) ?? finding.severity);
    return severity === 'off' ? [] : [severity === finding.severity ? finding : { ...finding, severity }];
  });
}

function fitter({ code, file, object }: SettingsSuppression): (finding: Finding) => boolean {
  const fileFits = patternOf(file);
  const objectFits = patternOf(object);
  return (finding) => finding.code === code && fileFits(finding.file ?? '') && objectFits(objectText(finding));
}

function objectText({ object }: Finding): string {
  return object === undefined ? '' : [object.kind, ...(object.namespace === '' ? [] : [object.namespace]), object.name].join('/');
}

function patternOf(pattern: string | undefined): (name: string) => boolean {
  if (pattern === undefined) return () => true;
  const signs = pattern.split(/(\*\*?)/).map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')));
  const expression = new RegExp(`^${signs.join('')}$`);
  return (name) => expression.test(name);
}

function unusedSuppression({ code, place }: SettingsSuppression): Finding {
  return { code: 'suppression-unused', severity: 'warning', message: `nothing is found as \`${code}\` where this entry looks, so there is nothing to ignore`, ...place, help: 'take the entry away; errors cannot be ignored' };
}
