// What a tier of cluster-wide policies decides for one subject: accepted, denied and passed ports by peer class.
import type { TierAction } from '../model/cluster-policy.ts';
import { eachClassOfRule, type PolicyVariant, type RuleReader } from './policy-variant.ts';
import type { CompiledClusterPolicy } from './policy-set.ts';
import { ALL_PORTS_ID, NO_PORTS_ID, type PortSetTable } from './port-set-table.ts';

/** Port set ids by peer class, for the classes below `length`. What is in none of the three, no rule of the tier matches. */
export interface TierRow extends Readonly<Record<TierAction, Uint32Array>> {
  readonly length: number;
  /** The classes with anything in `Accept`, ascending, of those below `listed`. */
  readonly accepting: number[];
  readonly listed: number;
  /** What the tier neither accepts nor denies, of the classes below `listed`. */
  readonly rest: Uint32Array;
}

type Draft = Record<TierAction, Uint32Array> & { length: number; listed: number; rest: Uint32Array; readonly accepting: number[] };

const ACTIONS: readonly TierAction[] = ['Accept', 'Deny', 'Pass'];

export function createTierRow(): TierRow {
  return { Accept: new Uint32Array(0), Deny: new Uint32Array(0), Pass: new Uint32Array(0), length: 0, accepting: [], listed: 0, rest: new Uint32Array(0) };
}

export interface TierGrowth {
  /** What lower priority numbers decide; undefined: nothing. */
  readonly above: TierRow | undefined;
  /** The policies of one priority. */
  readonly level: readonly PolicyVariant<CompiledClusterPolicy>[];
  readonly classCount: number;
}

/** Works out the classes that the row does not know yet. */
export function growTierRow(reader: RuleReader, row: TierRow, { above, level, classCount }: TierGrowth): void {
  const draft = row as Draft; // rows are made in this file alone
  const first = draft.length;
  makeRoom(draft, classCount);
  if (above !== undefined) for (const action of ACTIONS) draft[action].set(above[action].subarray(first, classCount), first);
  if (level.length === 1) addPolicy(reader, draft, { variant: level[0]!, first });
  else if (level.length > 1) addEqualPolicies(reader, draft, { level, first });
}

/** Brings `accepting` and `rest` up to all classes of the row. */
export function listTierRow(row: TierRow, portSets: PortSetTable): void {
  const draft = row as Draft;
  if (draft.rest.length < draft.length) {
    const { rest } = draft;
    draft.rest = new Uint32Array(draft.Accept.length);
    draft.rest.set(rest);
  }
  for (; draft.listed < draft.length; draft.listed++) {
    const accepted = draft.Accept[draft.listed]!;
    if (accepted !== NO_PORTS_ID) draft.accepting.push(draft.listed);
    draft.rest[draft.listed] = portSets.subtract(ALL_PORTS_ID, portSets.union(accepted, draft.Deny[draft.listed]!));
  }
}

function makeRoom(draft: Draft, length: number): void {
  for (const action of ACTIONS) {
    const old = draft[action];
    if (old.length >= length) continue;
    // Room for an eighth more, so that a few new classes need no new array; the first time there are seldom any.
    draft[action] = new Uint32Array(old.length === 0 ? length : length + (length >> 3));
    draft[action].set(old);
  }
  draft.length = length;
}

interface PolicyOfLevel {
  readonly variant: PolicyVariant<CompiledClusterPolicy>;
  readonly first: number;
}

/** Adds what the rules of one policy match first, of the ports that nothing in the draft has decided. */
function addPolicy({ peers, portSets }: RuleReader, draft: Draft, { variant, first }: PolicyOfLevel): void {
  const section = variant.policy[peers.direction] ?? [];
  for (const rule of variant.rules) {
    const into = draft[section[rule.index]!.rule.action];
    eachClassOfRule({ peers, portSets }, rule, first, (peerClass, ports) => {
      const open = portSets.subtract(ports, decidedAt(portSets, draft, peerClass));
      if (open !== NO_PORTS_ID) into[peerClass] = portSets.union(into[peerClass]!, open);
    });
  }
}

function decidedAt(portSets: PortSetTable, { Accept, Deny, Pass }: Draft, peerClass: number): number {
  return portSets.union(portSets.union(Accept[peerClass]!, Deny[peerClass]!), Pass[peerClass]!);
}

/** Among policies of one priority each finds its own first match; where they differ the strictest counts. */
function addEqualPolicies(reader: RuleReader, draft: Draft, { level, first }: { readonly level: TierGrowth['level']; readonly first: number }): void {
  const { portSets } = reader;
  const above = copyOf(draft);
  const alone = level.map((variant) => {
    const own = copyOf(draft);
    addPolicy(reader, own, { variant, first });
    return own;
  });
  for (let peerClass = first; peerClass < draft.length; peerClass++) {
    const all = (action: TierAction): number =>
      alone.reduce((ports, own) => portSets.union(ports, portSets.subtract(own[action][peerClass]!, above[action][peerClass]!)), NO_PORTS_ID);
    const denied = all('Deny');
    const passed = portSets.subtract(all('Pass'), denied);
    const accepted = portSets.subtract(portSets.subtract(all('Accept'), denied), passed);
    draft.Deny[peerClass] = portSets.union(above.Deny[peerClass]!, denied);
    draft.Pass[peerClass] = portSets.union(above.Pass[peerClass]!, passed);
    draft.Accept[peerClass] = portSets.union(above.Accept[peerClass]!, accepted);
  }
}

function copyOf({ Accept, Deny, Pass, length }: Draft): Draft {
  return { Accept: Accept.slice(), Deny: Deny.slice(), Pass: Pass.slice(), length, accepting: [], listed: 0, rest: new Uint32Array(0) };
}
