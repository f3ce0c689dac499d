// Azure Network Policy Manager on Linux nodes of AKS; it retires.
import { ALL_CLUSTER_KINDS, type Engine } from './engine.ts';

export const AZURE_NPM: Engine = {
  name: 'azure-npm',
  title: 'Azure Network Policy Manager',
  aliases: ['aks-azure'],
  facts: [
    { kind: 'family-ignored', family: 6, text: 'IPv6 is not enforced', source: 'AKS documentation, "Secure pod traffic with network policies"', date: '2026-08' },
    { kind: 'policy-kinds', policyKinds: ALL_CLUSTER_KINDS, isSure: true, text: 'cluster-wide policies are not enforced', source: 'AKS documentation', date: '2026-08' },
    { kind: 'everywhere', text: 'egress to the own node is never judged', source: 'Azure/azure-container-networking #2786', date: '2026-08' },
    { kind: 'everywhere', text: 'when a policy changes, live connections that it denies stay open', source: 'AKS documentation: "never impacts active connections"', date: '2026-08' },
    { kind: 'everywhere', text: 'beyond 250 nodes or 20,000 pods it is not supported, and it retires', source: 'AKS documentation', date: '2026-08' },
  ],
};
