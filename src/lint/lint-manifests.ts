// Manifests as texts, linted as one cluster: what an editor shows beside them, and what a program asks.
import { sortFindings, type Finding } from '../base/finding.ts';
import { readManifests, type ReadOptions } from '../read/read.ts';
import { compileCluster } from '../compile/compile.ts';
import { editsOf, moveFinding, placeBefore } from '../mend/apply-edits.ts';
import { repairText, type Repair } from '../mend/repair-text.ts';
import { saysWhoCalls } from './callers/callers.ts';
import { lintCluster } from './lint.ts';
import type { LintOptions } from './checks/lint-meaning.ts';
import { applySettings, applySeverities, NO_SETTINGS, type Settings } from './settings/settings.ts';
import { readSuppressions, suppressFindings } from './settings/suppressions.ts';

export interface ManifestText {
  /** How findings name it. */
  readonly name: string;
  readonly text: string;
}

export interface ManifestLintOptions extends LintOptions, ReadOptions {
  /** Severities and suppressions of `bulkhead.yaml`; its inputs and engine are for the caller. */
  readonly settings?: Settings | undefined;
}

/**
 * What is wrong or weak, all places in the texts as given. A text that is broken is judged as it would be repaired, so
 * that one mistake does not hide the others. What comments and settings let be is left out. Sorted; never throws.
 */
export function lintManifests(texts: readonly ManifestText[], options: ManifestLintOptions = {}): Finding[] {
  const repairs = new Map(texts.map(({ name, text }) => [name, { before: text, ...repairText(name, text) }]));
  const encoder = new TextEncoder();
  const { cluster, findings, written } = readManifests([...repairs].map(([name, { text }]) => ({ name, chunks: () => [encoder.encode(text)] })), { ...options, keepsWritten: saysWhoCalls });
  const meaning = lintCluster(cluster, compileCluster(cluster), { ...options, written });
  const suppressions = [...repairs].flatMap(([name, { text }]) => readSuppressions(name, text));
  const placed = placeInTexts(suppressFindings([...findings, ...meaning], suppressions), repairs);
  const { settings = NO_SETTINGS } = options;
  return sortFindings([...applySeverities([...repairs.values()].flatMap((repair) => repair.findings), settings), ...applySettings(placed, settings)]);
}

type KnownRepair = Repair & { readonly before: string };

/** A finding of a repaired text stands where its place was before. */
function placeInTexts(findings: readonly Finding[], repairs: ReadonlyMap<string, KnownRepair>): Finding[] {
  const ofFile = Map.groupBy(findings, ({ file }) => file ?? '');
  return [...ofFile].flatMap(([file, found]) => {
    const repair = repairs.get(file);
    if (repair?.isChanged !== true) return found;
    const place = placeBefore(repair.before, editsOf(repair.findings));
    return found.map((finding) => moveFinding(finding, place));
  });
}
