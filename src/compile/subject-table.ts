// Subjects of a direction: a subject of each layer together, numbered so that equal ones are one.
import { PairTable } from './pair-table.ts';
import { UNGOVERNED } from './subject-trie.ts';

interface LayerSubjects {
  readonly trie: { readonly subjectOfGroup: Int32Array };
}

/** Subject 0 is governed by nothing. */
export class SubjectTable {
  subjectOfGroup: Int32Array;
  private readonly network: number[] = [UNGOVERNED];
  private readonly admin: number[] = [UNGOVERNED];
  private readonly baseline: number[] = [UNGOVERNED];
  /** Of the tiers' subjects together, then of these and the subject of NetworkPolicy. */
  private readonly tiers = new PairTable();
  private tierCount = 0;
  private readonly ids = new PairTable();
  private readonly free: number[] = [];

  constructor({ admin, network, baseline }: { readonly admin: LayerSubjects; readonly network: LayerSubjects; readonly baseline: LayerSubjects }) {
    this.ids.set(this.tierPair(UNGOVERNED, UNGOVERNED), UNGOVERNED, UNGOVERNED);
    this.subjectOfGroup = network.trie.subjectOfGroup.map((subject, group) =>
      this.join(admin.trie.subjectOfGroup[group]!, subject, baseline.trie.subjectOfGroup[group]!),
    );
  }

  get count(): number {
    return this.network.length;
  }

  networkOf(subject: number): number {
    return this.network[subject]!;
  }

  adminOf(subject: number): number {
    return this.admin[subject]!;
  }

  baselineOf(subject: number): number {
    return this.baseline[subject]!;
  }

  isUnderTiers(subject: number): boolean {
    return this.admin[subject] !== UNGOVERNED || this.baseline[subject] !== UNGOVERNED;
  }

  join(admin: number, network: number, baseline: number): number {
    const tiers = this.tierPair(admin, baseline);
    const known = this.ids.get(tiers, network);
    if (known >= 0) return known;
    const subject = this.free.pop() ?? this.network.length;
    this.network[subject] = network;
    this.admin[subject] = admin;
    this.baseline[subject] = baseline;
    this.ids.set(tiers, network, subject);
    return subject;
  }

  /** Its number may be given to another. */
  release(subject: number): void {
    this.ids.set(this.tierPair(this.admin[subject]!, this.baseline[subject]!), this.network[subject]!, -1);
    this.free.push(subject);
  }

  private tierPair(admin: number, baseline: number): number {
    let id = this.tiers.get(admin, baseline);
    if (id < 0) this.tiers.set(admin, baseline, (id = this.tierCount++));
    return id;
  }
}
