// Antrea, whose own policies stand in tiers around those of Kubernetes.
import type { Engine } from './engine.ts';

export const ANTREA: Engine = {
  name: 'antrea',
  title: 'Antrea',
  aliases: [],
  facts: [
    { kind: 'policy-kinds', policyKinds: ['ClusterNetworkPolicy'], isSure: false, text: 'ClusterNetworkPolicy needs its feature gate, alpha since Antrea 2.7', source: 'antrea, feature gates', date: '2026-08' },
    { kind: 'everywhere', text: 'when a policy changes, live connections that it denies stay open', source: 'antrea-io/antrea #5381', date: '2026-08' },
  ],
};
