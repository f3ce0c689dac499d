// Figures of a store as Prometheus reads them, none by flow.
import type { FlowStore } from './flow-store.ts';

const HELP: Readonly<Record<keyof FlowStore['counts'], string>> = {
  batches: 'Batches of agents that were written.',
  duplicates: 'Batches that had been written before.',
  records: 'Records of flows that were written.',
  lost: 'Judgments of which nothing more is known: told by agents, or without room here.',
  failures: 'Transactions that failed.',
};

export function historyMetrics({ counts }: Pick<FlowStore, 'counts'>): string {
  return Object.entries(HELP).map(([name, help]) => `# HELP bulkhead_history_${name}_total ${help}\n# TYPE bulkhead_history_${name}_total counter\nbulkhead_history_${name}_total ${counts[name as keyof FlowStore['counts']]}\n`).join(''); // the names are those of HELP
}
