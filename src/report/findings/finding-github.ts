// Findings as workflow commands of GitHub Actions ("Workflow commands for GitHub Actions", Setting a warning message).
import type { Finding, Severity } from '../../base/finding.ts';

const COMMANDS: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'notice' };

export function githubCommand(finding: Finding): string {
  const properties: string[] = [];
  const add = (name: string, value: string | number): void => void properties.push(`${name}=${escapeProperty(`${value}`)}`);
  if (finding.file !== undefined) add('file', finding.file);
  if (finding.range !== undefined) {
    const { start, end } = finding.range;
    add('line', start.line);
    add('endLine', end.line);
    // Columns are read only where the finding stands on one line.
    if (start.line === end.line) {
      add('col', start.column);
      add('endColumn', end.column);
    }
  }
  add('title', finding.code);
  const message = finding.help === undefined ? finding.message : `${finding.message}\n${finding.help}`;
  return `::${COMMANDS[finding.severity]} ${properties.join(',')}::${escapeData(message)}\n`;
}

/** A command that belongs to no file. */
export function workflowCommand(kind: 'error' | 'warning' | 'notice', { title, message }: { readonly title: string; readonly message: string }): string {
  return `::${kind} title=${escapeProperty(title)}::${escapeData(message)}\n`;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
