// The single addresses of one family that a node knows: how many pods claim each, its classes in the Program, and what the kernel holds of it.
import type { IpFamily } from '../base/ip-address.ts';
import { withRoom } from '../compile/number-list.ts';
import type { Direction } from '../model/network-policy.ts';
import { NO_CLASS } from './peer-lookup.ts';

/** Class of an address that pods unlike each other claim: nothing is known about it. Beside `NO_CLASS` for one that none does. */
export const DISPUTED = -2;

/** Who claims an address: a pod that this node runs, one of another node, or one on the network of its node. */
export type Claim = 'local' | 'remote' | 'host';

/** Numbers by place, with room behind: a hundred thousand addresses of one object each would weigh ten times as much. */
export class PeerAddresses {
  readonly family: IpFamily;
  readonly values: bigint[] = [];
  claims: Readonly<Record<Claim, Int32Array>> = { local: new Int32Array(0), remote: new Int32Array(0), host: new Int32Array(0) };
  /** Class in the Program; `NO_CLASS`, `DISPUTED`. */
  classes: Readonly<Record<Direction, Int32Array>> = { egress: new Int32Array(0), ingress: new Int32Array(0) };
  /** Id in the kernel; `NO_CLASS`. */
  held: Readonly<Record<Direction, Int32Array>> = { egress: new Int32Array(0), ingress: new Int32Array(0) };
  private readonly placeOf = new Map<bigint, number>();
  private readonly free: number[] = [];

  constructor(family: IpFamily) {
    this.family = family;
  }

  /** All places are below it; some may be free, and have no class there. */
  get end(): number {
    return this.values.length;
  }

  find(value: bigint): number | undefined {
    return this.placeOf.get(value);
  }

  findOrAdd(value: bigint): number {
    const known = this.placeOf.get(value);
    if (known !== undefined) return known;
    const place = this.free.pop() ?? this.values.length;
    this.values[place] = value;
    this.placeOf.set(value, place);
    this.makeRoom();
    const { claims, classes, held } = this;
    claims.local[place] = claims.remote[place] = claims.host[place] = 0;
    classes.egress[place] = classes.ingress[place] = held.egress[place] = held.ingress[place] = NO_CLASS;
    return place;
  }

  claimCount(place: number): number {
    const { local, remote, host } = this.claims;
    return local[place]! + remote[place]! + host[place]!;
  }

  /** Of an address that nobody claims and of which the kernel holds nothing. */
  remove(place: number): void {
    this.placeOf.delete(this.values[place]!);
    this.free.push(place);
  }

  private makeRoom(): void {
    const { claims, classes, held, end } = this;
    if (claims.local.length >= end) return;
    this.claims = { local: withRoom(claims.local, end), remote: withRoom(claims.remote, end), host: withRoom(claims.host, end) };
    this.classes = { egress: withRoom(classes.egress, end), ingress: withRoom(classes.ingress, end) };
    this.held = { egress: withRoom(held.egress, end), ingress: withRoom(held.ingress, end) };
  }
}
