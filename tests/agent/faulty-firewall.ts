// A kernel in memory that breaks off: it refuses a change, has no room for it, or its writer dies in the middle of one.
import type { IpAddress } from '../../src/base/ip-address.ts';
import type { Elements } from '../../src/emit/element.ts';
import type { ChangePlan, ChangeStep } from '../../src/emit/plan-change.ts';
import type { Drift, Firewall, FreshAddress, HeldName, LedgerEntry } from '../../src/kernel/firewall.ts';
import { FirewallError } from '../../src/kernel/firewall-error.ts';
import type { FakeFirewall } from '../../src/kernel/fake-firewall.ts';

/** The process that wrote is gone: nothing of its own goes on. */
export class Killed extends Error {}

/** `refuse`: the kernel takes `steps` steps and no more. `kill`: so does the writer's life. */
export interface Fault {
  readonly kind: 'refuse' | 'kill';
  readonly steps: number;
}

export class FaultyFirewall implements Firewall {
  private readonly inner: FakeFirewall;
  private fault: Fault | undefined;
  /** Elements in all sets together. */
  room: number = Infinity;
  private readonly onKilled: () => void;

  constructor(inner: FakeFirewall, onKilled: () => void) {
    this.inner = inner;
    this.onKilled = onKilled;
  }

  /** Of the next change. */
  plan(fault: Fault): void {
    this.fault = fault;
  }

  takeOver(): Elements | undefined {
    return this.inner.takeOver();
  }

  watch(onTouched: () => void): () => void {
    return this.inner.watch(onTouched);
  }

  repair(wanted: () => Elements): Drift | undefined {
    return this.inner.repair(wanted);
  }

  load(steps: readonly ChangeStep[]): void {
    // A load is whole or not at all: the hook comes last.
    if (this.fault !== undefined) this.fail();
    this.requireRoom(grownBy(steps));
    this.inner.load(steps);
  }

  apply(plan: ChangePlan): void {
    if (this.fault === undefined) {
      const held = [...this.inner.read().values()].reduce((sum, set) => sum + set.length, 0);
      // What makes room is taken even where there is none.
      if (grownBy(plan.steps) > 0) this.requireRoom(held + grownBy(plan.steps));
      return this.inner.apply(plan);
    }
    this.inner.apply({ ...plan, steps: plan.steps.slice(0, this.fault.steps), takesAway: false });
    this.fail();
  }

  read(): Elements {
    return this.inner.read();
  }

  readLedger(options?: { readonly drain: boolean }): readonly LedgerEntry[] {
    return this.inner.readLedger(options);
  }

  readUnrecorded(): number {
    return this.inner.readUnrecorded();
  }

  get answersProblem(): string | undefined {
    return this.inner.answersProblem;
  }

  freshen(places: readonly FreshAddress[], options: { readonly isAll: boolean }): void {
    this.inner.freshen(places, options);
  }

  readNamed(): readonly HeldName[] {
    return this.inner.readNamed();
  }

  readConnections(): (source: IpAddress, target: IpAddress) => boolean {
    return this.inner.readConnections();
  }

  remove(): void {
    this.inner.remove();
  }

  close(): void {}

  private requireRoom(size: number): void {
    if (size > this.room) throw new FirewallError({ code: 'set-full', doing: 'change elements' });
  }

  private fail(): never {
    const { kind } = this.fault!;
    this.fault = undefined;
    if (kind === 'kill') {
      this.onKilled();
      throw new Killed();
    }
    throw new FirewallError({ code: 'out-of-memory', doing: 'change elements', said: 'no memory' });
  }
}

function grownBy(steps: readonly ChangeStep[]): number {
  return steps.reduce((sum, { added, removed }) => sum + added.length - removed.length, 0);
}
