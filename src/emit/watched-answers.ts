// Which answers of DNS are looked at, of a live emission: to pods under rules that name domains, from servers that are believed.
import type { IpAddress } from '../base/ip-address.ts';
import type { Program } from '../compile/program.ts';
import { namesDomains } from '../model/cluster-policy.ts';
import type { ChangeDraft } from './change-draft.ts';
import type { Element, Elements } from './element.ts';
import type { LocalEnd } from './node-pods.ts';
import { FAMILIES, type SetName } from './set-shape.ts';

/** Whose answers are believed. */
export interface DnsServers {
  /** Addresses of Services, whoever answers behind them. */
  readonly services: readonly IpAddress[];
  /** They answer at these addresses themselves. */
  readonly servers: readonly IpAddress[];
}

export const NO_SERVERS: DnsServers = { services: [], servers: [] };

type AnswerSet = 'ask' | 'dnsvia' | 'dnsat';

const SETS: readonly AnswerSet[] = ['ask', 'dnsvia', 'dnsat'];

export class WatchedAnswers {
  servers: DnsServers = NO_SERVERS;
  private readonly isOfAllPods: boolean;
  private readonly held: ReadonlyMap<SetName, Set<bigint>> = new Map(SETS.flatMap((set) => FAMILIES.map((family): [SetName, Set<bigint>] => [`${set}${family}`, new Set()])));

  /** `isOfAllPods`: also where no rule names a domain, for who tells of flows. */
  constructor({ isOfAllPods }: { readonly isOfAllPods: boolean }) {
    this.isOfAllPods = isOfAllPods;
  }

  plan({ program, ends, draft }: { readonly program: Program; readonly ends: readonly LocalEnd[]; readonly draft: ChangeDraft }): void {
    const isWanted = this.isOfAllPods || program.domainNames.length > 0;
    this.change('ask', this.isOfAllPods ? ends.flatMap(({ address, pod }) => (pod === undefined ? [] : [address])) : isWanted ? askingPods(program, ends) : [], draft);
    this.change('dnsvia', isWanted ? this.servers.services : [], draft);
    this.change('dnsat', isWanted ? this.servers.servers : [], draft);
  }

  /** From what the kernel holds. */
  adopt(elements: Elements): void {
    for (const [set, held] of this.held) {
      held.clear();
      for (const { key } of elements.get(set)!) held.add(key[0] as bigint); // a field of kind address
    }
  }

  *elements(): Generator<readonly [SetName, Element]> {
    for (const [set, held] of this.held) for (const value of held) yield [set, { key: [value] }];
  }

  private change(name: AnswerSet, addresses: readonly IpAddress[], draft: ChangeDraft): void {
    for (const family of FAMILIES) {
      const set = `${name}${family}` as const;
      const held = this.held.get(set)!;
      if (held.size === 0 && addresses.length === 0) continue;
      const wanted = new Set(addresses.flatMap((address) => (address.family === family ? [address.value] : [])));
      for (const value of held) if (!wanted.has(value)) draft.put(set, { before: { key: [value] } });
      for (const value of wanted) if (!held.has(value)) draft.put(set, { after: { key: [value] } });
      held.clear();
      for (const value of wanted) held.add(value);
    }
  }
}

/** Local pods that rules which name domains select. */
function askingPods(program: Program, ends: readonly LocalEnd[]): readonly IpAddress[] {
  const known = new Map<number, boolean>();
  return ends.flatMap(({ address, pod, subject }) => {
    if (pod === undefined || subject === undefined) return [];
    if (!known.has(subject)) known.set(subject, program.egress.clusterPoliciesOf(subject).some(namesDomains));
    return known.get(subject)! ? [address] : [];
  });
}
