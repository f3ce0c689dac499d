// Opens the connections of a plan and says of each whether it came through, and how that is known.
import type { IpAddress } from '../base/ip-address.ts';
import type { Protocol } from '../base/port-set.ts';
import type { LedgerEntry } from '../kernel/firewall.ts';
import type { NamespaceFd } from '../kernel/network-namespace.ts';
import type { ProbeAnswer, Prober, ProbeTask } from '../kernel/prober.ts';
import { addressOf, type Probe, type ProbePlan } from './plan-probes.ts';

/** `unknown`: neither an answer nor a refusal on record, so nothing is claimed. */
export interface SeenVerdict {
  readonly verdict: 'allowed' | 'denied' | 'unknown';
  /**
   * `reply`: the target answered. `arrival`: the packet was seen at the target. `ledger`: the kernel's own record says so.
   * `timeout`: nothing was heard, twice. `refusal`: somebody answered no in the name of a target that listens, or in that of
   * one of which nobody knows whether it does. `failure`: the packet could not be sent, or was told that there is no way.
   */
  readonly evidence: 'reply' | 'arrival' | 'ledger' | 'timeout' | 'refusal' | 'failure';
  /** Of a failure: the error number of the host. */
  readonly errno?: number;
}

export interface ProbeWorld {
  readonly prober: Prober;
  /** By index of the endpoints. */
  readonly namespaces: readonly NamespaceFd[];
  /**
   * The kernel's record since the last call, drained. Where there is one, silence without a record is `unknown`;
   * without one, silence counts as `denied`.
   */
  readonly readLedger?: () => readonly LedgerEntry[];
  /** Called after each batch. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Asked between batches; true ends the run early. */
  readonly isCancelled?: () => boolean;
}

/** A verdict for each probe, by position; fewer when cancelled. Silent ones are tried once more. */
export async function runProbes(plan: ProbePlan, world: ProbeWorld): Promise<SeenVerdict[]> {
  const seen: (SeenVerdict | undefined)[] = new Array(plan.probes.length).fill(undefined);
  const silent: number[] = [];
  const step = Math.min(world.prober.tasksMax, BATCH_MAX);
  // What happened before is none of ours.
  world.readLedger?.();
  for (let start = 0; start < seen.length; start += step) {
    if (world.isCancelled?.() === true) return completed(seen, start);
    const batch = rangeOf(start, Math.min(start + step, seen.length));
    await runBatch(plan, world, { batch, seen });
    silent.push(...batch.filter((index) => isSilent(seen[index]!)));
    world.onProgress?.(Math.min(start + step, seen.length), seen.length);
  }
  for (let start = 0; start < silent.length; start += step) {
    if (world.isCancelled?.() === true) break;
    await runBatch(plan, world, { batch: silent.slice(start, start + step), seen });
  }
  return completed(seen, seen.length);
}

/** Rounds of this size keep a terminal and a Ctrl-C waiting for less than half a second. */
const BATCH_MAX = 4000;

/** All of this passes one host: what has not answered by then was refused, lost, or the host is far too busy. */
const ANSWER_WAIT_MS = 400;

/** The share of it after which the ledger is asked, so that refused ones need not be waited for. */
const LEDGER_WAIT_MS = 10;

/** Once for what was refused at once, once more for what was not yet written then. */
const LEDGER_LOOKS = 2;

/** Reading it takes longer than answers do, and with one for all there is nothing to look up. */
function needsLedger(answers: readonly ProbeAnswer[], isSettled: (task: number) => boolean): boolean {
  return answers.some((answer, task) => !isSettled(task) && (answer === 'silent' || answer === 'refused' || answer === 'failed'));
}

interface Batch {
  readonly batch: readonly number[];
  readonly seen: (SeenVerdict | undefined)[];
}

async function runBatch(plan: ProbePlan, world: ProbeWorld, { batch, seen }: Batch): Promise<void> {
  const probes = batch.map((index) => plan.probes[index]!);
  const round = world.prober.open(probes.map((probe) => taskOf(probe, plan, world)));
  try {
    const refused = new Set<number>();
    const isSettled = (task: number): boolean => refused.has(task);
    await round.collect(world.readLedger === undefined ? ANSWER_WAIT_MS : LEDGER_WAIT_MS);
    for (let look = 0; look < LEDGER_LOOKS && needsLedger(round.answers, isSettled); look++) {
      addRefused(refused, probes, { plan, world });
      await round.collect(ANSWER_WAIT_MS, isSettled);
    }
    for (const [task, index] of batch.entries()) {
      seen[index] = judge(round.answers[task]!, { isRefused: refused.has(task), hasLedger: world.readLedger !== undefined, errno: round.errnoOf(task) });
    }
  } finally {
    round.close();
  }
}

function taskOf({ source, target, family, protocol, port }: Probe, { endpoints }: ProbePlan, { namespaces }: ProbeWorld): ProbeTask {
  return {
    namespace: namespaces[source]!,
    source: addressOf(endpoints[source]!, family)!,
    target: addressOf(endpoints[target]!, family)!,
    targetNamespace: namespaces[target]!,
    protocol,
    port,
  };
}

/** Adds the positions of the batch whose refusal stands in the ledger. */
function addRefused(refused: Set<number>, probes: readonly Probe[], { plan, world }: { plan: ProbePlan; world: ProbeWorld }): void {
  const denied = (world.readLedger?.() ?? []).filter(({ verdict }) => verdict === 'denied');
  if (denied.length === 0) return;
  const keys = new Set(denied.map((entry) => ledgerKey(entry.source, entry.target, entry)));
  for (const [task, { source, target, family, protocol, port }] of probes.entries()) {
    const key = ledgerKey(addressOf(plan.endpoints[source]!, family)!, addressOf(plan.endpoints[target]!, family)!, { protocol: PROTOCOL_NUMBER[protocol], port });
    if (keys.has(key)) refused.add(task);
  }
}

const PROTOCOL_NUMBER: Readonly<Record<Protocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 };

function ledgerKey(source: IpAddress, target: IpAddress, { protocol, port }: { readonly protocol: number; readonly port: number }): string {
  return `${source.family} ${source.value} ${target.value} ${protocol} ${port}`;
}

interface Circumstances {
  readonly isRefused: boolean;
  readonly hasLedger: boolean;
  readonly errno: number;
}

function judge(answer: ProbeAnswer, { isRefused, hasLedger, errno }: Circumstances): SeenVerdict {
  switch (answer) {
    case 'connected':
    case 'replied':
      return { verdict: 'allowed', evidence: 'reply' };
    case 'arrived':
      return { verdict: 'allowed', evidence: 'arrival' };
    case 'refused':
      // A firewall that answers in the target's name says so in its ledger.
      return isRefused ? { verdict: 'denied', evidence: 'ledger' } : { verdict: 'allowed', evidence: 'reply' };
    case 'failed':
      return isRefused ? { verdict: 'denied', evidence: 'ledger' } : { verdict: 'unknown', evidence: 'failure', errno };
    case 'silent':
      return isRefused ? { verdict: 'denied', evidence: 'ledger' } : { verdict: hasLedger ? 'unknown' : 'denied', evidence: 'timeout' };
  }
}

function isSilent({ evidence }: SeenVerdict): boolean {
  return evidence === 'timeout' || evidence === 'failure';
}

function completed(seen: readonly (SeenVerdict | undefined)[], end: number): SeenVerdict[] {
  return seen.slice(0, end).filter((verdict) => verdict !== undefined);
}

function rangeOf(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}
