// OVN-Kubernetes, the network of OpenShift.
import type { Engine } from './engine.ts';

export const OVN_KUBERNETES: Engine = {
  name: 'ovn-kubernetes',
  title: 'OVN-Kubernetes',
  aliases: ['openshift', 'ovn-k'],
  facts: [
    { kind: 'feature', feature: 'except', isSure: false, text: 'an `except` is one more rule to deny, and takes up to a minute to be in force where many are made at once', source: 'kube-burner-ocp #407: p99 60.6 s', date: '2026-03' },
    { kind: 'everywhere', text: 'when a policy changes, live connections that it denies are cut: each packet is judged', source: 'network-policy-api #305', date: '2026-07' },
  ],
};
