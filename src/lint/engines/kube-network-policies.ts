// kube-network-policies of SIG Network, also inside kindnet and the chart of flannel.
import type { Engine } from './engine.ts';

export const KUBE_NETWORK_POLICIES: Engine = {
  name: 'kube-network-policies',
  title: 'kube-network-policies',
  aliases: ['kindnet', 'kind'],
  facts: [
    { kind: 'everywhere', text: 'every process of root on a node reaches the pods of that node, not only the kubelet', source: 'kube-network-policies, pkg/dataplane: `meta skuid 0 accept`', date: '2026-08' },
    { kind: 'everywhere', text: 'with `--fail-open`, the default, everything passes while the agent is not running', source: 'kube-network-policies, flags', date: '2026-08' },
    { kind: 'everywhere', text: 'when a policy changes, live connections that it denies are cut after 30 to 60 seconds', source: 'kube-network-policies, `--strict-mode`', date: '2026-08' },
  ],
};
