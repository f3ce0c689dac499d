// The network policy agent of the AWS VPC CNI, on EKS.
import { ALL_CLUSTER_KINDS, type Engine } from './engine.ts';

export const AWS_VPC_CNI: Engine = {
  name: 'aws-vpc-cni',
  title: 'the AWS VPC CNI',
  aliases: ['aws', 'eks', 'vpc-cni'],
  facts: [
    {
      kind: 'ports-max',
      max: 24,
      text: 'a peer has room for 24 combinations of port and protocol',
      source: 'aws-network-policy-agent, pkg/ebpf/c/tc.v4ingress.bpf.c; EKS documentation, "Considerations"',
      date: '2026-08',
    },
    { kind: 'family-ignored', family: 'other', text: 'a cluster has one address family, and blocks of the other are not enforced', source: 'EKS documentation, "Considerations"', date: '2026-08' },
    {
      kind: 'service-ports',
      text: 'egress is judged before a Service is translated, so the Service must have the port number, or the port name, of its pods',
      source: 'aws-network-policy-agent, tc programs before DNAT; EKS documentation, "Considerations"',
      date: '2026-08',
    },
    { kind: 'bare-pods', text: 'pods without an owner are not governed', source: 'EKS documentation, "Considerations"', date: '2026-08' },
    { kind: 'policy-kinds', policyKinds: ALL_CLUSTER_KINDS, isSure: true, text: 'only its own ClusterNetworkPolicy of networking.k8s.aws is enforced, not those of policy.networking.k8s.io', source: 'amazon-network-policy-controller-k8s', date: '2026-05' },
    { kind: 'everywhere', text: 'in the mode `standard` a new pod is open until its policies are programmed, one to nine seconds; `strict` denies until then', source: 'aws-network-policy-agent #186, #271, #345', date: '2026-08' },
    { kind: 'everywhere', text: 'when a rule changes, live connections stay open; they are judged again only when the pod becomes governed or free', source: 'aws-network-policy-agent, conntrack map', date: '2026-08' },
    { kind: 'everywhere', text: 'nothing is enforced on Fargate, on Windows, and for interfaces added by Multus', source: 'EKS documentation, "Considerations"', date: '2026-08' },
  ],
};
