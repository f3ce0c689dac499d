// A page of `cases/lint` or `cases/repair`: its sentence of purpose, the text it starts from, and what is expected of it.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sortFindings, type Finding } from '../../src/base/finding.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { saysWhoCalls } from '../../src/lint/callers/callers.ts';
import { lintCluster } from '../../src/lint/lint.ts';
import { mendForm, type EditedTexts, type LintTexts } from '../../src/mend/prove-edits.ts';
import { repairText } from '../../src/mend/repair-text.ts';
import { readSuppressions, suppressFindings } from '../../src/lint/settings/suppressions.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { reachOf } from '../cases/loaded-case.ts';
import { cloneRoot } from '../needs.ts';

export interface CasePage {
  /** From the root of the clone. */
  readonly file: string;
  readonly purpose: string;
  /** The fenced block behind which a page stands: its language (`yaml`, `text` or `markdown`) says how it is read. */
  readonly text: string;
  readonly isProse: boolean;
  /** Codes in backticks in what stands outside the blocks. */
  readonly namedCodes: ReadonlySet<string>;
  /** Manifests beside it, which are only read. */
  readonly cluster: string | undefined;
  readonly findings: string;
  /** The text after the repair and the edits that need no question, where the page shows it. */
  readonly repaired: string | undefined;
  /** Who reaches whom once the text is repaired and read with the cluster, where the page shows it. */
  readonly reach: string | undefined;
}

/** A block that holds fences of three backticks opens with four. */
const BLOCK = /^(`{3,4})(\w+(?: cluster)?)\n([^]*?)^\1$/gm;

/** All pages, in order. */
export function lintPages(): readonly CasePage[] {
  return globSync('cases/{correct,lint,repair}/*.md', { cwd: cloneRoot }).sort().map(readPage);
}

function readPage(file: string): CasePage {
  const source = readFileSync(join(cloneRoot, file), 'utf8');
  const blocks = new Map([...source.matchAll(BLOCK)].map((match) => [match[2]!, match[3]!]));
  const text = blocks.get('yaml') ?? blocks.get('markdown') ?? blocks.get('text');
  const findings = blocks.get('findings');
  if (text === undefined || findings === undefined) throw new Error(`${file}: lacks a block`);
  const purpose = source.split('\n').find((line) => line !== '' && !line.startsWith('#')) ?? '';
  const namedCodes = new Set([...source.replace(BLOCK, '').matchAll(/`([a-z-]+)`/g)].map((match) => match[1]!));
  return { file, purpose, text, namedCodes, isProse: !blocks.has('yaml'), cluster: blocks.get('yaml cluster'), findings, repaired: blocks.get('repaired'), reach: blocks.get('reach') };
}

export interface CaseAnswer {
  /** Of every kind, as the page's text has them before it is mended. */
  readonly all: readonly Finding[];
  readonly findings: string;
  readonly repaired: string;
  readonly reach: string;
}

/** Pages are small, so nearly every one of them is weak in these ways: they are shown only on pages that name them. */
const BACKGROUND_CODES: ReadonlySet<string> = new Set(['no-default-deny', 'workload-not-selected', 'rule-redundant']);

/** Sets that are as they should be: whatever is found of them is shown, and must be explained. */
export function isCorrect({ file }: CasePage): boolean {
  return file.startsWith('cases/correct/');
}

/** Repairs, reads, lints and mends as `bulkhead lint --fix` does without asking. */
export function answerPage(page: CasePage): CaseAnswer {
  const file = page.isProse ? 'page.md' : 'page.yaml';
  const repair = repairText(file, unmask(page.text));
  const lintTexts: LintTexts = (texts) => {
    const { cluster, findings, written } = readManifests([sourceFromText(file, texts.get(file)!.manifests), ...(page.cluster === undefined ? [] : [sourceFromText('cluster.yaml', page.cluster)])], { keepsWritten: saysWhoCalls });
    return { cluster, findings: suppressFindings([...findings, ...lintCluster(cluster, compileCluster(cluster), { written })], readSuppressions(file, texts.get(file)!.manifests)) };
  };
  const texts: EditedTexts = new Map([[file, { whole: repair.text, manifests: repair.text }]]);
  const linted = lintTexts(texts);
  const all = sortFindings([...repair.findings, ...linted.findings]);
  const { state } = mendForm({ texts, linted }, lintTexts);
  const repaired = state.texts.get(file)!.manifests;
  const shown = all.filter(({ code }) => isCorrect(page) || !BACKGROUND_CODES.has(code) || page.namedCodes.has(code));
  return { all, findings: shown.map(findingLine).join(''), repaired: mask(page.isProse ? trimLines(repaired) : repaired), reach: reachOf(compileCluster(state.linted.cluster)) };
}

/** Signs that no reader of the page could see are written as `<U+00A0>`. */
function unmask(text: string): string {
  return text.replace(/<U\+([0-9A-F]{4})>/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

function mask(text: string): string {
  return text.replace(/[\u0009\u000d\u00a0\u200b-\u200f\u2060\ufeff]/g, (sign) => `<U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}>`);
}

function trimLines(text: string): string {
  return `${text.trim()}\n`;
}

function findingLine({ code, severity, range, message }: Finding): string {
  return `${code} ${severity} ${range?.start.line ?? 0}:${range?.start.column ?? 0} ${message}\n`;
}

/** Rewrites the expected blocks of a page. */
export function updatePage({ file }: CasePage, answer: CaseAnswer): void {
  const path = join(cloneRoot, file);
  const replaced = readFileSync(path, 'utf8').replace(BLOCK, (whole, fence: string, name: string) => {
    if (name !== 'findings' && name !== 'repaired' && name !== 'reach') return whole;
    return `${fence}${name}\n${answer[name]}${fence}`;
  });
  writeFileSync(path, replaced);
}
