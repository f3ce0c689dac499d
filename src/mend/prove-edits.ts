// Makes the edits of findings in texts, each only where it is proven: its finding vanishes, none appears, and for edits of form the cluster stays the same.
import type { Finding, TextEdit } from '../base/finding.ts';
import type { FindingCode } from '../base/finding-code.ts';
import type { Cluster } from '../model/cluster.ts';
import { applyEdits } from './apply-edits.ts';
import { isSameCluster } from './same-meaning.ts';

/** One file while it is edited. */
export interface EditedText {
  /** The file. */
  readonly whole: string;
  /** What is read of it: of prose the manifests alone, on the lines where they stand in the file. */
  readonly manifests: string;
}

/** By file. */
export type EditedTexts = ReadonlyMap<string, EditedText>;

export interface LintedCluster {
  readonly cluster: Cluster;
  /** Their places are those of the texts. */
  readonly findings: readonly Finding[];
}

/** Reads and lints the texts, together with whatever stands beside them. */
export type LintTexts = (texts: EditedTexts) => LintedCluster;

export interface EditState {
  readonly texts: EditedTexts;
  readonly linted: LintedCluster;
}

export interface Mended {
  readonly state: EditState;
  /** What vanished. */
  readonly findings: readonly Finding[];
}

/**
 * `error`: what could not be understood becomes readable, so findings about what it means may appear. `form`: the
 * text is read as before. `meaning`: policies will mean something else, so its author is asked.
 */
type EditKind = 'error' | 'form' | 'meaning';

const FORM_CODES: ReadonlySet<FindingCode> = new Set(['sloppy-cidr', 'yaml-number-word', 'removed-api-version', 'namespace-label-replaced', 'missing-pod-selector']);

function kindOf({ code, severity }: Finding): EditKind {
  return severity === 'error' ? 'error' : FORM_CODES.has(code) ? 'form' : 'meaning';
}

/** Errors of which each hides what stands behind it: an edit may bring that to light. */
const HIDING_CODES: ReadonlySet<FindingCode> = new Set(['yaml-syntax', 'yaml-duplicate-key', 'json-syntax', 'missing-kind', 'unknown-kind', 'removed-api-version', 'unknown-field', 'wrong-type', 'yaml-boolean-word']);

/** An error that is mended may show the next one; deeper than this nobody errs. */
const ROUNDS_MAX = 8;

/** What `lint --fix` makes without asking. */
export function mendForm(start: EditState, lintTexts: LintTexts): Mended {
  const mending: Mending = { lintTexts, state: start, findings: [], refused: new Set(), lintsLeft: LINTS_MAX };
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const before = mending.findings.length;
    for (const kind of ['error', 'form'] as const) mendAll(mending, kind, candidates(mending.state, kind).filter((finding) => !mending.refused.has(findingKey(finding))));
    if (mending.findings.length === before) break;
  }
  return mending;
}

/** Times that all is linted again; what is not proven by then is left. */
const LINTS_MAX = 60;

interface Mending {
  readonly lintTexts: LintTexts;
  state: EditState;
  readonly findings: Finding[];
  readonly refused: Set<string>;
  lintsLeft: number;
}

/** All at once where that is proven; else half by half. */
function mendAll(mending: Mending, kind: EditKind, group: readonly Finding[]): void {
  if (group.length === 0 || mending.lintsLeft-- <= 0) return;
  const next = tryEdits(mending.state, mending.lintTexts, { kind, group });
  if (next !== undefined) {
    mending.state = next;
    mending.findings.push(...group);
  } else if (group.length === 1) {
    mending.refused.add(findingKey(group[0]!));
  } else {
    const middle = group.length >> 1;
    for (const half of [group.slice(0, middle), group.slice(middle)]) {
      const keys = new Set(half.map(findingKey));
      // Their places may have moved since.
      mendAll(mending, kind, candidates(mending.state, kind).filter((finding) => keys.has(findingKey(finding))));
    }
  }
}

export interface Proposal {
  readonly finding: Finding;
  readonly next: EditState;
}

/** The first edit that changes what policies mean, is proven and has not been declined; `decline` names it. */
export function proposeEdit(state: EditState, lintTexts: LintTexts, declined: Set<string>): Proposal | undefined {
  for (const finding of candidates(state, 'meaning')) {
    if (declined.has(findingKey(finding))) continue;
    const next = tryEdits(state, lintTexts, { kind: 'meaning', group: [finding] });
    if (next !== undefined) return { finding, next };
    declined.add(findingKey(finding));
  }
  return undefined;
}

/** How many edits wait for an answer, proven or not. */
export function countProposals(state: EditState): number {
  return candidates(state, 'meaning').length;
}

/** Of how many findings `mendForm` would try the edits at once. */
export function countMendable(state: EditState): number {
  return candidates(state, 'error').length + candidates(state, 'form').length;
}

function candidates({ texts, linted }: EditState, kind: EditKind): readonly Finding[] {
  const refused = new Set(linted.findings.filter(({ severity }) => severity === 'error').map(subjectOf));
  // Of what is refused the cluster shows nothing, so that nothing could be proven of it.
  const isFit = (finding: Finding): boolean => kind === 'error' || !refused.has(subjectOf(finding));
  return linted.findings.filter((finding) => finding.edits !== undefined && finding.file !== undefined && texts.has(finding.file) && kindOf(finding) === kind && isFit(finding));
}

function subjectOf({ file, object }: Finding): string {
  return [file, object?.kind, object?.namespace, object?.name].join('\n');
}

/** Names a finding wherever its text has moved to. */
export function findingKey({ code, file, object, message }: Finding): string {
  return [code, file, object?.kind, object?.namespace, object?.name, message].join('\n');
}

interface EditGroup {
  readonly kind: EditKind;
  readonly group: readonly Finding[];
}

function tryEdits(state: EditState, lintTexts: LintTexts, { kind, group }: EditGroup): EditState | undefined {
  const texts = editTexts(state.texts, group);
  const linted = lintTexts(texts);
  return isProven(state.linted, linted, { kind, group }) ? { texts, linted } : undefined;
}

function editTexts(texts: EditedTexts, group: readonly Finding[]): EditedTexts {
  const edits = new Map<string, TextEdit[]>();
  for (const finding of group) edits.set(finding.file!, [...(edits.get(finding.file!) ?? []), ...(finding.edits ?? [])]);
  const edited = new Map(texts);
  for (const [file, own] of edits) {
    const { whole, manifests } = texts.get(file)!;
    const lines = withLineEnds(whole, own);
    const text = applyEdits(whole, lines);
    edited.set(file, { whole: text, manifests: manifests === whole ? text : applyEdits(manifests, lines) });
  }
  return edited;
}

/** What is written ends its lines as the first line of the file does. */
export function withLineEnds(text: string, edits: readonly TextEdit[]): readonly TextEdit[] {
  return /^[^\n]*\r\n/.test(text) ? edits.map((edit) => ({ ...edit, text: edit.text.replace(/\r?\n/g, '\r\n') })) : edits;
}

/** A parser stops at the first of several mistakes; the next one of the same words stands elsewhere. */
function isSamePlace(finding: Finding, vanished: Finding | undefined): boolean {
  if (vanished === undefined) return false;
  const [a, b] = [finding.range?.start, vanished.range?.start];
  return !HIDING_CODES.has(finding.code) || (a?.line === b?.line && a?.column === b?.column);
}

function isProven(before: LintedCluster, after: LintedCluster, { kind, group }: EditGroup): boolean {
  const left = countKeys(before.findings);
  for (const finding of group) left.set(findingKey(finding), left.get(findingKey(finding))! - 1);
  const uncovered = new Set(group.filter(({ code }) => HIDING_CODES.has(code)).map(({ file }) => file));
  const mayAppear = (finding: Finding): boolean => kind === 'error' && (finding.severity !== 'error' || uncovered.has(finding.file));
  const vanishing = new Map(group.map((finding) => [findingKey(finding), finding]));
  const fresh: Finding[] = [];
  for (const finding of after.findings) {
    const key = findingKey(finding);
    const count = left.get(key) ?? 0;
    left.set(key, count - 1);
    const vanished = vanishing.get(key);
    if (count > 0) continue;
    if (isSamePlace(finding, vanished)) return false;
    if (mayAppear(finding)) continue;
    if (vanished !== undefined) return false;
    fresh.push(finding);
  }
  const gone = before.findings.filter((finding) => !vanishing.has(findingKey(finding)) && (left.get(findingKey(finding)) ?? 0) > 0);
  return isReworded(fresh, gone) && (kind !== 'form' || isSameCluster(before.cluster, after.cluster));
}

function countKeys(findings: readonly Finding[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const finding of findings) counts.set(findingKey(finding), (counts.get(findingKey(finding)) ?? 0) + 1);
  return counts;
}

const SEVERITIES: readonly Finding['severity'][] = ['info', 'warning', 'error'];

/** Whether each is one of those that are gone, in other words: of the same code at the same object, and no more severe. */
function isReworded(fresh: readonly Finding[], gone: readonly Finding[]): boolean {
  const pool = [...gone];
  return fresh.every((finding) => {
    const at = pool.findIndex((other) => other.code === finding.code && subjectOf(other) === subjectOf(finding) && SEVERITIES.indexOf(other.severity) >= SEVERITIES.indexOf(finding.severity));
    if (at >= 0) pool.splice(at, 1);
    return at >= 0;
  });
}
