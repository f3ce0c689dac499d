// The flows of a running lab, as lines in its folder: written by its process, read by others.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NamespaceFd } from '../kernel/network-namespace.ts';
import { readLabs, type LabState } from './lab-state.ts';

const FLOWS_FILE = 'flows.jsonl';

/** Of this process's lab with that node. Readers see the whole file or the one before. */
export function writeLabFlows(node: NamespaceFd, lines: Iterable<string>): void {
  const state = readLabs().find((lab) => lab.pid === process.pid && lab.node === node);
  if (state === undefined) return; // it has just ended
  const text = [...lines].map((line) => `${line}\n`).join('');
  writeFileSync(join(state.folder, `${FLOWS_FILE}.new`), text);
  renameSync(join(state.folder, `${FLOWS_FILE}.new`), join(state.folder, FLOWS_FILE));
}

/** Lines of JSON; empty as long as nothing was seen. */
export function readLabFlows({ folder }: LabState): string {
  try {
    return readFileSync(join(folder, FLOWS_FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
