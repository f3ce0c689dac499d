// The pods of a live Program as one node sees them: who claims each address, and what the node's own pods stand under.
import type { IpAddress, IpFamily } from '../base/ip-address.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';
import type { ProgramDifference } from '../compile/program-difference.ts';
import type { Pod } from '../model/cluster.ts';
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import type { Element } from './element.ts';
import { isSelfAllowed } from './emit.ts';
import { DISPUTED, PeerAddresses, type Claim } from './peer-addresses.ts';
import { NO_CLASS } from './peer-lookup.ts';
import { areAlike } from './places.ts';
import type { LocalPod } from './ruleset.ts';
import { FAMILIES, type SetName } from './set-shape.ts';
import { NO_SLOT, type SlotClasses } from './slot-classes.ts';

/** An address of a pod that this node runs. */
export interface LocalEnd {
  readonly address: IpAddress;
  /** undefined: gone. */
  pod: LocalPod | undefined;
  /** For egress; undefined: disputed, or not placed yet. */
  subject: number | undefined;
  /** `NO_SLOT`: not isolated in the direction, or disputed. */
  readonly slots: Record<Direction, number>;
  /** The same as the kernel holds it. */
  heldPod: LocalPod | undefined;
  readonly heldSlots: Record<Direction, number>;
  heldElements: readonly (readonly [SetName, Element])[];
}

export interface NodePodsInput {
  readonly node: string;
  readonly sides: Readonly<Record<Direction, SlotClasses>>;
}

/** More pods than one claim the address, or it is not known which one is left: all pods are gone through. */
const MANY = -1;

export class NodePods {
  readonly addresses: Readonly<Record<IpFamily, PeerAddresses>> = { 4: new PeerAddresses(4), 6: new PeerAddresses(6) };
  readonly locals: Readonly<Record<IpFamily, Map<number, LocalEnd>>> = { 4: new Map(), 6: new Map() };
  /** Places whose claims or classes may have changed since the last `settle`. */
  readonly touched: Readonly<Record<IpFamily, Set<number>>> = { 4: new Set(), 6: new Set() };
  private readonly node: string;
  private sides: Readonly<Record<Direction, SlotClasses>>;

  constructor({ node, sides }: NodePodsInput) {
    this.node = node;
    this.sides = sides;
  }

  get localEnds(): LocalEnd[] {
    return FAMILIES.flatMap((family) => [...this.locals[family].values()]);
  }

  /** Those that may differ from what the kernel holds. */
  get touchedEnds(): LocalEnd[] {
    return FAMILIES.flatMap((family) => [...this.touched[family]].flatMap((place) => this.locals[family].get(place) ?? []));
  }

  /** Addresses that unlike pods claim. */
  get disputed(): IpAddress[] {
    return FAMILIES.flatMap((family) => {
      const { values, classes } = this.addresses[family];
      return values.flatMap((value, place) => (classes.egress[place] === DISPUTED ? [{ family, value }] : []));
    });
  }

  /** Every class and subject has a new number: all is read anew into new tables. */
  reload(program: Program, sides: Readonly<Record<Direction, SlotClasses>>): void {
    this.sides = sides;
    for (const family of FAMILIES) {
      const { claims, classes } = this.addresses[family];
      for (const counts of Object.values(claims)) counts.fill(0);
      for (const numbers of Object.values(classes)) numbers.fill(NO_CLASS);
      for (const end of this.locals[family].values()) Object.assign(end, { pod: undefined, slots: { egress: NO_SLOT, ingress: NO_SLOT } });
    }
    const owners = new Owners();
    for (const [index, pod] of program.cluster.pods.entries()) this.claim(pod, index, owners);
    this.settleOwners(program, owners);
  }

  follow(program: Program, difference: ProgramDifference): void {
    const owners = new Owners();
    const { pods } = program.cluster;
    if (difference.removedPod !== undefined) this.unclaim(difference.removedPod, owners);
    if (difference.addedPod !== undefined) this.claim(pods[difference.addedPod]!, difference.addedPod, owners);
    for (const direction of DIRECTIONS) {
      for (const move of difference[direction].subjects) for (const pod of move.pods) if (this.claimOf(pods[pod]!) === 'local') this.reread(pods[pod]!, pod, owners);
      for (const move of difference[direction].classes) for (const pod of move.pods) this.reread(pods[pod]!, pod, owners);
    }
    this.settleOwners(program, owners);
  }

  /** All is written: forgets addresses and pods that are gone. */
  settle(): void {
    for (const family of FAMILIES) {
      const addresses = this.addresses[family];
      for (const place of this.touched[family]) {
        const end = this.locals[family].get(place);
        if (end !== undefined && end.pod === undefined) this.locals[family].delete(place);
        if (addresses.claimCount(place) === 0) addresses.remove(place);
      }
      this.touched[family].clear();
    }
  }

  endAt({ family, value }: IpAddress): LocalEnd {
    const place = this.addresses[family].findOrAdd(value);
    let end = this.locals[family].get(place);
    if (end === undefined) {
      end = { address: { family, value }, pod: undefined, subject: undefined, slots: { egress: NO_SLOT, ingress: NO_SLOT }, heldPod: undefined, heldSlots: { egress: NO_SLOT, ingress: NO_SLOT }, heldElements: [] };
      this.locals[family].set(place, end);
      this.touched[family].add(place);
    }
    return end;
  }

  private claimOf({ hostNetwork, nodeName }: Pod): Claim {
    return hostNetwork ? 'host' : nodeName === this.node ? 'local' : 'remote';
  }

  private claim(pod: Pod, index: number, owners: Owners): void {
    const claim = this.claimOf(pod);
    for (const { family, value } of pod.addresses) {
      const addresses = this.addresses[family];
      const place = addresses.findOrAdd(value);
      addresses.claims[claim][place]!++;
      this.own(family, place, index, owners);
    }
  }

  private unclaim(pod: Pod, owners: Owners): void {
    const claim = this.claimOf(pod);
    for (const { family, value } of pod.addresses) {
      const addresses = this.addresses[family];
      const place = addresses.findOrAdd(value);
      addresses.claims[claim][place]!--;
      const rest = addresses.claimCount(place);
      // Pods on the network of a node are alike at its address, however many are left.
      if (claim !== 'host' || rest === 0 || rest > addresses.claims.host[place]!) owners.set(family, place, MANY);
    }
  }

  private reread(pod: Pod, index: number, owners: Owners): void {
    for (const { family, value } of pod.addresses) this.own(family, this.addresses[family].findOrAdd(value), index, owners);
  }

  /** Pods on the network of one node share its address, and rules see nothing of them but that address. */
  private own(family: IpFamily, place: number, index: number, owners: Owners): void {
    const addresses = this.addresses[family];
    const { host } = addresses.claims;
    const count = addresses.claimCount(place);
    owners.set(family, place, count === 1 || count === host[place] ? index : MANY);
  }

  // Slots are left before others are entered, and those entered before classes are merged: the Program knows nothing more of subjects that no pod has.
  private settleOwners(program: Program, owners: Owners): void {
    const settled = this.settleClaims(program, owners);
    for (const claimed of settled) this.leaveSlots(program, claimed);
    for (const claimed of settled) if (this.isLocal(claimed)) this.placeLocal(program, claimed);
    for (const claimed of settled) this.classify(program, claimed);
  }

  private isLocal({ family, place }: ClaimedPlace): boolean {
    return this.addresses[family].claims.local[place]! > 0;
  }

  /** Those of other subjects than the pod stands under now. */
  private leaveSlots(program: Program, claimed: ClaimedPlace): void {
    const end = this.locals[claimed.family].get(claimed.place);
    if (end === undefined) return;
    const group = this.isLocal(claimed) ? claimed.group : undefined;
    for (const direction of DIRECTIONS) {
      const slot = end.slots[direction];
      if (slot === NO_SLOT || (group !== undefined && this.sides[direction].subjectAt(slot) === program[direction].subjectOfGroup[group])) continue;
      this.sides[direction].leaveSlot(slot);
      end.slots[direction] = NO_SLOT;
    }
    end.pod = undefined;
  }

  private settleClaims(program: Program, owners: Owners): ClaimedPlace[] {
    const shared = new Map<string, number[]>();
    for (const [family, place, owner] of owners) if (owner === MANY && this.addresses[family].claimCount(place) > 0) shared.set(`${family} ${place}`, []);
    if (shared.size > 0) this.gatherClaims(program, shared);
    return [...owners].map(([family, place, owner]) => {
      const claimants = owner === MANY ? (shared.get(`${family} ${place}`) ?? []) : [owner];
      return { family, place, group: this.commonGroup(program, family, claimants) };
    });
  }

  private gatherClaims({ cluster }: Program, shared: ReadonlyMap<string, number[]>): void {
    for (const [index, pod] of cluster.pods.entries()) {
      for (const { family, value } of pod.addresses) {
        const place = this.addresses[family].find(value);
        const claimants = place === undefined ? undefined : shared.get(`${family} ${place}`);
        claimants?.push(index);
      }
    }
  }

  /** A local pod's claim beats all others: the node knows its own pods better than the API server's last word. */
  private commonGroup(program: Program, family: IpFamily, claimants: readonly number[]): number | undefined {
    const locals = claimants.filter((pod) => this.claimOf(program.cluster.pods[pod]!) === 'local');
    const isLocal = locals.length > 0;
    const [first, ...others] = (isLocal ? locals : claimants).map((pod) => program.groupOfPod[pod]!);
    return others.every((group) => areAlike(program, { family, isLocal }, [first, group])) ? first : undefined;
  }

  private placeLocal(program: Program, { family, place, group }: ClaimedPlace): void {
    const address = { family, value: this.addresses[family].values[place]! };
    const end = this.endAt(address);
    end.subject = group === undefined ? undefined : program.egress.subjectOfGroup[group]!;
    if (group === undefined) {
      end.pod = { address, isEgressIsolated: true, isIngressIsolated: true, isSelfAllowed: false };
      return;
    }
    const isIsolated = (direction: Direction): boolean => {
      const side = program[direction];
      const subject = side.subjectOfGroup[group]!;
      if (!side.isGoverned(subject)) return false;
      if (end.slots[direction] === NO_SLOT) end.slots[direction] = this.sides[direction].enterSlot(side, subject, this.heldRow(end, direction));
      return true;
    };
    end.pod = { address, isEgressIsolated: isIsolated('egress'), isIngressIsolated: isIsolated('ingress'), isSelfAllowed: isSelfAllowed(program, address, group) };
  }

  private heldRow(end: LocalEnd, direction: Direction): Int32Array | undefined {
    const slot = end.heldSlots[direction];
    return slot === NO_SLOT ? undefined : this.sides[direction].rows[slot];
  }

  private classify(program: Program, { family, place, group }: ClaimedPlace): void {
    const addresses = this.addresses[family];
    const isClaimed = addresses.claimCount(place) > 0;
    this.touched[family].add(place);
    for (const direction of DIRECTIONS) {
      const side: DirectionProgram = program[direction];
      const before = addresses.classes[direction][place]!;
      const after = !isClaimed ? NO_CLASS : group === undefined ? DISPUTED : side.classOfGroup[family][group]!;
      if (before === after) continue;
      if (after >= 0) this.sides[direction].countAddress(side, family, after);
      if (before >= 0) this.sides[direction].uncountAddress(family, before);
      addresses.classes[direction][place] = after;
    }
  }
}

/** `group` undefined: nobody claims the address, or pods that are unlike. */
interface ClaimedPlace {
  readonly family: IpFamily;
  readonly place: number;
  readonly group: number | undefined;
}

/** Addresses to be settled, with the index of the one pod that claims each, or `MANY`. */
class Owners {
  private readonly places: Readonly<Record<IpFamily, Map<number, number>>> = { 4: new Map(), 6: new Map() };

  set(family: IpFamily, place: number, owner: number): void {
    this.places[family].set(place, owner);
  }

  *[Symbol.iterator](): Generator<[IpFamily, number, number]> {
    for (const family of FAMILIES) for (const [place, owner] of this.places[family]) yield [family, place, owner];
  }
}
