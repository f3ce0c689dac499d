// A firewall that judges nothing: it counts what is opened beside another engine, before and behind all that may refuse it.
import type { IpFamily } from '../base/ip-address.ts';
import type { Elements, Key } from '../emit/element.ts';
import { NO_ELEMENTS } from '../emit/elements.ts';
import { FAMILIES, type SetShape } from '../emit/set-shape.ts';
import type { Drift, Firewall, HeldName, LedgerEntry } from './firewall.ts';
import { FirewallError } from './firewall-error.ts';
import { NetfilterSocket } from './internal/netfilter-socket.ts';
import { observerText, OBSERVED_MINUTES, type ObservedSet } from './internal/observer-text.ts';
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

interface Observed {
  readonly family: IpFamily;
  readonly key: Key;
  seen: number;
  passed: number;
  idleMs: number;
}

const NOTHING: Counted = { seen: 0, passed: 0, allSeen: 0, allPassed: 0, allDenied: 0 };
const OBSERVED_MS = OBSERVED_MINUTES * 60_000;

class ObservingFirewall implements Firewall {
  readonly answersProblem = 'an observer hands out no answers of DNS';
  private readonly namespace: NamespaceFd | undefined;
  private readonly table: string;
  private readonly enforcer: string;
  private readonly socket: NetfilterSocket;
  private drained = new Map<string, Counted>();

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

  /**
   * What came and did not come out behind everybody, was refused; told at the drain after the one that saw it come, for
   * it may be on its way.
   */
  readLedger({ drain }: { readonly drain: boolean } = { drain: false }): readonly LedgerEntry[] {
    const counts = new Map<string, Counted>();
    const entries: LedgerEntry[] = [];
    for (const [name, observed] of this.observed()) {
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
    if (drain) this.drained = counts;
    return entries;
  }

  readUnrecorded(): number {
    const shape: SetShape = { name: 'unrecorded', fields: ['protocol'], isInterval: false, isMap: false, meaning: '' };
    return readRawElements(this.socket, this.table, shape).reduce((sum, { packets }) => sum + Number(packets), 0);
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

  /** What came is read first: what passes meanwhile is not taken for refused. */
  private observed(): ReadonlyMap<string, Observed> {
    const found = new Map<string, Observed>();
    for (const set of ['seen', 'passed'] as const) {
      for (const family of FAMILIES) {
        for (const { key, packets, endsInMs } of readRawElements(this.socket, this.table, shapeOf(set, family))) {
          const name = `${family} ${key.join()}`;
          const one = found.get(name) ?? { family, key, seen: 0, passed: 0, idleMs: 0 };
          one[set] = Number(packets);
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

function entryOf({ family, key, idleMs }: Observed, verdict: LedgerEntry['verdict'], packets: number): LedgerEntry {
  const [source, target, protocol, port] = key as [bigint, bigint, number, number]; // as the shape has them
  return { verdict, source: { family, value: source }, target: { family, value: target }, protocol, port, asked: undefined, refusal: undefined, profile: 0, packets, idleMs };
}
