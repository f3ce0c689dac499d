// Expectations tried in a lab of their own, for the tests of patterns.
import { planCluster, runLab } from '../../src/cli/lab/run-lab.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import type { ExpectationResult, TestReport } from '../../src/probe/check-expectations.ts';
import type { PolicyTest } from '../../src/probe/policy-test.ts';
import { tryTests } from '../../src/probe/try-expectations.ts';
import { withStateFolder } from '../lab/running-lab.ts';

/** Real connections, one for each pair that policies treat alike. */
export async function tryInLab(cluster: Cluster, tests: readonly PolicyTest[]): Promise<TestReport> {
  return withStateFolder(async () => {
    const plan = planCluster(cluster, { replicasMax: 1, ports: numbersOf(tests) });
    const running = await runLab(cluster, plan);
    try {
      const world = { prober: running.lab.prober, namespaces: running.lab.namespaces, readLedger: () => running.firewall.readLedger({ drain: true }) };
      return await tryTests({ program: running.program, endpoints: plan.endpoints, world, addedPods: plan.dnsPod === undefined ? [] : [plan.dnsPod] }, tests);
    } finally {
      await running.close();
    }
  });
}

/** Somebody must listen on the ports that are asked for. */
function numbersOf(tests: readonly PolicyTest[]): number[] {
  const words = tests.flatMap(({ expectations }) => expectations).flatMap(({ assertion }) => ('ports' in assertion ? (assertion.ports ?? []) : []));
  return words.flatMap((word) => Number(/\/([0-9]+)$/.exec(word)?.[1] ?? []));
}

/** What does not hold, in words. */
export function failuresOf({ tests }: TestReport): string[] {
  return tests.flatMap(({ results }) => results).filter(({ holds }) => !holds).map(sayFailure);
}

function sayFailure({ expectation, problem, tried }: ExpectationResult): string {
  return `${expectation.sentence}: ${problem?.message ?? tried?.wrong.join(', ') ?? 'does not hold'} ${JSON.stringify(tried?.differences ?? [])}`;
}
