// What the user lets be of what `lint` found, by comments and by the settings file, and how severe the rest is to them.
import type { Finding } from '../base/finding.ts';
import type { EditedTexts } from '../mend/prove-edits.ts';
import type { Settings } from '../lint/settings/settings.ts';
import { SUPPRESSION_MARK } from '../lint/settings/suppression-mark.ts';
import type { RepairedInput } from './repair-inputs.ts';

export interface LetBe {
  /** Of what reading and linting found in these texts. Comments count before the settings file. */
  ofMeaning(findings: readonly Finding[], texts: EditedTexts): readonly Finding[];
  /** Of what was found while a text was repaired, where its own comments are not read yet. */
  ofText(findings: readonly Finding[]): readonly Finding[];
}

/** Loads only what the inputs and settings ask for. */
export async function openLetBe(settings: Settings | undefined, inputs: readonly RepairedInput[]): Promise<LetBe> {
  const hasComments = inputs.some(({ after }) => after?.includes(SUPPRESSION_MARK));
  const comments = hasComments ? await import('../lint/settings/suppressions.ts') : undefined;
  const rules = settings === undefined ? undefined : await import('../lint/settings/settings.ts');
  return {
    ofMeaning: (findings, texts) => {
      const suppressions = comments === undefined ? [] : [...texts].flatMap(([file, { manifests }]) => comments.readSuppressions(file, manifests));
      const left = comments === undefined ? findings : comments.suppressFindings(findings, suppressions);
      return rules === undefined || settings === undefined ? left : rules.applySettings(left, settings);
    },
    ofText: (findings) => (rules === undefined || settings === undefined ? findings : rules.applySeverities(findings, settings)),
  };
}
