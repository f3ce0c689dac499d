// What the answer to an attempt between real ends means, by what is known of who listens at its target.
import type { AttemptResult, ListenResult } from './connection-probe.ts';
import { isDns } from './open-attempts.ts';
import type { SeenVerdict } from './run-probes.ts';

export interface TargetFacts {
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
  /** Whether a pod that runs has the address. */
  readonly isPod: boolean;
  /** Of the prober of the target's node; undefined: nobody asked it. */
  readonly listen: ListenResult['result'] | undefined;
}

/** undefined: nothing can be concluded, for it was not tried, or nobody would answer there. */
export function judgeAttempt({ answer, control, errno }: Pick<AttemptResult, 'answer' | 'control' | 'errno'>, target: TargetFacts): SeenVerdict | undefined {
  switch (answer) {
    case 'connected':
    case 'replied':
      return { verdict: 'allowed', evidence: 'reply' };
    case 'arrived':
      return { verdict: 'allowed', evidence: 'arrival' };
    case 'refused':
      return judgeRefusal(control, target);
    case 'silent':
      return judgeSilence(control, target);
    case 'failed':
      return { verdict: 'unknown', evidence: 'failure', ...(errno === undefined ? {} : { errno }) };
    case 'skipped':
      return undefined;
  }
}

/** Where somebody listens, only a firewall says so; where nobody does, the target itself. */
function judgeRefusal(control: AttemptResult['control'], { listen }: TargetFacts): SeenVerdict {
  if (listen === 'listening' || listen === 'served') return { verdict: 'denied', evidence: 'refusal' };
  if (control === 'connected' || control === 'replied') return { verdict: 'denied', evidence: 'refusal' };
  if (control === 'refused') return { verdict: 'allowed', evidence: 'reply' };
  return { verdict: 'unknown', evidence: 'refusal' };
}

/** A pod's own kernel answers for a port of TCP that nobody has, and for one of UDP; a server of UDP need not, but one of DNS is asked in its own words. */
function judgeSilence(control: AttemptResult['control'], { protocol, port, isPod, listen }: TargetFacts): SeenVerdict | undefined {
  if (listen === 'listening' || (isPod && (protocol === 'TCP' || isDns({ protocol, port })))) return { verdict: 'denied', evidence: 'timeout' };
  if (control === 'connected' || control === 'replied' || control === 'refused') return { verdict: 'denied', evidence: 'timeout' };
  return undefined;
}
