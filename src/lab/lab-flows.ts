// What goes over the wires of a lab while it stays up: the kernel's ledger, drained again and again, with names.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Firewall } from '../kernel/firewall.ts';
import type { LabPlan } from './lab-plan.ts';
import { nameLedgerEntry, type NamedLedgerEntry } from './name-ledger-entry.ts';

export const FLOWS_INTERVAL_MS = 500;

export interface FlowsOptions {
  /** Ends the flows. */
  readonly signal: AbortSignal;
  readonly intervalMs?: number;
}

/** Each turn's new entries, turns without any left out. Drains the ledger: only one may do so. */
export async function* labFlows(plan: LabPlan, firewall: Firewall, { signal, intervalMs = FLOWS_INTERVAL_MS }: FlowsOptions): AsyncGenerator<readonly NamedLedgerEntry[]> {
  while (!signal.aborted) {
    const entries = firewall.readLedger({ drain: true });
    if (entries.length > 0) yield entries.map((entry) => nameLedgerEntry(entry, plan));
    // An abort ends the sleep with an error, which says nothing that the signal does not.
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
  }
}
