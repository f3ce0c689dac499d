// Which objects of the input may create pods that the input does not show.
import type { Cluster } from '../../model/cluster.ts';

/** Groups of custom resources that never become pods. */
const GROUPS_WITHOUT_PODS: ReadonlySet<string> = new Set([
  'acme.cert-manager.io',
  'bitnami.com',
  'cert-manager.io',
  'external-secrets.io',
  'externaldns.k8s.io',
  'generators.external-secrets.io',
  'keda.sh',
  'kyverno.io',
  'linkerd.io',
  'monitoring.coreos.com',
  'monitoring.googleapis.com',
  'networking.istio.io',
  'policy.linkerd.io',
  'security.istio.io',
  'telemetry.istio.io',
  'traefik.io',
  'traefik.containo.us',
  'vpcresources.k8s.aws',
]);

/** By namespace, as messages name them: `` `Kafka/events` ``. Groups without a point are Kubernetes' own, as are those under `k8s.io`. */
export function findPodCreators({ unreadObjects }: Cluster): ReadonlyMap<string, readonly string[]> {
  const creators = new Map<string, string[]>();
  for (const { apiVersion, kind, namespace, name } of unreadObjects) {
    const group = apiVersion.split('/')[0]!;
    if (!group.includes('.') || group.endsWith('.k8s.io') || GROUPS_WITHOUT_PODS.has(group)) continue;
    const text = `\`${kind}/${name}\``;
    const known = creators.get(namespace);
    if (known === undefined) creators.set(namespace, [text]);
    else known.push(text);
  }
  return creators;
}
