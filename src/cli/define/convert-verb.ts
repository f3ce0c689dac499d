// `bulkhead convert`: policies of the old cluster-wide kinds as ClusterNetworkPolicies with the same answers.
import type { Command } from 'commander';
import { convertPolicies } from '../../compare/convert.ts';
import { convertedYaml } from '../../report/define/policy-yaml.ts';
import { addInputOptions, type InputOptions } from '../../input/input-options.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { readInputs } from '../../input/input.ts';
import { writeFindings } from '../../terminal/write-findings.ts';

export function defineConvert(command: Command): void {
  addInputOptions(command)
    .addHelpText('after', `
Prints every AdminNetworkPolicy and the BaselineAdminNetworkPolicy of the input as ClusterNetworkPolicy
(policy.networking.k8s.io/v1alpha2), split where the new kind takes less, and each ClusterNetworkPolicy that
needs another priority for that. Nothing is printed unless the input with the new policies answers as before.

Exit status: 0; 1 when something cannot be converted; 2 when the input could not be understood.

Example: bulkhead convert -f manifests > cluster-policies.yaml`)
    .action(async (options: InputOptions) => {
      process.exitCode = await runConvert(options);
    });
}

async function runConvert(options: InputOptions): Promise<number> {
  const input = await readInputs(options.file ?? [], options);
  if (input === undefined) return 2;
  const { policies, refusals } = convertPolicies(input.cluster);
  await writeAnswer(convertedYaml(policies));
  await writeFindings(refusals, input);
  if (policies.length === 0 && refusals.length === 0) await writeNote('bulkhead: there is nothing to convert: no AdminNetworkPolicy, no BaselineAdminNetworkPolicy\n');
  return refusals.length === 0 ? 0 : 1;
}
