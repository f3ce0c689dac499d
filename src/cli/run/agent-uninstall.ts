// Takes the agent's traces away: the table of this node; and, where that is asked for, what the manifests put into the cluster.
import { WordError } from '../../base/word-error.ts';
import type { ClusterApi, ObjectPlace, ServedKind } from '../../kube/cluster-api.ts';
import { ClusterError } from '../../kube/cluster-error.ts';
import { FirewallError } from '../../kernel/firewall-error.ts';
import { openFirewall } from '../../kernel/nft-firewall.ts';
import { openObserver } from '../../kernel/observing-firewall.ts';
import { writeNote } from '../../terminal/output.ts';

export async function uninstallNode(): Promise<void> {
  const firewall = openFirewall();
  try {
    firewall.remove();
    openObserver().remove();
  } catch (error) {
    if (!(error instanceof FirewallError) || error.errnoName !== 'EPERM') throw error;
    throw new FirewallError({ code: 'not-permitted', doing: 'take the table away', said: 'an agent that lives owns it, or this is not root: end the agent of this node first', cause: error });
  } finally {
    firewall.close();
  }
  await writeNote('bulkhead: the table inet bulkhead of this node is gone: nothing is enforced here any more\n');
}

const kind = (apiVersion: string, name: string, resource: string, isNamespaced: boolean): ServedKind => ({ apiVersion, kind: name, resource, isNamespaced });

const DAEMON_SET = kind('apps/v1', 'DaemonSet', 'daemonsets', true);
const DEFINITION = kind('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', false);

/** Of what runs on the nodes; the prober may not be there. */
const NAMES: readonly string[] = ['bulkhead-agent', 'bulkhead-prober'];

/** Of each of them. */
const RIGHTS: readonly ServedKind[] = [
  kind('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings', false),
  kind('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy', 'validatingadmissionpolicies', false),
  kind('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', false),
  kind('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', false),
];

/** In this order: who would write them anew, the kinds with all their objects, then the rights. */
const PLACES: readonly ObjectPlace[] = [
  ...NAMES.map((name): ObjectPlace => ({ served: DAEMON_SET, namespace: 'bulkhead-system', name })),
  ...['connectionprobes', 'nodeenforcements', 'stagedclusterpolicies', 'stagedpolicies'].map((resource): ObjectPlace => ({ served: DEFINITION, name: `${resource}.bulkhead.dev` })),
  ...NAMES.flatMap((name) => RIGHTS.map((served): ObjectPlace => ({ served, name }))),
  // Of older manifests.
  ...(['RoleBinding', 'Role'] as const).map((name): ObjectPlace => ({ served: kind('rbac.authorization.k8s.io/v1', name, `${name.toLowerCase()}s`, true), namespace: 'kube-system', name: 'bulkhead-agent' })),
  ...NAMES.map((name): ObjectPlace => ({ served: kind('v1', 'ServiceAccount', 'serviceaccounts', true), namespace: 'bulkhead-system', name })),
];

const NAMESPACE: ObjectPlace = { served: kind('v1', 'Namespace', 'namespaces', false), name: 'bulkhead-system' };
/** Its claim is of the namespace too, and what it keeps would go with it. */
const SERVER: ObjectPlace = { served: kind('apps/v1', 'Deployment', 'deployments', true), namespace: 'bulkhead-system', name: 'bulkhead-server' };

/** The label that our manifests carry: somebody else's object of the same name is left alone. */
const LABEL = 'app.kubernetes.io/name';

/** Staged policies go with their kind; a server of flows stays, with the namespace. */
export async function uninstallCluster(api: ClusterApi): Promise<void> {
  const strangers: string[] = [];
  const hasServer = await isThere(api, SERVER);
  if (hasServer) await writeNote('bulkhead: Namespace bulkhead-system stays, for the server of flows keeps its history there\n');
  for (const place of hasServer ? PLACES : [...PLACES, NAMESPACE]) {
    const outcome = await removeOurs(api, place);
    const name = `${place.served.kind} ${place.name}`;
    if (outcome === 'stranger') strangers.push(name);
    else await writeNote(`bulkhead: ${name} ${outcome === 'removed' ? 'is removed' : 'was not there'}\n`);
  }
  if (strangers.length > 0) throw new WordError(`${strangers.join(', ')} without our label ${LABEL}=bulkhead: left alone`, 'look at them with kubectl, and remove them by hand');
}

async function isThere(api: ClusterApi, place: ObjectPlace): Promise<boolean> {
  try {
    await api.get(place);
    return true;
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'not-found') return false;
    throw error;
  }
}

async function removeOurs(api: ClusterApi, place: ObjectPlace): Promise<'removed' | 'absent' | 'stranger'> {
  try {
    const { metadata } = await api.get(place);
    if ((metadata['labels'] as { readonly [label: string]: unknown } | undefined)?.[LABEL] !== 'bulkhead') return 'stranger';
    await api.delete(place);
    return 'removed';
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'not-found') return 'absent';
    throw error;
  }
}
