// Where an agent's flows go as the kernel's ledger is drained: to whoever keeps or sends them.
import type { FlowRecord } from '../flow/flow-record.ts';

export interface FlowSink {
  /**
   * What was counted since the last call, each pod by its name, with reasons; called within the agent's loop, so it must
   * neither wait nor throw. `lost`: judgments since the last call of which no record tells. A record of no judgments is
   * never given; a call without records tells what was lost, or that time has passed.
   */
  take(records: readonly FlowRecord[], lost: number): void;
}
