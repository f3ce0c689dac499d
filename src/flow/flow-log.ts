// The flows of something that runs, as they grow: each judged when it is first seen, folded, and written down as lines.
import type { Cluster } from '../model/cluster.ts';
import { judgeRecords } from './flow.ts';
import type { FlowRecord } from './flow-record.ts';
import { FlowTable } from './flow-table.ts';
import { flowJson } from './write-flow.ts';

/** Different flows that are kept; judgments of more are counted as lost. */
const FLOWS_MAX = 20_000;

/** Good for as long as the cluster stays as it is. A class, for it lives in time. */
export class FlowLog {
  readonly #cluster: Cluster;
  readonly #table = new FlowTable({ keepsReasons: true });
  #lost = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Gives them back with the reasons, as they came. */
  add(records: readonly FlowRecord[]): readonly FlowRecord[] {
    const judged = judgeRecords(this.#cluster, records);
    for (const record of judged) {
      if (this.#table.size < FLOWS_MAX) this.#table.add(record);
      else this.#lost += record.count;
    }
    return judged;
  }

  /** Lines of JSON that `readFlow` reads; what was lost is the last of them. */
  *lines(): Generator<string> {
    for (let row = 0; row < this.#table.size; row++) yield JSON.stringify(flowJson(this.#table.recordAt(row)));
    const lost = this.#lost + this.#table.lost;
    if (lost > 0) yield JSON.stringify({ lost_events: { source: 'BULKHEAD_FLOW_LOG', num_events_lost: lost } });
  }
}
