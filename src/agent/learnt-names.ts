// What the pods of a node were told of names, as long as it matters: until the TTL ends for new connections, and beyond it while there are some.
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { DnsAnswer } from '../base/dns-answer.ts';
import type { LiveEmission } from '../emit/live-emission.ts';
import type { NamedPlace } from '../emit/named-addresses.ts';
import { NAMED_SECONDS } from '../emit/set-shape.ts';
import type { Pod } from '../model/cluster.ts';
import type { Firewall, FreshAddress } from '../kernel/firewall.ts';

/** An answer opens for its TTL, and within these bounds. */
export const OPEN_SECONDS_MIN = 60;
export const OPEN_SECONDS_MAX = 86_400;

/** Of one pod, and of all pods of the node; half of what the kernel's sets take. */
export const ADDRESSES_PER_POD_MAX = 512;
export const ADDRESSES_MAX = 32_768;
/** Of one address; who is told more has the first forgotten. */
const NAMES_MAX = 16;

/** An end that comes later by less is not written: who asks without pause would have the kernel written to without pause. */
const GAIN_MS_MIN = 1_000;
/** What ended so long ago for us has ended for the kernel, whose clock began a moment later. */
const ENDED_MS = 5_000;
/** The kernel would forget it after twice as long. */
const RENEWED_AFTER_MS = (NAMED_SECONDS / 2) * 1_000;

interface Learnt extends NamedPlace {
  /** When the time to live of each name ends, in elapsed milliseconds; in the order in which they came. */
  readonly names: Map<string, number>;
  endsAtMs: number;
  writtenAtMs: number;
}

/** `full`: the pod, or the node, knows as many addresses as it may. */
export type Learning = 'learnt' | 'nothing-new' | 'full';

export class LearntNames {
  private readonly firewall: Pick<Firewall, 'freshen' | 'readNamed' | 'readConnections'>;
  private emission: Pick<LiveEmission, 'name' | 'renewName'> | undefined;
  private readonly pods = new Map<string, Map<string, Learnt>>();
  /** The kernel does not know yet when they end. */
  private readonly due = new Set<Learnt>();
  private count = 0;

  constructor(firewall: Pick<Firewall, 'freshen' | 'readNamed' | 'readConnections'>) {
    this.firewall = firewall;
  }

  /** From here on; told all that is known. */
  emitTo(emission: Pick<LiveEmission, 'name' | 'renewName'>): void {
    this.emission = emission;
    for (const learnt of this.all()) this.emit(learnt);
  }

  get addressCount(): number {
    return this.count;
  }

  /** What an earlier process left in the kernel. */
  recall(nowMs: number): void {
    for (const { pod, address, seconds, names } of this.firewall.readNamed()) {
      const learnt = this.entry({ pod, address });
      if (learnt === undefined) continue;
      learnt.endsAtMs = nowMs + seconds * 1_000;
      // Nobody knows how long the kernel keeps it.
      learnt.writtenAtMs = -Infinity;
      for (const name of names) learnt.names.set(name, learnt.endsAtMs);
      this.emit(learnt);
    }
  }

  learn(pod: IpAddress, { name, addresses }: DnsAnswer, nowMs: number): Learning {
    let learning: Learning = 'nothing-new';
    for (const { address, ttlSeconds } of addresses) {
      if (address.family !== pod.family || !isOfOneHost(address)) continue;
      const learnt = this.entry({ pod, address });
      if (learnt === undefined) return 'full';
      const endsAtMs = nowMs + Math.min(Math.max(ttlSeconds, OPEN_SECONDS_MIN), OPEN_SECONDS_MAX) * 1_000;
      if (this.noteName(learnt, { name, endsAtMs }, nowMs)) learning = 'learnt';
    }
    return learning;
  }

  /** A pod that is gone leaves nothing to whoever gets its address. */
  follow({ removed, added }: { readonly removed: Pod | undefined; readonly added: Pod | undefined }): void {
    if (removed === undefined || this.count === 0) return;
    const isKept = (address: IpAddress): boolean => added !== undefined && added.namespace === removed.namespace && added.name === removed.name && added.addresses.some((other) => isSame(other, address));
    for (const address of removed.addresses) if (!isKept(address)) for (const learnt of this.pods.get(formatIpAddress(address))?.values() ?? []) this.forget(learnt);
  }

  /** After the kernel was brought to what the emission says: how long each is open. `isAll`: the table is another one, or others had a hand in it. */
  settle(nowMs: number, { isAll }: { readonly isAll: boolean }): void {
    const fresh = (learnt: Learnt): FreshAddress[] => (learnt.endsAtMs > nowMs ? [{ pod: learnt.pod, address: learnt.address, seconds: (learnt.endsAtMs - nowMs) / 1_000 }] : []);
    if (isAll) for (const learnt of this.all()) this.due.add(learnt);
    const places = [...this.due].flatMap(fresh);
    if (isAll || places.length > 0) this.firewall.freshen(places, { isAll });
    this.due.clear();
  }

  /** Forgets names whose time is over and that no connection needs; gives whether the kernel is to be written to. */
  sweep(nowMs: number): boolean {
    const isOver = (endsAtMs: number): boolean => endsAtMs + ENDED_MS <= nowMs;
    const old = [...this.all()].filter(({ names, writtenAtMs }) => nowMs - writtenAtMs >= RENEWED_AFTER_MS || [...names.values()].some(isOver));
    if (old.length === 0) return false;
    const isConnected = this.firewall.readConnections();
    let isChanged = false;
    for (const learnt of old) {
      if (!isConnected(learnt.pod, learnt.address)) isChanged = this.dropNames(learnt, isOver) || isChanged;
      if (nowMs - learnt.writtenAtMs < RENEWED_AFTER_MS || learnt.names.size === 0) continue;
      this.renew(learnt, nowMs);
      isChanged = true;
    }
    return isChanged;
  }

  private *all(): Generator<Learnt> {
    for (const addresses of this.pods.values()) yield* addresses.values();
  }

  private entry(place: NamedPlace): Learnt | undefined {
    const key = formatIpAddress(place.pod);
    const addresses = this.pods.get(key) ?? new Map<string, Learnt>();
    const text = formatIpAddress(place.address);
    let learnt = addresses.get(text);
    if (learnt !== undefined) return learnt;
    if (addresses.size >= ADDRESSES_PER_POD_MAX || this.count >= ADDRESSES_MAX) return undefined;
    learnt = { ...place, names: new Map(), endsAtMs: -Infinity, writtenAtMs: 0 };
    addresses.set(text, learnt);
    this.pods.set(key, addresses);
    this.count++;
    return learnt;
  }

  /** Gives whether the kernel is to be written to. */
  private noteName(learnt: Learnt, { name, endsAtMs }: { readonly name: string; readonly endsAtMs: number }, nowMs: number): boolean {
    const known = learnt.names.get(name);
    learnt.names.set(name, Math.max(endsAtMs, known ?? -Infinity));
    if (known === undefined) {
      const [first] = learnt.names.keys();
      if (learnt.names.size > NAMES_MAX) learnt.names.delete(first!);
      learnt.writtenAtMs = nowMs;
      this.emit(learnt);
    }
    if (endsAtMs - learnt.endsAtMs < GAIN_MS_MIN) return known === undefined;
    learnt.endsAtMs = endsAtMs;
    this.due.add(learnt);
    return true;
  }

  private dropNames(learnt: Learnt, isOver: (endsAtMs: number) => boolean): boolean {
    const { size } = learnt.names;
    for (const [name, endsAtMs] of learnt.names) if (isOver(endsAtMs)) learnt.names.delete(name);
    if (learnt.names.size === 0) this.forget(learnt);
    else if (learnt.names.size < size) this.emit(learnt);
    return learnt.names.size < size;
  }

  private renew(learnt: Learnt, nowMs: number): void {
    learnt.writtenAtMs = nowMs;
    this.emission?.renewName(learnt);
  }

  private forget(learnt: Learnt): void {
    const key = formatIpAddress(learnt.pod);
    const addresses = this.pods.get(key);
    if (addresses?.delete(formatIpAddress(learnt.address)) !== true) return;
    if (addresses.size === 0) this.pods.delete(key);
    this.count--;
    this.due.delete(learnt);
    learnt.names.clear();
    this.emit(learnt);
  }

  private emit({ pod, address, names }: Learnt): void {
    this.emission?.name({ pod, address, names: [...names.keys()] });
  }
}

/** Not loopback, multicast, broadcast, nor without a meaning: nobody answers there, whatever a name says. */
function isOfOneHost({ family, value }: IpAddress): boolean {
  if (family === 4) return value >> 24n !== 0n && value >> 24n !== 127n && value >> 28n < 14n;
  return value >> 8n !== 0n && value >> 120n !== 0xffn && value >> 32n !== 0xffffn;
}

function isSame(a: IpAddress, b: IpAddress): boolean {
  return a.family === b.family && a.value === b.value;
}
