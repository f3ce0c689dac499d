// What has drifted, as text, data, Markdown and workflow commands.
import { DRIFT_KINDS, type Drift, type DriftKind } from '../../drift/drift.ts';
import { workflowCommand } from '../findings/finding-github.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { count, countOf } from '../text/truth-table.ts';

export const DRIFT_FORMATS = ['table', 'json', 'yaml', 'md', 'github'] as const;

export const KIND_WORDS: Readonly<Record<DriftKind, string>> = {
  'new-denial': 'refused',
  'failed-test': 'tests that fail',
  'unprotected-workload': 'unprotected workloads',
  'selects-nothing': 'policies that select nothing',
  'unused-rule': 'unused rules',
};

export interface DriftLayout {
  readonly style: Style;
  /** Lines of each kind that are shown; the rest is counted. */
  readonly limit: number;
}

export function driftTable(drifts: readonly Drift[], { style, limit }: DriftLayout): string {
  if (drifts.length === 0) return `${style.green('nothing has drifted')}\n`;
  const parts = groups(drifts).map(([kind, own]) => {
    const rest = own.length - limit;
    const lines = own.slice(0, limit).map(({ message }) => `  ${printable(message)}\n`);
    return `${style.bold(KIND_WORDS[kind])}\n${lines.join('')}${rest > 0 ? style.dim(`  and ${count(rest)} more\n`) : ''}`;
  });
  return `${parts.join('')}${style.red(countOf(drifts.length, 'drift'))}\n`;
}

export function driftJson(drifts: readonly Drift[]): string {
  return `${JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'Drift', drift: drifts }, undefined, 2)}\n`;
}

export function driftMarkdown(drifts: readonly Drift[], limit: number): string {
  if (drifts.length === 0) return 'Nothing has drifted.\n';
  const parts = groups(drifts).map(([kind, own]) => {
    const rest = own.length - limit;
    const lines = own.slice(0, limit).map(({ message }) => `- ${printable(message).replace(/[\\`*_{}[\]<>|]/g, '\\$&')}\n`);
    return `\n#### ${KIND_WORDS[kind]}\n\n${lines.join('')}${rest > 0 ? `- and ${count(rest)} more\n` : ''}`;
  });
  return `**${countOf(drifts.length, 'drift')}.**\n${parts.join('')}`;
}

export function driftGithub(drifts: readonly Drift[], limit: number): string {
  if (drifts.length === 0) return workflowCommand('notice', { title: 'drift', message: 'nothing has drifted' });
  const rest = drifts.length - limit;
  const shown = drifts.slice(0, limit).map(({ kind, message }) => workflowCommand('warning', { title: kind, message: printable(message) }));
  return [...shown, ...(rest > 0 ? [workflowCommand('warning', { title: 'drift', message: `${count(rest)} more` })] : [])].join('');
}

function groups(drifts: readonly Drift[]): readonly (readonly [DriftKind, readonly Drift[]])[] {
  const byKind = Map.groupBy(drifts, ({ kind }) => kind);
  return DRIFT_KINDS.flatMap((kind) => (byKind.has(kind) ? [[kind, byKind.get(kind)!] as const] : []));
}
