// Flows of all nodes, kept: batches of agents become a store that can be asked, bounded in time and size.
import { FlowStore, type StoreOptions } from './store/flow-store.ts';

const MEMORY_BYTES_MAX = 1 << 30;
const DAYS_KEPT = 30;

/** Throws HistoryError. */
export function openHistory(options: Pick<StoreOptions, 'file' | 'nowMs'> & Partial<StoreOptions>): Promise<FlowStore> {
  return FlowStore.open({ keepMs: DAYS_KEPT * 86_400_000, memoryBytesMax: MEMORY_BYTES_MAX, threads: 2, redactsOutside: false, ...options });
}
