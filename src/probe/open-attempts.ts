// Attempts of one node opened for real: silent ones twice, and by the node itself where that is asked for and nothing came about.
import type { IpAddress } from '../base/ip-address.ts';
import type { NamespaceFd } from '../kernel/network-namespace.ts';
import type { PodNetwork } from '../kernel/pod-network.ts';
import type { ProbeAnswer, ProbeTask } from '../kernel/prober.ts';
import type { AttemptResult } from './connection-probe.ts';

export interface PlacedAttempt {
  readonly namespace: NamespaceFd;
  /** The pod's own. */
  readonly source: IpAddress;
  readonly target: IpAddress;
  /** From where the node tries as well; undefined: it does not. */
  readonly nodeSource: IpAddress | undefined;
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
}

/** Of a handshake across a busy cluster. */
const ANSWER_WAIT_MS = 1_000;

/** The second try makes up for a packet that was lost; in the last one a server of DNS is asked what it understands. */
const TRIES = ['own', 'own', 'dns'] as const;

/** The TXT of `version.bind` in the class CHAOS, which a server answers or refuses by itself (RFC 1035, 4.1; RFC 4892). */
const DNS_QUESTION: Uint8Array = new Uint8Array([0x62, 0x68, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7, ...new TextEncoder().encode('version'), 4, ...new TextEncoder().encode('bind'), 0, 0, 16, 0, 3]);

/** By position; a text stands for an attempt that is not made, and says why. */
export async function openAttempts(network: PodNetwork, attempts: readonly (PlacedAttempt | string)[], signal: AbortSignal): Promise<readonly AttemptResult[]> {
  const results: AttemptResult[] = attempts.map((attempt) => (typeof attempt === 'string' ? { answer: 'skipped', message: attempt } : { answer: 'silent' }));
  const placed = attempts.flatMap((attempt, index) => (typeof attempt === 'string' ? [] : [{ attempt, index }]));
  for (const kind of TRIES) {
    const waiting = placed.filter(({ attempt, index }) => (results[index]!.answer === 'silent' || results[index]!.answer === 'failed') && (kind === 'own' || isDns(attempt)));
    await openRound(network, waiting.map(({ attempt }) => ({ ...podTask(attempt), ...(kind === 'dns' ? { datagram: DNS_QUESTION } : {}) })), signal, (task, answer, errno) => {
      results[waiting[task]!.index] = { answer, ...(errno === 0 ? {} : { errno }) };
    });
  }
  const doubtful = placed.filter(({ attempt, index }) => attempt.nodeSource !== undefined && ['silent', 'refused'].includes(results[index]!.answer));
  await openRound(network, doubtful.map(({ attempt }) => nodeTask(network, attempt)), signal, (task, control) => {
    const { index } = doubtful[task]!;
    results[index] = { ...results[index]!, control };
  });
  return results;
}

/** By its port alone: nobody knows what listens. */
export function isDns({ protocol, port }: Pick<PlacedAttempt, 'protocol' | 'port'>): boolean {
  return protocol === 'UDP' && port === 53;
}

function podTask({ namespace, source, target, protocol, port }: PlacedAttempt): ProbeTask {
  return { namespace, source, target, targetNamespace: namespace, protocol, port };
}

function nodeTask({ home }: PodNetwork, { nodeSource, target, protocol, port }: PlacedAttempt): ProbeTask {
  return { namespace: home, source: nodeSource!, target, targetNamespace: home, protocol, port };
}

async function openRound(network: PodNetwork, tasks: readonly ProbeTask[], signal: AbortSignal, note: (task: number, answer: ProbeAnswer, errno: number) => void): Promise<void> {
  if (tasks.length === 0 || signal.aborted) return;
  const round = network.prober.open(tasks);
  try {
    await round.collect(ANSWER_WAIT_MS);
    for (const task of tasks.keys()) note(task, round.answers[task]!, round.errnoOf(task));
  } finally {
    round.close();
  }
}
