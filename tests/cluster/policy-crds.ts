// The CustomResourceDefinitions of the cluster-wide policies, as upstream publishes them in its Go module.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const MODULE = 'sigs.k8s.io/network-policy-api';

/** ClusterNetworkPolicy is of 0.2.0, the two older kinds of 0.1.7. */
export function policyCrdFiles(channel: 'standard' | 'experimental' = 'experimental'): readonly string[] {
  const kinds = (version: string, names: readonly string[]): string[] => names.map((name) => join(moduleFolder(version), 'config/crd', channel, `policy.networking.k8s.io_${name}.yaml`));
  return [...kinds('v0.2.0', ['clusternetworkpolicies']), ...kinds('v0.1.7', ['adminnetworkpolicies', 'baselineadminnetworkpolicies'])];
}

function moduleFolder(version: string): string {
  const { status, stdout, stderr } = spawnSync('go', ['mod', 'download', '-json', `${MODULE}@${version}`], { encoding: 'utf8', cwd: '/' });
  if (status !== 0) throw new Error(`go mod download of ${MODULE}@${version}: ${stderr}${stdout}`);
  return (JSON.parse(stdout) as { readonly Dir: string }).Dir;
}
