// Policies that are judged and never enforced: what they would have refused of what the kernel let through, counted rule by rule, with witnesses.
import { compareText } from '../base/finding.ts';
import { formatIpAddress } from '../base/ip-address.ts';
import type { Cluster } from '../model/cluster.ts';
import type { EndpointRef } from '../analyze/endpoint.ts';
import type { LedgerEntry } from '../kernel/firewall.ts';
import { protocolText } from '../flow/flow-protocol.ts';
import { FlowJudge, type FlowJudgment, type JudgedPolicy, type SideJudgment } from './judge-flows.ts';
import type { RefusedFlow, RuleCount, StagedCount } from './staged-count.ts';

/** What is judged together and enforced in no part. */
export interface Staged {
  readonly kind: StagedCount['kind'];
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  /** None where it cannot be understood, and `problem` says why. */
  readonly policies: readonly JudgedPolicy[];
  readonly problem?: string;
}

/** More are not judged, and say so. */
export const STAGED_MAX = 100;
/** Of one drain; what is beyond is counted as unknown. */
const ENTRIES_MAX = 20_000;
/** Kept of one policy; more of them take the place of those with the fewest judgments. */
const WITNESSES_KEPT_MAX = 256;
const WITNESSES_SHOWN_MAX = 10;
const RULES_SHOWN_MAX = 256;

interface Tally {
  readonly staged: Staged;
  readonly since: Date;
  until: Date;
  judged: number;
  wouldRefuse: number;
  wouldAllow: number;
  unknown: number;
  readonly rules: Map<string, RuleCount>;
  readonly witnesses: Map<string, RefusedFlow>;
}

/** A class, for it lives in time: counts grow from drain to drain, and begin anew with each generation. */
export class StagedCounter {
  readonly #tallies = new Map<string, Tally>();

  put(staged: Staged, now: Date): void {
    const known = this.#tallies.get(staged.uid);
    if (known !== undefined && known.staged.generation === staged.generation) return;
    this.#tallies.set(staged.uid, { staged, since: now, until: now, judged: 0, wouldRefuse: 0, wouldAllow: 0, unknown: 0, rules: new Map(), witnesses: new Map() });
  }

  remove(uid: string): void {
    this.#tallies.delete(uid);
  }

  get isEmpty(): boolean {
    return this.#tallies.size === 0;
  }

  /** `entries` are what the kernel of `node` judged since the last time; `cluster` is what is in force, without anything staged. */
  count(entries: readonly LedgerEntry[], { cluster, node, now }: { readonly cluster: Cluster; readonly node: string; readonly now: Date }): void {
    const tallies = [...this.#tallies.values()].slice(0, STAGED_MAX).filter(({ staged }) => staged.policies.length > 0);
    if (tallies.length === 0) return;
    const judge = new FlowJudge(cluster, node, entries.slice(0, ENTRIES_MAX));
    const left = entries.slice(ENTRIES_MAX).reduce((sum, { packets }) => sum + packets, 0);
    for (const tally of tallies) {
      for (const judgment of judge.judge(tally.staged.policies)) add(tally, judgment, judge);
      tally.unknown += left + judge.unknown;
      tally.until = now;
    }
  }

  /** In the order in which they came. */
  counts(): readonly StagedCount[] {
    return [...this.#tallies.values()].map((tally, index) => countOf(tally, index >= STAGED_MAX));
  }
}

function add(tally: Tally, { entry, source, target, sides, before, after }: FlowJudgment, judge: FlowJudge): void {
  const { packets } = entry;
  tally.judged += packets;
  if ((entry.verdict === 'allowed') !== before) {
    tally.unknown += packets; // judged under policies that are no more
    return;
  }
  for (const { direction, rules } of sides) {
    for (const { policy, index } of rules) {
      const named = tally.staged.kind === 'Namespace' ? { policy: policy.name } : {};
      addTo(tally.rules, `${policy.name} ${direction} ${index}`, { ...named, direction, index, judged: packets });
    }
  }
  if (!before && after) tally.wouldAllow += packets;
  if (!before || after) return;
  tally.wouldRefuse += packets;
  addWitness(tally, witnessOf({ entry, source, target }, sides, judge));
}

function witnessOf({ entry, source, target }: Pick<FlowJudgment, 'entry' | 'source' | 'target'>, sides: readonly SideJudgment[], judge: FlowJudge): RefusedFlow {
  const nameOf = (end: EndpointRef): string => {
    if (end.kind === 'pod') return `${judge.podAt(end.pod).namespace}/${judge.podAt(end.pod).name}`;
    return end.kind === 'address' ? formatIpAddress(end.address) : end.name;
  };
  const { direction } = sides.find(({ isAllowed }) => !isAllowed) ?? sides[0]!;
  return { direction, source: nameOf(source), target: nameOf(target), protocol: protocolText(entry.protocol), port: entry.port, judged: entry.packets };
}

function addWitness({ witnesses }: Tally, witness: RefusedFlow): void {
  const { direction, source, target, protocol, port } = witness;
  addTo(witnesses, `${direction} ${source} ${target} ${protocol} ${port}`, witness);
  if (witnesses.size <= WITNESSES_KEPT_MAX) return;
  const [fewest] = [...witnesses].reduce((least, one) => (one[1].judged < least[1].judged ? one : least));
  witnesses.delete(fewest);
}

function compareRules(a: RuleCount, b: RuleCount): number {
  return compareText(a.policy ?? '', b.policy ?? '') || (a.direction === b.direction ? a.index - b.index : a.direction === 'ingress' ? -1 : 1);
}

function addTo<T extends { readonly judged: number }>(counts: Map<string, T>, key: string, one: T): void {
  counts.set(key, { ...one, judged: (counts.get(key)?.judged ?? 0) + one.judged });
}

function countOf({ staged, since, until, judged, wouldRefuse, wouldAllow, unknown, rules, witnesses }: Tally, isBeyond: boolean): StagedCount {
  const { kind, namespace, name, uid, generation } = staged;
  const problem = isBeyond ? `a node judges ${STAGED_MAX} staged policies, and there are more` : staged.problem;
  return {
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    uid,
    generation,
    since,
    until,
    judged,
    wouldRefuse,
    wouldAllow,
    unknown,
    rules: [...rules.values()].sort(compareRules).slice(0, RULES_SHOWN_MAX),
    witnesses: [...witnesses.values()].sort((a, b) => b.judged - a.judged).slice(0, WITNESSES_SHOWN_MAX),
    ...(problem === undefined ? {} : { problem }),
  };
}
