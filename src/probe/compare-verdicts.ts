// The live truth table held against the computed one: how many agree, and each probe that differs.
import { formatIpAddress, type IpFamily } from '../base/ip-address.ts';
import type { Protocol } from '../base/port-set.ts';
import type { ConnectionExample } from '../prove/check-assertion.ts';
import type { Verdict } from './expected-verdicts.ts';
import type { Probe, ProbePlan } from './plan-probes.ts';
import type { SeenVerdict } from './run-probes.ts';

export interface ProbeDifference {
  /** Indices of the endpoints, and their names. */
  readonly source: number;
  readonly target: number;
  readonly sourceName: string;
  readonly targetName: string;
  readonly family: IpFamily;
  readonly protocol: Protocol;
  readonly port: number;
  readonly via?: Probe['via'];
  readonly expected: Verdict;
  readonly seen: SeenVerdict;
  /** What the Program says of it and why, where that was asked for. */
  readonly why?: ConnectionExample;
}

/** One ordered pair of ends, all its probes together: a cell of a matrix. */
export interface PairSummary {
  readonly source: number;
  readonly target: number;
  /** Probes seen to come through, and not to. */
  readonly allowed: number;
  readonly denied: number;
  /** Neither. */
  readonly unknown: number;
  /** Those that are not as computed, unknown ones included. */
  readonly different: number;
}

export interface TruthTable {
  readonly plan: ProbePlan;
  /** Every probe was made, and each verdict is the computed one. */
  readonly agrees: boolean;
  readonly probed: number;
  readonly allowed: number;
  readonly denied: number;
  readonly unknown: number;
  readonly byEvidence: Readonly<Record<SeenVerdict['evidence'], number>>;
  /** What was seen, by position of the plan's probes. */
  readonly seen: readonly SeenVerdict[];
  /** In the order of the plan. */
  readonly pairs: readonly PairSummary[];
  readonly differences: readonly ProbeDifference[];
}

/** An `unknown` verdict agrees with nothing. `seen` may be shorter than the plan, when the run was cancelled. */
export function compareVerdicts(plan: ProbePlan, expected: readonly Verdict[], seen: readonly SeenVerdict[]): TruthTable {
  const pairs: { -readonly [Key in keyof PairSummary]: number }[] = [];
  const differences: ProbeDifference[] = [];
  const byEvidence = { reply: 0, arrival: 0, ledger: 0, timeout: 0, refusal: 0, failure: 0 };
  for (const [index, verdict] of seen.entries()) {
    const { source, target, family, protocol, port, via } = plan.probes[index]!;
    let pair = pairs.at(-1);
    if (pair?.source !== source || pair.target !== target) pairs.push((pair = { source, target, allowed: 0, denied: 0, unknown: 0, different: 0 }));
    pair[verdict.verdict]++;
    byEvidence[verdict.evidence]++;
    if (verdict.verdict === expected[index]) continue;
    pair.different++;
    const [sourceName, targetName] = [plan.endpoints[source]!.name, plan.endpoints[target]!.name];
    differences.push({ source, target, sourceName, targetName, family, protocol, port, ...(via && { via }), expected: expected[index]!, seen: verdict });
  }
  const sum = (count: (pair: PairSummary) => number): number => pairs.reduce((total, pair) => total + count(pair), 0);
  return {
    plan,
    agrees: differences.length === 0 && seen.length === plan.probes.length,
    probed: seen.length,
    allowed: sum(({ allowed }) => allowed),
    denied: sum(({ denied }) => denied),
    unknown: sum(({ unknown }) => unknown),
    byEvidence,
    seen,
    pairs,
    differences,
  };
}

/** `shop/web -> shop/db tcp/3306 over IPv4: expected denied, seen allowed (reply)`. */
export function formatDifference({ sourceName, targetName, family, protocol, port, via, expected, seen }: ProbeDifference): string {
  const { verdict, evidence, errno } = seen;
  const how = errno === undefined ? evidence : `${evidence}, errno ${errno}`;
  return `${sourceName} -> ${targetName} ${protocol.toLowerCase()}/${port} over IPv${family}${viaText(via)}: expected ${expected}, seen ${verdict} (${how})`;
}

/** Empty where the target itself is called. */
export function viaText(via: Probe['via']): string {
  return via === undefined ? '' : ` by the Service address ${formatIpAddress(via.address)} port ${via.port}`;
}
