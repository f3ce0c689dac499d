// A firewall that judges nothing: it counts what is opened beside another engine, before and behind all that may refuse it.
import type { IpFamily } from '../base/ip-address.ts';
import type { Elements, Key } from '../emit/element.ts';
import { NO_ELEMENTS } from '../emit/elements.ts';
import { FAMILIES, type SetShape } from '../emit/set-shape.ts';
import type { Drift, Firewall, HeldName, LedgerEntry } from './firewall.ts';
import { FirewallError } from './firewall-error.ts';
import { AskedCounts } from './internal/asked-counts.ts';
import { askedEnds, askedShape, PORT_PROTOCOLS } from './internal/asked-sets.ts';
import { NetfilterSocket } from './internal/netfilter-socket.ts';
import { observerText, OBSERVED_MINUTES, OBSERVED_SETS, type ObservedSet } from './internal/observer-text.ts';
import { loadNft } from './internal/run-nft.ts';
import { readRawElements, readTableState, removeTable } from './internal/table.ts';
import type { NamespaceFd } from './network-namespace.ts';

export interface ObserverOptions {
  /** Without it the one that this process is in. */
  readonly namespace?: NamespaceFd;
  /** Name of the table in family `inet`; `bulkhead_observer` when missing. */
  readonly table?: string;
  /** Of the table that enforces; where it is in force, nothing is to be observed. */
  readonly enforcer?: string;
}

export function openObserver(options: ObserverOptions = {}): Firewall {
  return new ObservingFirewall(options);
}

/** Packets that open a connection: how many came, and how many nobody had dropped at the end; as the kernel counts them, and since the beginning. */
interface Counted {
  readonly seen: number;
  readonly passed: number;
  readonly allSeen: number;
  readonly allPassed: number;
  readonly allDenied: number;
}

type Ends = Pick<LedgerEntry, 'source' | 'target' | 'protocol' | 'port' | 'asked'>;

/** A set of what came and one of what passed, in the same form. */
interface ObservedPair {
  readonly shape: (set: ObservedSet) => SetShape;
  readonly endsOf: (key: Key) => Ends;
}

interface Observed {
  readonly ends: Ends;
  seen: number;
  passed: number;
  idleMs: number;
}

const NOTHING: Counted = { seen: 0, passed: 0, allSeen: 0, allPassed: 0, allDenied: 0 };
const OBSERVED_MS = OBSERVED_MINUTES * 60_000;

const JUDGED: readonly ObservedPair[] = FAMILIES.map((family) => ({ shape: (set) => shapeOf(set, family), endsOf: (key) => endsOf(key, family) }));

/** Of a part of the same packets, what was asked for. */
const ASKED: readonly ObservedPair[] = FAMILIES.flatMap((family) =>
  PORT_PROTOCOLS.map((protocol): ObservedPair => ({ shape: (set) => askedShape(set, protocol, family), endsOf: (key) => askedEnds(key, protocol, family) })),
);

class ObservingFirewall implements Firewall {
  readonly answersProblem = 'an observer hands out no answers of DNS';
  private readonly namespace: NamespaceFd | undefined;
  private readonly table: string;
  private readonly enforcer: string;
  private readonly socket: NetfilterSocket;
  private drained = new Map<string, Counted>();
  private early: readonly LedgerEntry[] = [];

  constructor({ namespace, table = 'bulkhead_observer', enforcer = 'bulkhead' }: ObserverOptions) {
    this.namespace = namespace;
    this.table = table;
    this.enforcer = enforcer;
    this.socket = new NetfilterSocket(namespace);
  }

  takeOver(): undefined {
    return undefined;
  }

  /** Whatever the steps say: no policy comes into the kernel. */
  load(): void {
    const doing = `load table \`${this.table}\``;
    if (readTableState(this.socket, this.enforcer) === 'hooked') throw new FirewallError({ code: 'table-in-use', doing, said: `the rules of \`${this.enforcer}\` are in force on this node, so there is nothing to observe beside them: bulkhead agent --uninstall takes them away` });
    removeTable(this.socket, this.table);
    loadNft(observerText(this.table), { namespace: this.namespace, doing });
    this.drained = new Map();
    this.early = [];
  }

  apply(): void {}

  watch(): () => void {
    return () => undefined;
  }

  repair(): Drift | undefined {
    return undefined;
  }

  read(): Elements {
    return NO_ELEMENTS;
  }

  /** What was asked for is read last, for it is counted first. */
  readLedger({ drain }: { readonly drain: boolean } = { drain: false }): readonly LedgerEntry[] {
    const counts = new Map<string, Counted>();
    const judged = this.grown(JUDGED, counts);
    const asked = new AskedCounts(this.early);
    for (const entry of this.grown(ASKED, counts)) asked.add(entry);
    const entries = judged.flatMap((entry) => asked.split(entry));
    if (drain) {
      this.drained = counts;
      this.early = asked.early();
    }
    return entries;
  }

  readUnrecorded(): number {
    const shape: SetShape = { name: 'unrecorded', fields: ['protocol'], isInterval: false, isMap: false, meaning: '' };
    return readRawElements(this.socket, this.table, shape).reduce((sum, { packets }) => sum + packets, 0);
  }

  freshen(): void {}

  readNamed(): readonly HeldName[] {
    return [];
  }

  readConnections(): () => boolean {
    return () => false;
  }

  remove(): void {
    removeTable(this.socket, this.table);
  }

  close(): void {
    this.socket.close();
  }

  /**
   * What came and did not come out behind everybody, was refused; told at the drain after the one that saw it come, for
   * it may be on its way. `counts` takes what is known now.
   */
  private grown(pairs: readonly ObservedPair[], counts: Map<string, Counted>): readonly LedgerEntry[] {
    const entries: LedgerEntry[] = [];
    for (const [name, observed] of this.observed(pairs)) {
      const { seen, passed } = observed;
      // What the node sends itself only passes.
      if (seen === 0) continue;
      const before = this.drained.get(name) ?? NOTHING;
      const allPassed = before.allPassed + growth(before.passed, passed);
      const allDenied = Math.max(before.allDenied, before.allSeen - allPassed);
      counts.set(name, { seen, passed, allSeen: before.allSeen + growth(before.seen, seen), allPassed, allDenied });
      if (allPassed > before.allPassed) entries.push(entryOf(observed, 'allowed', allPassed - before.allPassed));
      if (allDenied > before.allDenied) entries.push(entryOf(observed, 'denied', allDenied - before.allDenied));
    }
    return entries;
  }

  /** What came is read first: what passes meanwhile is not taken for refused. */
  private observed(pairs: readonly ObservedPair[]): ReadonlyMap<string, Observed> {
    const found = new Map<string, Observed>();
    for (const set of OBSERVED_SETS) {
      for (const { shape, endsOf: ends } of pairs) {
        for (const { key, keyText, packets, endsInMs } of readRawElements(this.socket, this.table, shape(set))) {
          const name = `${shape('seen').name} ${keyText}`;
          const one = found.get(name) ?? { ends: ends(key), seen: 0, passed: 0, idleMs: 0 };
          one[set] = packets;
          one.idleMs = Math.max(0, OBSERVED_MS - (endsInMs ?? OBSERVED_MS));
          found.set(name, one);
        }
      }
    }
    return found;
  }
}

/** A record that ended and began anew counts from nothing. */
function growth(before: number, now: number): number {
  return now >= before ? now - before : now;
}

function shapeOf(set: ObservedSet, family: IpFamily): SetShape {
  const address = family === 4 ? 'address4' : 'address6';
  return { name: `${set}${family}`, fields: [address, address, 'protocol', 'port'], isInterval: false, isMap: false, meaning: '' };
}

function endsOf(key: Key, family: IpFamily): Ends {
  const [source, target, protocol, port] = key as [bigint, bigint, number, number]; // as the shape has them
  return { source: { family, value: source }, target: { family, value: target }, protocol, port, asked: undefined };
}

function entryOf({ ends, idleMs }: Observed, verdict: LedgerEntry['verdict'], packets: number): LedgerEntry {
  return { verdict, ...ends, refusal: undefined, profile: 0, packets, idleMs };
}
