// Out of all that a server serves, the kinds that have a say in the answer, each resource in the version that is read.
import { compareText } from '../base/finding.ts';
import { classifyKind } from '../read/values/kinds.ts';
import { mayDecide } from '../read/values/engine-kinds.ts';
import { groupOf, type ServedKind, type ServedKinds } from './cluster-api.ts';

/** A resource as discovery names it. */
export interface ServedResource extends ServedKind {
  readonly verbs: readonly string[];
}

/** `resources` stand in the server's order, of each group the preferred version first. */
export function chooseKinds(resources: readonly ServedResource[], silentGroups: readonly string[]): ServedKinds {
  const chosen = new Map<string, { readonly resource: ServedResource; readonly isRead: boolean }>();
  for (const resource of resources) {
    if (!resource.verbs.includes('list') || resource.resource.includes('/')) continue;
    const say = sayOf(resource);
    if (say === undefined) continue;
    const key = `${groupOf(resource.apiVersion)}/${resource.resource}`;
    const known = chosen.get(key);
    if (known === undefined || (say === 'read' && !known.isRead)) chosen.set(key, { resource, isRead: say === 'read' });
  }
  // Whoever sends by a Service looks at its slices, and the control plane mirrors Endpoints into them (Kubernetes 1.21 on).
  if (chosen.has('discovery.k8s.io/endpointslices')) chosen.delete('/endpoints');
  const kinds = [...chosen.values()].map(({ resource: { apiVersion, kind, resource, isNamespaced } }): ServedKind => ({ apiVersion, kind, resource, isNamespaced }));
  return { kinds: kinds.sort(compareKinds), callers: chooseCallers(resources), silentGroups: [...new Set(silentGroups)].sort(compareText) };
}

/** What lint reads of who calls pods (`lint/callers`): each resource in the server's preferred version. */
const CALLERS: Readonly<Record<string, readonly string[]>> = {
  'monitoring.coreos.com': ['ServiceMonitor', 'PodMonitor'],
  'admissionregistration.k8s.io': ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'],
  'apiextensions.k8s.io': ['CustomResourceDefinition'],
  'apiregistration.k8s.io': ['APIService'],
};

function chooseCallers(resources: readonly ServedResource[]): readonly ServedKind[] {
  const chosen = new Map<string, ServedKind>();
  for (const { apiVersion, kind, resource, isNamespaced, verbs } of resources) {
    const key = `${groupOf(apiVersion)}/${resource}`;
    if (CALLERS[groupOf(apiVersion)]?.includes(kind) === true && verbs.includes('list') && !resource.includes('/') && !chosen.has(key)) chosen.set(key, { apiVersion, kind, resource, isNamespaced });
  }
  return [...chosen.values()].sort(compareKinds);
}

export function compareKinds(a: { readonly apiVersion: string; readonly kind: string }, b: { readonly apiVersion: string; readonly kind: string }): number {
  return compareText(a.apiVersion, b.apiVersion) || compareText(a.kind, b.kind);
}

/** `read`: becomes part of the cluster. `other`: decides, or may decide, and reading says so for each object. */
function sayOf({ apiVersion, kind }: ServedKind): 'read' | 'other' | undefined {
  const classified = classifyKind(apiVersion, kind, {});
  switch (classified.kind) {
    case 'read':
      return 'read';
    case 'policy':
    case 'mesh':
      return 'other';
    case 'no-such-kind':
      // A newer server has a kind in a group that we thought to know; if it is a policy, it must come to light.
      return /policy/i.test(kind) ? 'other' : undefined;
    case 'removed':
      return undefined; // served besides in the version that is read
    case 'other':
      return mayDecide(groupOf(apiVersion), kind) ? 'other' : undefined;
  }
}
