// Rights that are missing, named as the rule of a role that would grant them.
import { ClusterError } from '../kube/cluster-error.ts';
import { shellWord } from './commands.ts';
import type { Unread } from './facts.ts';

/** As one word of a rule: `get configmaps/cilium-config in kube-system`. */
export function rightText({ verb, resource, namespace, name }: Unread): string {
  return `${verb} ${resource}${name === undefined ? '' : `/${name}`}${namespace === undefined ? '' : ` in ${namespace}`}`;
}

/** What grants them, as one command. */
export function grantText(unread: readonly Unread[]): string {
  const resources = [...new Set(unread.map(({ resource }) => resource))].sort();
  return `kubectl create clusterrole bulkhead-doctor --verb=get,list --resource=${shellWord(resources.join(','))} && kubectl create clusterrolebinding bulkhead-doctor --clusterrole=bulkhead-doctor --user=YOU`;
}

export function refusedError(cluster: string, unread: readonly Unread[]): ClusterError {
  return new ClusterError('forbidden', `without the right to ${unread.map(rightText).join(', ')} nobody can tell what enforces policies in the cluster ${cluster}`, { help: `grant it: ${grantText(unread)}` });
}
