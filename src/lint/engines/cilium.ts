// Cilium, which is also GKE Dataplane V2 and AKS with `--network-dataplane cilium`.
import type { Engine } from './engine.ts';

export const CILIUM: Engine = {
  name: 'cilium',
  title: 'Cilium',
  aliases: ['gke-dataplane-v2', 'aks-cilium'],
  facts: [
    {
      kind: 'block-misses-pods',
      text: 'an ipBlock never matches pods, nor nodes unless `policy-cidr-match-mode` says `nodes`',
      source: 'Cilium documentation, "Network Policy", and the pages of AKS on moving to Cilium',
      date: '2026-08',
    },
    { kind: 'feature', feature: 'endPort', isSure: false, text: '`endPort` is enforced from Cilium 1.17 on', source: 'AKS documentation, "Migrate from Network Policy Manager to Cilium"', date: '2026-08' },
    { kind: 'feature', feature: 'SCTP', isSure: false, text: 'SCTP is enforced only where `enable-sctp` is set', source: 'Cilium documentation, "SCTP support"', date: '2026-08' },
    {
      kind: 'policy-kinds',
      policyKinds: ['ClusterNetworkPolicy'],
      isSure: false,
      text: 'ClusterNetworkPolicy is enforced only where `enable-k8s-cluster-network-policy` is set, which it is not by default',
      source: 'Cilium, ConfigMap cilium-config',
      date: '2026-08',
    },
    { kind: 'policy-kinds', policyKinds: ['AdminNetworkPolicy', 'BaselineAdminNetworkPolicy'], isSure: true, text: 'AdminNetworkPolicy and BaselineAdminNetworkPolicy are not enforced', source: 'Cilium documentation, "Kubernetes Network Policy"', date: '2026-08' },
    { kind: 'everywhere', text: 'when a policy changes, live connections that it denies are cut: each packet of the opening direction is judged again', source: 'cilium, policy map of each endpoint', date: '2026-08' },
  ],
};
