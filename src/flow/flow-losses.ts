// Judgments of the kernel of which no flow tells, by why, since the agent of a node started.

/**
 * `ledgerFull`: the kernel's ledger had no room. `spoolFull`: the server was away, and the oldest made room on the disk.
 * `unwritten`: the disk did not take them, or an earlier agent was broken off while it wrote. `refused`: the server did
 * not take them.
 */
export type FlowLosses = Readonly<Record<'ledgerFull' | 'spoolFull' | 'unwritten' | 'refused', number>>;

export const NO_LOSSES: FlowLosses = { ledgerFull: 0, spoolFull: 0, unwritten: 0, refused: 0 };
