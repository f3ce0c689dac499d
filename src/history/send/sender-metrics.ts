// Figures of an agent's sender as Prometheus reads them.
import type { SenderState } from './flow-sender.ts';

export const SENDER_METRICS: readonly (readonly [name: string, kind: 'counter' | 'gauge', help: string, field: Exclude<keyof SenderState, 'losses'>])[] = [
  ['bulkhead_sender_batches_total', 'counter', 'Batches of flows that the server has.', 'sentBatches'],
  ['bulkhead_sender_spooled_batches', 'gauge', 'Batches that wait on the disk.', 'spooledBatches'],
  ['bulkhead_sender_spooled_bytes', 'gauge', 'What they take on the disk.', 'spooledBytes'],
  ['bulkhead_sender_lost_total', 'counter', 'Judgments of which no record reaches the server; the server is told how many.', 'lost'],
];

export function senderMetrics(state: SenderState): string {
  return SENDER_METRICS.map(([name, kind, help, field]) => `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${name} ${state[field]}\n`).join('');
}
