// The live truth table: real connections between all ends of a lab, held against what the Program says of each.
import type { Program } from '../compile/program.ts';
import { compareVerdicts, type TruthTable } from './compare-verdicts.ts';
import { expectedVerdicts } from './expected-verdicts.ts';
import { planProbes, type ProbeChoice, type ProbeEndpoint } from './plan-probes.ts';
import { runProbes, type ProbeWorld } from './run-probes.ts';

/**
 * Plans, opens and compares. `program` is compiled from the very cluster that runs (`withLabAddresses`), `endpoints`
 * are `lab.plan.endpoints`, and the world is `{ prober: lab.prober, namespaces: lab.namespaces, readLedger: () => firewall.readLedger({ drain: true }) }`.
 */
export async function proveTruthTable(program: Program, endpoints: readonly ProbeEndpoint[], options: ProbeWorld & ProbeChoice): Promise<TruthTable> {
  const plan = planProbes(endpoints, options);
  const expected = expectedVerdicts(program, plan);
  const seen = await runProbes(plan, options);
  return compareVerdicts(plan, expected, seen);
}
