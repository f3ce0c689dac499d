// The kernel on a page: its cluster as a lab, its rules in force, and a real connection for each pair and port.
import { planCluster, runLab, shownEnds } from '../../src/cli/lab/run-lab.ts';
import { formatIpRange } from '../../src/base/ip-address.ts';
import { hasPoint, NO_PORTS, pointOf } from '../../src/base/port-set.ts';
import { withDns } from '../../src/lab/dns-pod.ts';
import type { LabPlan } from '../../src/lab/lab-plan.ts';
import { formatDifference } from '../../src/probe/compare-verdicts.ts';
import { expectedVerdicts } from '../../src/probe/expected-verdicts.ts';
import type { ProbeEndpoint, ProbePlan } from '../../src/probe/plan-probes.ts';
import { proveTruthTable } from '../../src/probe/probe.ts';
import type { LoadedCase } from './loaded-case.ts';
import { hasOwnAddresses } from './placed-case.ts';
import { parseReach } from './reach-text.ts';

/**
 * The product's own way: the cluster as a lab, its rules in the kernel, a real connection per pair and port. Those must
 * be as computed for the lab; and, where the page gives no addresses of its own, as the page expects.
 */
export async function kernelDisagreements(loaded: LoadedCase): Promise<readonly string[]> {
  const plan = planCluster(loaded.cluster);
  const running = await runLab(loaded.cluster, plan);
  try {
    const { endpoints, namespaces } = shownEnds(running, false);
    const table = await proveTruthTable(running.program, endpoints, {
      prober: running.lab.prober,
      namespaces,
      readLedger: () => running.firewall.readLedger({ drain: true }),
    });
    const incomplete = table.plan.leftOut > 0 || table.probed === 0 ? [`${table.probed} probes, ${table.plan.leftOut} left out`] : [];
    const differences = table.differences.map(formatDifference);
    return [...incomplete, ...differences, ...(hasOwnAddresses(loaded) ? [] : pageDifferences(loaded, plan, table.plan, expectedVerdicts(running.program, table.plan)))];
  } finally {
    await running.close();
  }
}

/** What was computed for the lab, and just shown to be so, against the page. */
function pageDifferences(loaded: LoadedCase, plan: LabPlan, { endpoints, probes }: ProbePlan, verdicts: readonly string[]): readonly string[] {
  const expected = parseReach(loaded.page.expected);
  const sources = withDns(loaded.cluster).pods;
  const endOf = ({ name, subject }: ProbeEndpoint): string => {
    if (subject.kind === 'address') return loaded.ends.find(({ range }) => range !== undefined && formatIpRange(range) === name)!.name;
    const pod = loaded.cluster.pods.indexOf(sources[plan.pods[subject.pod]!.sourcePod]!);
    return loaded.ends.find(({ pods }) => pods.includes(pod))!.name;
  };
  return probes.flatMap(({ source, target, protocol, port }, index) => {
    const pair = `${endOf(endpoints[source]!)} → ${endOf(endpoints[target]!)}`;
    const isExpected = hasPoint(expected.get(pair) ?? NO_PORTS, pointOf(protocol, port));
    return isExpected === (verdicts[index] === 'allowed') ? [] : [`${pair} ${protocol} ${port}: ${verdicts[index]!}`];
  });
}
