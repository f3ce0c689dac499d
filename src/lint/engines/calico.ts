// Calico with any of its data planes, also inside Canal, GKE's legacy policies, AKS and MicroK8s.
import type { Engine } from './engine.ts';

export const CALICO: Engine = {
  name: 'calico',
  title: 'Calico',
  aliases: ['canal', 'gke-calico', 'aks-calico', 'microk8s'],
  facts: [
    { kind: 'everywhere', text: 'when a policy changes, live connections that it denies stay open', source: 'projectcalico/calico #2759, #6399 (open)', date: '2026-08' },
    { kind: 'everywhere', text: 'staged policies, and Calico\'s own kinds, are decided in the same tiers and are not in this answer', source: 'Calico documentation, "Tiered policies"', date: '2026-08' },
  ],
};
