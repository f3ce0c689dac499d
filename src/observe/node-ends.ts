// Who was at an address when it was seen, as the end of a flow: a pod, a node, the outside by the names it was looked up by; and by which Service a connection came.
import type { FlowEnd } from '../flow/flow-record.ts';
import { podEnd } from '../flow/ledger-flows.ts';
import type { IpAddress, IpFamily } from '../base/ip-address.ts';
import type { LedgerEntry } from '../kernel/firewall.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import { AddressBook } from './address-book.ts';
import { SeenNames } from './seen-names.ts';
import { ServiceNames } from './service-names.ts';

/** Ends of one family that are kept as values; a flood of others is made anew. */
const ENDS_MAX = 16_384;

/** A class, for it lives in time. */
export class NodeEnds {
  readonly #node: string;
  readonly book: AddressBook = new AddressBook();
  readonly services: ServiceNames = new ServiceNames();
  /** Of the hosts that pods of the node looked up. */
  readonly names: SeenNames = new SeenNames();
  /** By the pod as it was, which has one address of a family; of hosts by address and names. */
  readonly #ends: Readonly<Record<IpFamily, Map<Pod | string, FlowEnd>>> = { 4: new Map(), 6: new Map() };
  readonly #podOfEnd = new WeakMap<FlowEnd, Pod>();
  #nodes: ReadonlyMap<string, string> = new Map();
  #namespaces: ReadonlyMap<string, Pod['labels']> = new Map();
  #areOld = true;

  constructor(node: string) {
    this.#node = node;
  }

  /** Nodes or namespaces are others. */
  age(): void {
    this.#areOld = true;
  }

  /** Before ends of a drain are asked for. */
  learn({ nodes, namespaces }: Cluster): void {
    const ends = Object.values(this.#ends);
    if (!this.#areOld && ends.every(({ size }) => size < ENDS_MAX)) return;
    this.#areOld = false;
    for (const ofFamily of ends) ofFamily.clear();
    this.#nodes = new Map(nodes.flatMap(({ name, addresses }) => addresses.map((address) => [keyOf(address), name] as const)));
    this.#namespaces = new Map(namespaces.map(({ name, labels }) => [name, labels]));
  }

  /** `names` of a host outside, as the other end was told them. */
  endAt(address: IpAddress, { seenMs, names }: { readonly seenMs: number; readonly names: readonly string[] }): FlowEnd {
    const pod = this.book.holderAt(address, seenMs);
    const key = pod ?? `${keyOf(address)} ${names.join()}`;
    const ends = this.#ends[address.family];
    let end = ends.get(key);
    if (end === undefined || end.address?.value !== address.value) {
      end = pod === undefined ? this.#outsideEnd(address, names) : podEnd(pod, this.#namespaces.get(pod.namespace), address);
      if (pod !== undefined) this.#podOfEnd.set(end, pod);
      ends.set(key, end);
    }
    return end;
  }

  /** The pod as it was. */
  podOf(end: FlowEnd): Pod | undefined {
    return this.#podOfEnd.get(end);
  }

  isLocal(end: FlowEnd): boolean {
    return this.podOf(end)?.nodeName === this.#node;
  }

  /** Only what address translation led to another place came by one. */
  serviceOf({ asked, protocol }: LedgerEntry): string | undefined {
    return asked === undefined ? undefined : this.services.nameAt({ ...asked, protocol, isOwnNode: this.#nodes.get(keyOf(asked.address)) === this.#node });
  }

  #outsideEnd(address: IpAddress, names: readonly string[]): FlowEnd {
    const node = this.#nodes.get(keyOf(address));
    return { kind: 'outside', address, names, node, isOwnNode: node === this.#node };
  }
}

function keyOf({ family, value }: IpAddress): string {
  return `${family} ${value}`;
}
