// One connection in a running lab, opened from another process, with the kernel's verdict on it.
import { closeSync, openSync } from 'node:fs';
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { Protocol } from '../base/port-set.ts';
import type { Firewall, LedgerEntry, Refusal } from '../kernel/firewall.ts';
import { openFirewall } from '../kernel/nft-firewall.ts';
import { createPollProber } from '../kernel/poll-probe.ts';
import type { ProbeAnswer } from '../kernel/prober.ts';
import { addressesOf, findSource, findTarget } from './lab-end.ts';
import type { LabState } from './lab-state.ts';

export interface ProbeWish {
  /** `namespace/pod` or an outside host. */
  readonly source: string;
  /** The same, `svc/namespace/name`, or an address. */
  readonly target: string;
  readonly protocol: Protocol;
  readonly port: number;
}

/** One family's answer. */
export interface OnceVerdict {
  readonly sourceName: string;
  readonly targetName: string;
  readonly source: string;
  readonly target: string;
  /** `unknown`: no answer, and no refusal on record. */
  readonly verdict: 'allowed' | 'denied' | 'unknown';
  readonly evidence: 'reply' | 'arrival' | 'ledger' | 'timeout' | 'failure';
  /** Who refused it, where the ledger says so. */
  readonly refusal: Refusal | undefined;
}

/**
 * A verdict for each address family that both ends have. Of a plain user's lab this process must have entered the user
 * namespace first (`enterLabUserNamespace`). Throws `LabError` for ends that the lab does not have.
 */
export async function probeOnce(state: LabState, wish: ProbeWish): Promise<OnceVerdict[]> {
  const source = findSource(state, wish.source);
  const target = findTarget(state, wish.target);
  const open = (fd: number): number => openSync(`/proc/${state.pid}/fd/${fd}`, 'r');
  const fds = { source: open(source.fd), target: open((target.targets[0] ?? source).fd), node: open(state.node) };
  const firewall = openFirewall({ namespace: fds.node });
  try {
    const verdicts: OnceVerdict[] = [];
    for (const to of target.addresses) {
      const from = addressesOf(source.addresses).find(({ family }) => family === to.family);
      if (from === undefined) continue;
      const ends = target.targets.flatMap(({ addresses }) => addressesOf(addresses));
      const seen = await probeFamily({ fds, firewall, from, to, ends, wish });
      verdicts.push({ sourceName: source.name, targetName: target.name, source: formatIpAddress(from), target: formatIpAddress(to), ...seen });
    }
    return verdicts;
  } finally {
    firewall.close();
    for (const fd of Object.values(fds)) closeSync(fd);
  }
}

interface FamilyProbe {
  readonly fds: { readonly source: number; readonly target: number };
  readonly firewall: Firewall;
  readonly from: IpAddress;
  readonly to: IpAddress;
  /** Where it may end up behind a Service. */
  readonly ends: readonly IpAddress[];
  readonly wish: ProbeWish;
}

const ANSWER_WAIT_MS = 500;
const LEDGER_WAIT_MS = 20;

async function probeFamily(probe: FamilyProbe): Promise<Pick<OnceVerdict, 'verdict' | 'evidence' | 'refusal'>> {
  const { fds, from, to, wish } = probe;
  const before = refusalsOf(probe);
  const task = { namespace: fds.source, source: from, target: to, targetNamespace: fds.target, protocol: wish.protocol, port: wish.port };
  const round = createPollProber().open([task]);
  try {
    await round.collect(LEDGER_WAIT_MS);
    let refused: LedgerEntry | undefined;
    for (const waitMs of [ANSWER_WAIT_MS, 0]) {
      if (isAnswered(round.answers[0]!)) break;
      refused = newRefusal(before, refusalsOf(probe));
      if (refused !== undefined) return { verdict: 'denied', evidence: 'ledger', refusal: refused.refusal };
      await round.collect(waitMs);
    }
    return { ...verdictOf(round.answers[0]!), refusal: undefined };
  } finally {
    round.close();
  }
}

// A port that nobody listens on is answered as well, by the target or by a firewall in its name: the ledger tells which.
function isAnswered(answer: ProbeAnswer): boolean {
  return answer === 'connected' || answer === 'replied' || answer === 'arrived';
}

function verdictOf(answer: ProbeAnswer): Pick<OnceVerdict, 'verdict' | 'evidence'> {
  switch (answer) {
    case 'connected':
    case 'replied':
    case 'refused':
      return { verdict: 'allowed', evidence: 'reply' };
    case 'arrived':
      return { verdict: 'allowed', evidence: 'arrival' };
    case 'failed':
      return { verdict: 'unknown', evidence: 'failure' };
    case 'silent':
      return { verdict: 'unknown', evidence: 'timeout' };
  }
}

/** Refusals on record that could be this connection's; the record is read, never drained: it is the lab's. */
function refusalsOf({ firewall, from, to, ends, wish }: FamilyProbe): LedgerEntry[] {
  const number = { TCP: 6, UDP: 17, SCTP: 132 }[wish.protocol];
  const isSame = (a: IpAddress, b: IpAddress): boolean => a.family === b.family && a.value === b.value;
  return firewall.readLedger().filter((entry) =>
    entry.verdict === 'denied' && entry.protocol === number && isSame(entry.source, from)
    && ((isSame(entry.target, to) && entry.port === wish.port) || ends.some((end) => !isSame(end, to) && isSame(entry.target, end))));
}

/** The record that is new or has grown. */
function newRefusal(before: readonly LedgerEntry[], after: readonly LedgerEntry[]): LedgerEntry | undefined {
  const keyOf = ({ target, port, asked, refusal }: LedgerEntry): string => `${target.value} ${port} ${asked?.address.value} ${asked?.port} ${refusal}`;
  const packets = new Map(before.map((entry) => [keyOf(entry), entry.packets]));
  return after.find((entry) => entry.packets > (packets.get(keyOf(entry)) ?? 0));
}
