// Openings: what an end lets through over each address family, as one small number.
import { NO_PORTS_ID, type PortSetTable } from '../compile/port-set-table.ts';
import { PairTable } from '../compile/pair-table.ts';

/** Opening 0 is closed. */
export class OpeningTable {
  private readonly ports4: number[] = [NO_PORTS_ID];
  private readonly ports6: number[] = [NO_PORTS_ID];
  private readonly ids = new PairTable();
  private readonly meetings = new PairTable();
  private last = 0;
  /** By port set, the opening that has it over both families. */
  private readonly both: number[] = [];
  private readonly portSets: PortSetTable;

  constructor(portSets: PortSetTable) {
    this.portSets = portSets;
    this.ids.set(NO_PORTS_ID, NO_PORTS_ID, 0);
  }

  /** Neighbors in a row are mostly alike, so the last one is remembered. */
  intern(ports4: number, ports6: number): number {
    if (ports4 === this.ports4[this.last] && ports6 === this.ports6[this.last]) return this.last;
    let id = this.ids.get(ports4, ports6);
    if (id < 0) {
      id = this.ports4.push(ports4) - 1;
      this.ports6.push(ports6);
      this.ids.set(ports4, ports6, id);
    }
    return (this.last = id);
  }

  /** The same ports over each family. */
  ofBoth(ports: number): number {
    while (this.both.length <= ports) this.both.push(-1);
    const known = this.both[ports]!;
    return known >= 0 ? known : (this.both[ports] = this.intern(ports, ports));
  }

  /** Whether the two have a port in common over a family. */
  meet(a: number, b: number): boolean {
    let meeting = this.meetings.get(a, b);
    if (meeting < 0) this.meetings.set(a, b, (meeting = this.share(this.ports4[a]!, this.ports4[b]!) || this.share(this.ports6[a]!, this.ports6[b]!) ? 1 : 0));
    return meeting === 1;
  }

  private share(a: number, b: number): boolean {
    return this.portSets.intersect(a, b) !== NO_PORTS_ID;
  }
}
