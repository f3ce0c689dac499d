// Kinds of single engines and meshes: which of them decide who may connect, and which only stand beside those.
import { isMap, type LooseMap } from '../text/yaml-value.ts';

/** What an object of a kind of these API groups does to connections. */
export type EngineKind =
  /** Decides who may connect, by rules that are not judged here. */
  | { readonly kind: 'policy'; readonly engine: string }
  /** Decides behind the network, in the proxies of a mesh: it can only refuse what the answer allows. */
  | { readonly kind: 'mesh'; readonly engine: string }
  /** Made by the engine of the policies, or no policy at all. */
  | { readonly kind: 'other' };

/**
 * `others`: kinds that decide nothing, or only repeat what policies say; what the group has besides is taken for a
 * policy, for what we do not know must not open anything. `policies`: of a group that is about other things, the kinds
 * that decide, and in which of their objects.
 */
type EngineGroup =
  | { readonly engine: string; readonly others: readonly string[] }
  | { readonly engine: string; readonly policies: Readonly<Record<string, (spec: LooseMap) => boolean>> };

const CALICO_OTHERS = [
  'BGPConfiguration', 'BGPFilter', 'BGPPeer', 'BlockAffinity', 'CalicoNodeStatus', 'ClusterInformation', 'FelixConfiguration', 'GlobalNetworkSet', 'IPAMBlock',
  'IPAMConfig', 'IPAMConfiguration', 'IPAMHandle', 'IPPool', 'IPReservation', 'KubeControllersConfiguration', 'NetworkSet', 'Node', 'Profile', 'Tier',
  // Staged policies are counted, never enforced.
  'StagedGlobalNetworkPolicy', 'StagedKubernetesNetworkPolicy', 'StagedNetworkPolicy',
];

const ENGINE_GROUPS: Readonly<Record<string, EngineGroup>> = {
  'cilium.io': {
    engine: 'Cilium',
    others: [
      'CiliumBGPAdvertisement', 'CiliumBGPClusterConfig', 'CiliumBGPNodeConfig', 'CiliumBGPNodeConfigOverride', 'CiliumBGPPeerConfig', 'CiliumBGPPeeringPolicy',
      'CiliumCIDRGroup', 'CiliumClusterwideEnvoyConfig', 'CiliumEgressGatewayPolicy', 'CiliumEndpoint', 'CiliumEndpointSlice', 'CiliumEnvoyConfig',
      'CiliumExternalWorkload', 'CiliumGatewayClassConfig', 'CiliumIdentity', 'CiliumL2AnnouncementPolicy', 'CiliumLoadBalancerIPPool', 'CiliumLocalRedirectPolicy',
      'CiliumNode', 'CiliumNodeConfig', 'CiliumPodIPPool', 'CiliumVTEPConfig',
    ],
  },
  'crd.projectcalico.org': { engine: 'Calico', others: CALICO_OTHERS },
  'projectcalico.org': { engine: 'Calico', others: CALICO_OTHERS },
  'networking.k8s.aws': { engine: 'the AWS VPC CNI', others: ['CNINode', 'ClusterPolicyEndpoint', 'PolicyEndpoint'] },
  'vpcresources.k8s.aws': { engine: 'the AWS VPC resource controller', others: ['CNINode'] },
  'eks.amazonaws.com': { engine: 'EKS Auto Mode', policies: { NodeClass: ({ networkPolicy }) => networkPolicy !== undefined && networkPolicy !== 'DefaultAllow' } },
  'crd.antrea.io': {
    engine: 'Antrea',
    others: [
      'AntreaAgentInfo', 'AntreaControllerInfo', 'BGPPolicy', 'ClusterGroup', 'Egress', 'ExternalIPPool', 'ExternalNode', 'Group', 'IPPool', 'NodeLatencyMonitor',
      'PacketCapture', 'SupportBundleCollection', 'Tier', 'Traceflow', 'TrafficControl',
    ],
  },
  // Antrea's controller writes these for its agents, out of the policies.
  'controlplane.antrea.io': {
    engine: 'Antrea',
    others: [
      'AddressGroup', 'AppliedToGroup', 'ClusterGroupMembers', 'EgressGroup', 'GroupAssociation', 'GroupMembers', 'IPGroupAssociation', 'NetworkPolicy',
      'NodeStatsSummary', 'SupportBundleCollection',
    ],
  },
  'security.antrea.tanzu.vmware.com': { engine: 'Antrea', others: ['Tier'] },
  'kubeovn.io': {
    engine: 'Kube-OVN',
    policies: { SecurityGroup: () => true, Subnet: (spec) => spec['private'] === true || (Array.isArray(spec['acls']) && spec['acls'].length > 0) },
  },
  'k8s.ovn.org': {
    engine: 'OVN-Kubernetes',
    others: ['AdminPolicyBasedExternalRoute', 'ClusterUserDefinedNetwork', 'EgressIP', 'EgressQoS', 'EgressService', 'RouteAdvertisements', 'UserDefinedNetwork'],
  },
  'networking.gke.io': {
    engine: 'GKE',
    others: [
      'BackendConfig', 'FrontendConfig', 'GCPBackendPolicy', 'GCPGatewayPolicy', 'GCPSessionAffinityFilter', 'GKENetworkParamSet', 'HealthCheckPolicy', 'ManagedCertificate',
      'Network', 'NetworkInterface', 'NetworkLogging', 'RedirectService', 'ServiceAttachment', 'ServiceNetworkEndpointGroup',
    ],
  },
  'crd.nsx.vmware.com': { engine: 'NSX', others: ['IPPool', 'NSXServiceAccount', 'StaticRoute', 'Subnet', 'SubnetPort', 'SubnetSet', 'VPCNetworkConfiguration'] },
  // Staged policies are counted, never enforced.
  'bulkhead.dev': { engine: 'Bulkhead', others: ['ClusterFacts', 'ConnectionProbe', 'NodeEnforcement', 'StagedClusterPolicy', 'StagedPolicy'] },
};

/** Kinds by which a service mesh refuses requests; the other kinds of these groups do not. */
const MESH_KINDS: Readonly<Record<string, { readonly engine: string; readonly kinds: readonly string[] }>> = {
  'security.istio.io': { engine: 'Istio', kinds: ['AuthorizationPolicy', 'PeerAuthentication', 'RequestAuthentication'] },
  'policy.linkerd.io': { engine: 'Linkerd', kinds: ['AuthorizationPolicy', 'Server', 'ServerAuthorization'] },
  'consul.hashicorp.com': { engine: 'Consul', kinds: ['ServiceIntentions'] },
  'kuma.io': { engine: 'Kuma', kinds: ['MeshTrafficPermission', 'TrafficPermission'] },
};

/** undefined: the group is no engine's. */
export function classifyEngineKind(group: string, kind: string, map: LooseMap): EngineKind | undefined {
  if (Object.hasOwn(MESH_KINDS, group)) {
    const { engine, kinds } = MESH_KINDS[group]!;
    return kinds.includes(kind) ? { kind: 'mesh', engine } : { kind: 'other' };
  }
  if (!Object.hasOwn(ENGINE_GROUPS, group)) return undefined;
  const known = ENGINE_GROUPS[group]!;
  return decides(known, kind, map) ? { kind: 'policy', engine: known.engine } : { kind: 'other' };
}

function decides(group: EngineGroup, kind: string, map: LooseMap): boolean {
  if ('others' in group) return !group.others.includes(kind);
  const spec = map['spec'];
  return Object.hasOwn(group.policies, kind) && group.policies[kind]!(isMap(spec) ? spec : {});
}

/** Whether some object of the kind, whatever stands in it, may decide who may connect. */
export function mayDecide(group: string, kind: string): boolean {
  if (!Object.hasOwn(ENGINE_GROUPS, group)) return false;
  const known = ENGINE_GROUPS[group]!;
  return 'others' in known ? !known.others.includes(kind) : Object.hasOwn(known.policies, kind);
}

/** Whether policies of some engine, or of the working group, live in the API group. */
export function isPolicyGroup(group: string): boolean {
  return Object.hasOwn(ENGINE_GROUPS, group) || group === 'policy.networking.k8s.io';
}
