// kube-router, also inside k3s and k0s.
import { ALL_CLUSTER_KINDS, type Engine } from './engine.ts';

export const KUBE_ROUTER: Engine = {
  name: 'kube-router',
  title: 'kube-router',
  aliases: ['k3s', 'k0s'],
  facts: [
    { kind: 'feature', feature: 'SCTP', isSure: false, text: 'SCTP is enforced since March 2026', source: 'kube-router, release notes', date: '2026-08' },
    { kind: 'policy-kinds', policyKinds: ALL_CLUSTER_KINDS, isSure: true, text: 'cluster-wide policies are not enforced', source: 'kube-router, pkg/controllers/netpol', date: '2026-08' },
    { kind: 'everywhere', text: 'the usual messages of ICMP pass, whatever the policies say', source: 'kube-router, pkg/controllers/netpol', date: '2026-08' },
    { kind: 'everywhere', text: 'a new pod is open until its policies are programmed, unless `--netpol-default-deny` is set; k3s does not set it', source: 'kube-router #2079; k3s #947, #13432', date: '2026-08' },
    { kind: 'everywhere', text: 'when a policy changes, live connections that it denies stay open', source: 'kube-router, established connections are accepted in each pod\'s chain', date: '2026-08' },
  ],
};
