// The row of a subject under tiers: what Admin accepts, and of the rest what NetworkPolicy or the Baseline tier lets through.
import { ALL_PORTS_ID, NO_PORTS_ID, type PortSetTable } from './port-set-table.ts';
import type { Row } from './row.ts';
import { listTierRow, type TierRow } from './tier-row.ts';

export interface JoinedLayers {
  readonly admin: TierRow;
  /** undefined: no NetworkPolicy governs the subject, and the Baseline tier is asked. */
  readonly network: Row | undefined;
  readonly baseline: TierRow;
  readonly portSets: PortSetTable;
}

/** Reads the layers anew each time: thousands of subjects share the rows of a few tiers. */
export class JoinedRow implements Row {
  private readonly layers: JoinedLayers;
  private readonly classCount: number;

  constructor(layers: JoinedLayers, classCount: number) {
    this.layers = layers;
    this.classCount = classCount;
  }

  at(peerClass: number): number {
    const { network, baseline } = this.layers;
    return this.join(peerClass, network === undefined ? baseline.Deny[peerClass]! : network.at(peerClass));
  }

  forEach(give: (peerClass: number, ports: number) => void): void {
    const { network, baseline, admin, portSets } = this.layers;
    if (network === undefined) {
      for (let peerClass = 0; peerClass < this.classCount; peerClass++) {
        const joined = this.join(peerClass, baseline.Deny[peerClass]!);
        if (joined !== NO_PORTS_ID) give(peerClass, joined);
      }
      return;
    }
    listTierRow(admin, portSets);
    const { accepting, rest, Accept } = admin;
    let place = 0;
    network.forEach((peerClass, ports) => {
      for (; accepting[place]! < peerClass; place++) give(accepting[place]!, Accept[accepting[place]!]!);
      if (accepting[place] === peerClass) place++;
      const open = rest[peerClass]!;
      const joined = open === ALL_PORTS_ID ? ports : portSets.union(Accept[peerClass]!, portSets.intersect(open, ports));
      if (joined !== NO_PORTS_ID) give(peerClass, joined);
    });
    for (; place < accepting.length; place++) give(accepting[place]!, Accept[accepting[place]!]!);
  }

  /** `below`: what NetworkPolicy allows where it isolates, else what the Baseline tier denies. */
  private join(peerClass: number, below: number): number {
    const { admin, network, portSets } = this.layers;
    const accepted = admin.Accept[peerClass]!;
    const rest = portSets.subtract(ALL_PORTS_ID, portSets.union(accepted, admin.Deny[peerClass]!));
    const allowed = network === undefined ? portSets.subtract(rest, below) : portSets.intersect(rest, below);
    return portSets.union(accepted, allowed);
  }
}
