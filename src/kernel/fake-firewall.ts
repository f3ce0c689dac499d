// The firewall in memory: it holds the same maps as the kernel, refuses what the kernel refuses, and decides packets by walking the skeleton.
import type { IpAddress } from '../base/ip-address.ts';
import type { Elements } from '../emit/element.ts';
import { NO_ELEMENTS } from '../emit/elements.ts';
import { formatElement } from '../emit/format-ruleset.ts';
import { diffElements, type ChangePlan, type ChangeStep } from '../emit/plan-change.ts';
import { PROTOCOL_NUMBER } from '../emit/profile-elements.ts';
import { FAMILIES } from '../emit/set-shape.ts';
import { namesOf } from '../emit/named-addresses.ts';
import type { AskedPlace, Drift, Firewall, FirewallOptions, FreshAddress, HeldName, LedgerEntry } from './firewall.ts';
import { FirewallError } from './firewall-error.ts';
import { addressKey } from './internal/conntrack.ts';
import { describeSteps } from './internal/describe-steps.ts';
import { FakeTable } from './internal/fake-table.ts';
import { GENERATION_MASK, GENERATION_MAX } from './generation-number.ts';
import { podsLeavingBy, podsLeavingFor } from './internal/leaving-pods.ts';
import { hookText, LEDGER_SIZE, skeletonText } from './internal/skeleton.ts';
import { hasPorts, walkChains, walkOwnNode, walkUntracked, type Judgment, type Look } from './internal/walk-skeleton.ts';

export interface FakeFirewall extends Firewall {
  /** What others do behind our back: they take the table away, or change what stands in its sets. */
  tamper(hand: 'gone' | readonly ChangeStep[]): void;
  /** What the skeleton does with a packet that is forwarded; an opened or refused connection goes into the ledger. */
  decide(packet: Packet): PacketVerdict;
  /** Connections that go on, for `readConnections`. */
  readonly connections: Set<string>;
  /** The generation that a connection opened now is judged in. */
  currentGeneration(): number;
  /** The table as nft text, with its elements; `nft -f` takes it. */
  listing(): string;
}

/** As conntrack knows it: after address translation, `source` the end that opened the connection, also for a reply. */
export interface Packet {
  readonly source: IpAddress;
  readonly target: IpAddress;
  /** IP protocol number. */
  readonly protocol: number;
  /** Target port, 0 for protocols without ports. */
  readonly port: number;
  /** What the client asked for, before address translation. */
  readonly asked?: AskedPlace;
  /** The target is the node itself: the packet is not forwarded. */
  readonly isToNode?: boolean;
  /** `new` when missing. `established` was judged in `generation`; `untracked` has no entry in conntrack, nor has an invalid one. */
  readonly connection?: { readonly kind: 'new' } | { readonly kind: 'established'; readonly generation: number } | { readonly kind: 'untracked' };
}

/** `reset` is for TCP, `reject` an ICMP answer for the rest; a firewall that drops gives `reset` only to a connection that it cuts. */
export type PacketVerdict = 'accept' | 'drop' | 'reset' | 'reject';

export interface FakeFirewallOptions extends FirewallOptions {
  /** What the kernel goes by when it ends what is fresh; time stands still when missing. */
  readonly elapsedMs?: () => number;
  /** Records of the ledger; as many as the kernel's four hold when missing. */
  readonly ledgerSizeMax?: number;
}

export function createFakeFirewall(options: FakeFirewallOptions = {}): FakeFirewall {
  return new MemoryFirewall(options);
}

class MemoryFirewall implements FakeFirewall {
  private readonly table: string;
  private readonly deny: 'drop' | 'reject';
  private readonly onChange: 'cut' | 'keep';
  private loaded: FakeTable | undefined;
  /** Never comes round here: the kernel takes a value off all flows before it uses it again, so that nobody sees it come round. */
  private generation = 0;
  /** Pods that went, with the generation since when their connections are judged anew; used where live ones are kept. */
  private leftIn = new Map<string, number>();
  private ledger = new Map<string, LedgerEntry>();
  private unrecorded = 0;
  /** A table was loaded and not removed by us. */
  private isWanted = false;
  private readonly watchers = new Set<() => void>();
  /** When each ends, by pod and address. */
  private readonly fresh = new Map<string, number>();
  private readonly elapsedMs: () => number;
  private readonly ledgerSizeMax: number;
  readonly connections = new Set<string>();
  readonly answersProblem: string | undefined = undefined;

  constructor({ table = 'bulkhead', deny = 'drop', onChange = 'cut', elapsedMs = () => 0, ledgerSizeMax = FAKE_LEDGER_SIZE }: FakeFirewallOptions) {
    this.ledgerSizeMax = ledgerSizeMax;
    this.elapsedMs = elapsedMs;
    this.table = table;
    this.deny = deny;
    this.onChange = onChange;
  }

  takeOver(): Elements | undefined {
    return this.loaded?.elements;
  }

  load(steps: readonly ChangeStep[]): void {
    const table = new FakeTable();
    table.apply(steps);
    this.beginGeneration(true, this.loaded === undefined ? new Set() : podsLeavingFor(steps, this.loaded.elements));
    this.loaded = table;
    this.fresh.clear();
    this.isWanted = true;
    this.ledger.clear();
    this.unrecorded = 0;
  }

  apply(plan: ChangePlan): void {
    this.requireTable().apply(plan.steps);
    this.beginGeneration(plan.takesAway, podsLeavingBy(plan.steps));
  }

  tamper(hand: 'gone' | readonly ChangeStep[]): void {
    if (hand === 'gone') this.loaded = undefined;
    else this.requireTable().apply(hand);
    for (const onTouched of this.watchers) onTouched();
  }

  watch(onTouched: () => void): () => void {
    this.watchers.add(onTouched);
    return () => this.watchers.delete(onTouched);
  }

  repair(wanted: () => Elements): Drift | undefined {
    if (!this.isWanted) return undefined;
    if (this.loaded === undefined) {
      this.load(diffElements(NO_ELEMENTS, wanted()));
      return { kind: 'gone', found: [], by: undefined };
    }
    const steps = diffElements(this.loaded.elements, wanted());
    if (steps.length === 0) return undefined;
    this.loaded.apply(steps);
    this.generation++;
    return { kind: 'elements', found: describeSteps(steps), by: undefined };
  }

  read(): Elements {
    return this.requireTable().elements;
  }

  readLedger(options: { readonly drain: boolean } = { drain: false }): readonly LedgerEntry[] {
    this.requireTable();
    const entries = [...this.ledger.values()];
    if (options.drain) this.ledger.clear();
    return entries;
  }

  readUnrecorded(): number {
    this.requireTable();
    return this.unrecorded;
  }

  remove(): void {
    this.isWanted = false;
    this.loaded = undefined;
  }

  close(): void {}

  freshen(places: readonly FreshAddress[], { isAll }: { readonly isAll: boolean }): void {
    this.requireTable();
    if (isAll) this.fresh.clear();
    for (const { pod, address, seconds } of places) this.fresh.set(endsKey(pod, address), this.elapsedMs() + seconds * 1000);
  }

  readNamed(): readonly HeldName[] {
    const { loaded } = this;
    if (loaded === undefined) return [];
    return FAMILIES.flatMap((family) => loaded.elements.get(`named${family}`)!.map(({ key, note = '' }): HeldName => {
      const [pod, address] = key.map((value): IpAddress => ({ family, value: value as bigint })) as [IpAddress, IpAddress]; // two fields of kind address
      return { pod, address, seconds: this.freshSeconds(pod, address), names: namesOf(note) };
    }));
  }

  readConnections(): (source: IpAddress, target: IpAddress) => boolean {
    return (source, target) => this.connections.has(endsKey(source, target));
  }

  private freshSeconds(pod: IpAddress, address: IpAddress): number {
    return Math.max(0, (this.fresh.get(endsKey(pod, address)) ?? 0) - this.elapsedMs()) / 1000;
  }

  currentGeneration(): number {
    return this.generation;
  }

  decide(packet: Packet): PacketVerdict {
    const { connection = { kind: 'new' } } = packet;
    if (this.loaded === undefined) return 'accept';
    if (connection.kind === 'established' && this.isJudged(packet, connection.generation)) return 'accept';
    const table = this.loaded;
    const look: Look = (set, key) => table.look(set, key);
    const isTracked = connection.kind !== 'untracked';
    const judgment = packet.isToNode === true ? walkOwnNode(packet, look) : isTracked ? walkChains({ ...packet, isByName: connection.kind === 'established' || this.freshSeconds(packet.source, packet.target) > 0 }, look) : walkUntracked(packet, look);
    if (isTracked || judgment.kind === 'refuse') this.record(packet, judgment);
    if (judgment.kind === 'allow') return 'accept';
    if (!isTracked || judgment.refusal === 'unknown-pod') return 'drop';
    return this.answer(packet, connection.kind === 'established');
  }

  listing(): string {
    const { elements } = this.requireTable();
    const { table, deny } = this;
    const mask = GENERATION_MASK;
    const generation = 1 + ((this.generation - 1) % GENERATION_MAX);
    const sets = skeletonText({ table, deny, generation, mask, elementsOf: (shape) => elements.get(shape.name)!.map((element) => formatElement(shape, element)) });
    return sets + hookText({ table, mask });
  }

  private beginGeneration(takesAway: boolean, leaving: ReadonlySet<string>): void {
    if (this.onChange === 'keep' ? this.generation === 0 || leaving.size > 0 : takesAway) this.generation++;
    for (const key of leaving) this.leftIn.set(key, this.generation);
  }

  private isJudged({ source, target }: Packet, generation: number): boolean {
    if (this.onChange === 'cut') return generation === this.generation;
    return [source, target].every(({ family, value }) => (this.leftIn.get(addressKey(family, value)) ?? 0) <= generation);
  }

  /** The chain `cut`. */
  private answer({ protocol }: Packet, isLive: boolean): PacketVerdict {
    if (this.deny === 'reject') return protocol === PROTOCOL_NUMBER.TCP ? 'reset' : 'reject';
    return protocol === PROTOCOL_NUMBER.TCP && isLive ? 'reset' : 'drop';
  }

  private record({ source, target, protocol, port, asked }: Packet, judgment: Judgment): void {
    const entry: LedgerEntry = {
      verdict: judgment.kind === 'allow' ? 'allowed' : 'denied',
      source,
      target,
      protocol,
      port: hasPorts(protocol) ? port : 0,
      asked: hasPorts(protocol) ? asked : undefined,
      refusal: judgment.kind === 'refuse' ? judgment.refusal : undefined,
      profile: judgment.kind === 'allow' ? judgment.profile : 0,
      packets: 1,
      idleMs: 0,
    };
    const key = [entry.verdict, source.family, source.value, target.value, protocol, entry.port, entry.asked?.address.value, entry.asked?.port, entry.refusal, entry.profile].join();
    const held = this.ledger.get(key);
    if (held !== undefined) this.ledger.set(key, { ...held, packets: held.packets + 1 });
    else if (this.ledger.size < this.ledgerSizeMax) this.ledger.set(key, entry);
    else this.unrecorded++;
  }

  private requireTable(): FakeTable {
    if (this.loaded !== undefined) return this.loaded;
    throw new FirewallError({ code: 'table-missing', doing: `use table \`${this.table}\``, said: 'it is not loaded' });
  }
}

/** As `connections` has them. */
export function endsKey(source: IpAddress, target: IpAddress): string {
  return `${addressKey(source.family, source.value)} ${addressKey(target.family, target.value)}`;
}

/** As many records as the four ledgers of the kernel hold. */
const FAKE_LEDGER_SIZE = 4 * LEDGER_SIZE;
