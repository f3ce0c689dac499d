// What a diagnosis says of clusters with each engine, switched on and off in each way: cases that the fake and a real API server both run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnose, type Diagnosis } from '../../src/doctor/doctor.ts';
import { loadKnowledge } from '../../src/doctor/known-engines.ts';
import { readFacts } from '../../src/doctor/read-facts.ts';
import type { ClusterApi, ServedKind, WantedObject } from '../../src/kube/cluster-api.ts';
import type { TestNeeds } from '../needs.ts';
import { agent, configMap, custom, node, policy, type Container, type Custom, type NodeOptions } from './support-objects.ts';

export interface SupportWorld {
  readonly api: ClusterApi;
}

/** `codes`: of all findings but infos. */
interface SupportCase {
  readonly name: string;
  readonly nodes: Readonly<Record<string, NodeOptions>>;
  readonly objects?: readonly WantedObject[];
  readonly custom?: readonly Custom[];
  readonly expected: Readonly<Record<string, string>>;
  readonly codes: readonly string[];
  readonly infos?: readonly string[];
  readonly commands?: readonly RegExp[];
}

/** `fill` puts the objects into an empty cluster, of which `kinds` are served besides. */
export function supportCases(fill: (objects: readonly WantedObject[], kinds: readonly ServedKind[]) => Promise<SupportWorld>, wants: TestNeeds = {}): void {
  for (const one of CASES) {
    test(one.name, wants, async () => {
      const objects = [...Object.entries(one.nodes).map(([name, options]) => node(name, options)), ...(one.objects ?? []), ...(one.custom ?? []).flatMap(({ objects: list }) => list)];
      const { api } = await fill([...namespacesOf(objects), ...objects], (one.custom ?? []).map(({ kind }) => kind));
      check(diagnose(await readFacts(api, loadKnowledge(), new Date()), loadKnowledge()), one);
    });
  }
}

function namespacesOf(objects: readonly WantedObject[]): readonly WantedObject[] {
  const names = new Set(objects.flatMap(({ metadata: { namespace } }) => (namespace === undefined || /^(default|kube-system)$/.test(namespace) ? [] : [namespace])));
  return [...names].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
}

function check(diagnosis: Diagnosis, { expected, codes, infos = [], commands = [] }: SupportCase): void {
  const said = diagnosis.findings;
  assert.deepEqual(Object.fromEntries(diagnosis.nodes.map(({ node: name, standing, engines }) => [name, [standing, ...engines].join(' ')])), expected, JSON.stringify(diagnosis, undefined, 2));
  assert.deepEqual(said.filter(({ severity }) => severity !== 'info').map(({ code }) => code).sort(), [...codes].sort());
  for (const code of infos) assert.ok(said.some((finding) => finding.code === code && finding.severity === 'info'), `${code} in ${said.map((finding) => finding.code)}`);
  const typed = said.flatMap(({ remedies }) => remedies).flatMap(({ commands: list }) => list).join('\n');
  for (const command of commands) assert.match(typed, command);
  assert.equal(diagnosis.isEnforced, diagnosis.nodes.length > 0 && diagnosis.nodes.every(({ standing }) => standing === 'enforced'));
}

const EKS: NodeOptions = { kubelet: 'v1.34.1-eks-113cf36', kernel: '6.1.150-174.273.amzn2023.x86_64', providerID: 'aws:///eu-west-1a/i-0123456789abcdef0', labels: { 'eks.amazonaws.com/nodegroup': 'ng', 'topology.kubernetes.io/region': 'eu-west-1', 'alpha.eksctl.io/cluster-name': 'shop' } };
const FARGATE: NodeOptions = { ...EKS, labels: { 'eks.amazonaws.com/compute-type': 'fargate', 'topology.kubernetes.io/region': 'eu-west-1' } };
const WINDOWS: NodeOptions = { ...EKS, os: 'windows', kernel: '10.0.20348.4171' };
const AUTO: NodeOptions = { ...EKS, labels: { 'eks.amazonaws.com/compute-type': 'auto', 'topology.kubernetes.io/region': 'eu-west-1' } };
const GKE: NodeOptions = { kubelet: 'v1.34.1-gke.1279000', providerID: 'gce://my-project/europe-west1-b/gke-shop-pool-1', labels: { 'cloud.google.com/gke-nodepool': 'pool' } };
const aks = (policyLabel: string): NodeOptions => ({ kubelet: 'v1.34.1', providerID: 'azure:///subscriptions/s/resourceGroups/mc_shop', labels: { 'kubernetes.azure.com/cluster': 'MC_shop-rg_shop_westeurope', 'kubernetes.azure.com/network-policy': policyLabel } });
const K3S = (args: readonly string[]): NodeOptions => ({ kubelet: 'v1.34.1+k3s1', annotations: { 'k3s.io/node-args': JSON.stringify(args) } });
const ONE = { a: {} };

const awsNode = (flag: string | undefined, more: Partial<Container> = {}): readonly Container[] => [
  { name: 'aws-node', image: '602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon-k8s-cni:v1.20.4-eksbuild.1', ...more },
  ...(flag === undefined ? [] : [{ name: 'aws-eks-nodeagent', image: '602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon/aws-network-policy-agent:v1.2.7', args: [`--enable-network-policy=${flag}`, '--enable-ipv6=false', '--metrics-bind-addr=:8162'] }]),
];
const STRICT: Partial<Container> = { env: { NETWORK_POLICY_ENFORCING_MODE: 'strict' } };
const policyEndpoints = (objects: Readonly<Record<string, object>> = {}): Custom => custom('networking.k8s.aws/v1alpha1', 'PolicyEndpoint', objects);
const cilium = (tag = 'v1.18.2'): readonly Container[] => [{ name: 'cilium-agent', image: `quay.io/cilium/cilium:${tag}@sha256:${'a'.repeat(64)}`, args: ['--config-dir=/tmp/cilium/config-map'] }];
const calico: readonly Container[] = [{ name: 'calico-node', image: 'docker.io/calico/node:v3.30.3' }];
const flannel: readonly Container[] = [{ name: 'kube-flannel', image: 'ghcr.io/flannel-io/flannel:v0.27.0' }];
const kindnet = (...args: readonly string[]): readonly Container[] => [{ name: 'kindnet-cni', image: 'docker.io/kindest/kindnetd:v20250512-df8de77b', args }];
const onA = (daemonSet: string, containers: readonly Container[], namespace?: string): readonly WantedObject[] => agent({ daemonSet, containers, nodes: ['a'], ...(namespace === undefined ? {} : { namespace }) });

const CASES: readonly SupportCase[] = [
  // Nothing
  { name: 'no node at all is not enforced', nodes: {}, expected: {}, codes: [] },
  { name: 'a cluster without any engine that is known', nodes: ONE, expected: { a: 'inert' }, codes: ['no-engine/none'], commands: [/bulkhead agent --manifests/] },

  // EKS
  { name: 'the VPC CNI as EKS installs it ignores policies', nodes: { a: EKS, b: EKS }, objects: [...agent({ daemonSet: 'aws-node', containers: awsNode('false'), nodes: ['a', 'b'] }), policy()], expected: { a: 'inert Amazon VPC CNI v1.20.4-eksbuild.1', b: 'inert Amazon VPC CNI v1.20.4-eksbuild.1' }, codes: ['aws-vpc-cni/policy-off'], commands: [/aws eks update-addon --region eu-west-1 --cluster-name shop --addon-name vpc-cni/] },
  { name: 'the VPC CNI before 1.14 has no policy agent', nodes: { a: EKS }, objects: onA('aws-node', awsNode(undefined)), expected: { a: 'inert Amazon VPC CNI v1.20.4-eksbuild.1' }, codes: ['aws-vpc-cni/no-policy-agent'] },
  { name: 'the VPC CNI with policies switched on', nodes: { a: EKS }, objects: [...onA('aws-node', awsNode('true')), policy()], custom: [policyEndpoints({ deny: {} })], expected: { a: 'enforced Amazon VPC CNI v1.20.4-eksbuild.1' }, codes: [], infos: ['aws-vpc-cni/open-start'] },
  { name: 'the VPC CNI in strict mode has no open start', nodes: { a: EKS }, objects: onA('aws-node', awsNode('true', STRICT)), custom: [policyEndpoints()], expected: { a: 'enforced Amazon VPC CNI v1.20.4-eksbuild.1' }, codes: [], infos: ['aws-vpc-cni/strict'] },
  { name: 'the VPC CNI switched on, and its kind is not served', nodes: { a: EKS }, objects: onA('aws-node', awsNode('true')), expected: { a: 'inert Amazon VPC CNI v1.20.4-eksbuild.1' }, codes: ['aws-vpc-cni/kind-missing'] },
  { name: 'the VPC CNI switched on, and its controller tells nothing', nodes: { a: EKS }, objects: [...onA('aws-node', awsNode('true')), policy()], custom: [policyEndpoints()], expected: { a: 'unknown Amazon VPC CNI v1.20.4-eksbuild.1' }, codes: ['aws-vpc-cni/nothing-told'] },
  { name: 'the VPC CNI switched on, and its controller off', nodes: { a: EKS }, objects: [...onA('aws-node', awsNode('true')), configMap('amazon-vpc-cni', { 'enable-network-policy-controller': 'false' })], custom: [policyEndpoints()], expected: { a: 'inert Amazon VPC CNI v1.20.4-eksbuild.1' }, codes: ['aws-vpc-cni/controller-off'] },
  { name: 'the VPC CNI on a kernel that is too old', nodes: { a: { ...EKS, kernel: '5.4.288-200.374.amzn2' } }, objects: onA('aws-node', awsNode('true')), custom: [policyEndpoints()], expected: { a: 'inert Amazon VPC CNI v1.20.4-eksbuild.1' }, codes: ['aws-vpc-cni/old-kernel'] },
  { name: 'a roll-out in the middle: one node has the old pod', nodes: { a: EKS, b: EKS }, objects: agent({ daemonSet: 'aws-node', containers: awsNode('true'), nodes: ['a', 'b'], old: { nodes: ['b'], containers: awsNode('false') } }), custom: [policyEndpoints()], expected: { a: 'enforced Amazon VPC CNI v1.20.4-eksbuild.1', b: 'inert Amazon VPC CNI v1.20.4-eksbuild.1' }, codes: ['aws-vpc-cni/policy-off'] },
  { name: 'Fargate and Windows nodes beside the VPC CNI', nodes: { a: EKS, f: FARGATE, w: WINDOWS }, objects: onA('aws-node', awsNode('true')), custom: [policyEndpoints()], expected: { a: 'enforced Amazon VPC CNI v1.20.4-eksbuild.1', f: 'inert', w: 'inert' }, codes: ['aws-vpc-cni/not-on', 'aws-vpc-cni/not-on'] },
  { name: 'Auto Mode as it comes ignores policies', nodes: { a: AUTO }, custom: [custom('eks.amazonaws.com/v1', 'NodeClass', { default: {} })], expected: { a: 'inert EKS Auto Mode' }, codes: ['eks-auto/controller-off', 'eks-auto/class-unset'] },
  { name: 'Auto Mode with both switches', nodes: { a: AUTO }, objects: [configMap('amazon-vpc-cni', { 'enable-network-policy-controller': 'true' })], custom: [custom('eks.amazonaws.com/v1', 'NodeClass', { own: { networkPolicy: 'DefaultAllow' } })], expected: { a: 'enforced EKS Auto Mode' }, codes: [] },
  { name: 'Auto Mode with classes that differ', nodes: { a: AUTO }, objects: [configMap('amazon-vpc-cni', { 'enable-network-policy-controller': 'true' })], custom: [custom('eks.amazonaws.com/v1', 'NodeClass', { default: {}, own: { networkPolicy: 'DefaultAllow' } })], expected: { a: 'unknown EKS Auto Mode' }, codes: ['eks-auto/class-mixed'] },
  { name: 'Calico for policies only, on a VPC CNI that is switched off', nodes: { a: EKS }, objects: [...onA('aws-node', awsNode('false')), ...onA('calico-node', calico, 'calico-system')], expected: { a: 'enforced Amazon VPC CNI v1.20.4-eksbuild.1 Calico v3.30.3' }, codes: [] },
  { name: 'Calico and the VPC CNI both switched on', nodes: { a: EKS }, objects: [...onA('aws-node', awsNode('true')), ...onA('calico-node', calico, 'calico-system')], custom: [policyEndpoints()], expected: { a: 'unknown Amazon VPC CNI v1.20.4-eksbuild.1 Calico v3.30.3' }, codes: ['conflict/aws-vpc-cni+calico'] },

  // Cilium
  { name: 'Cilium as it comes', nodes: ONE, objects: [...onA('cilium', cilium()), configMap('cilium-config', { 'enable-policy': 'default', 'policy-audit-mode': 'false' })], expected: { a: 'enforced Cilium v1.18.2' }, codes: [] },
  { name: 'Cilium with its mode never', nodes: ONE, objects: [...onA('cilium', cilium()), configMap('cilium-config', { 'enable-policy': 'never' })], expected: { a: 'inert Cilium v1.18.2' }, codes: ['cilium/never'], commands: [/helm upgrade cilium cilium\/cilium --namespace kube-system --reuse-values --set policyEnforcementMode=default/] },
  { name: 'Cilium that ignores NetworkPolicy', nodes: ONE, objects: [...onA('cilium', cilium()), configMap('cilium-config', { 'enable-k8s-networkpolicy': 'false' })], expected: { a: 'inert Cilium v1.18.2' }, codes: ['cilium/no-network-policy'] },
  { name: 'Cilium in audit mode', nodes: ONE, objects: [...onA('cilium', cilium()), configMap('cilium-config', { 'policy-audit-mode': 'true' })], expected: { a: 'inert Cilium v1.18.2' }, codes: ['cilium/audit'] },
  { name: 'Cilium before ranges of ports', nodes: ONE, objects: [...onA('cilium', cilium('v1.16.9')), configMap('cilium-config', {})], expected: { a: 'enforced Cilium v1.16.9' }, codes: ['cilium/old-end-port'] },
  { name: 'a pod of Cilium that is not ready', nodes: { a: {}, b: {} }, objects: [...agent({ daemonSet: 'cilium', containers: cilium(), nodes: ['a', 'b'], notReady: ['b'] }), configMap('cilium-config', {})], expected: { a: 'enforced Cilium v1.18.2', b: 'unknown Cilium v1.18.2' }, codes: ['cilium/not-ready'] },
  { name: 'a node without a pod of Cilium', nodes: { a: {}, b: {} }, objects: [...onA('cilium', cilium()), configMap('cilium-config', {})], expected: { a: 'enforced Cilium v1.18.2', b: 'inert' }, codes: ['cilium/no-agent'] },

  // GKE
  { name: 'GKE Dataplane V2', nodes: { a: GKE }, objects: [...onA('anetd', [{ name: 'cilium-agent', image: 'gke.gcr.io/cilium/cilium:v1.17.5-gke.2' }]), configMap('cilium-config', {})], expected: { a: 'enforced GKE Dataplane V2 v1.17.5-gke.2' }, codes: [] },
  { name: 'GKE without network policy', nodes: { a: GKE }, expected: { a: 'inert' }, codes: ['no-engine/none'], commands: [/--update-addons=NetworkPolicy=ENABLED[^]*--enable-network-policy/] },
  { name: 'GKE after the first of its two steps: Calico wants a label that no node has', nodes: { a: GKE }, objects: agent({ daemonSet: 'calico-node', containers: calico, nodes: [] }), expected: { a: 'inert' }, codes: ['calico/no-agent'], commands: [/--enable-network-policy/] },
  { name: 'GKE with legacy Calico', nodes: { a: { ...GKE, labels: { ...GKE.labels, 'projectcalico.org/ds-ready': 'true' } } }, objects: onA('calico-node', calico), expected: { a: 'enforced Calico v3.30.3' }, codes: [] },

  // AKS in its four kinds
  { name: 'AKS without network policy', nodes: { a: aks('none') }, expected: { a: 'inert' }, codes: ['no-engine/none'], commands: [/az aks update --resource-group shop-rg --name shop --network-dataplane cilium/] },
  { name: 'AKS with Azure NPM, on Linux and Windows', nodes: { a: aks('azure'), w: { ...aks('azure'), os: 'windows' } }, objects: [...onA('azure-npm', [{ name: 'azure-npm', image: 'mcr.microsoft.com/containernetworking/azure-npm:v1.6.9' }]), ...agent({ daemonSet: 'azure-npm-win', containers: [{ name: 'azure-npm', image: 'mcr.microsoft.com/containernetworking/azure-npm:windows-amd64-ltsc2022-v1.5.5' }], nodes: ['w'] })], expected: { a: 'enforced Azure Network Policy Manager v1.6.9', w: 'enforced Azure Network Policy Manager on Windows windows-amd64-ltsc2022-v1.5.5' }, codes: ['azure-npm/retires', 'azure-npm-windows/retires'] },
  { name: 'AKS with Calico', nodes: { a: aks('calico') }, objects: onA('calico-node', [{ name: 'calico-node', image: 'mcr.microsoft.com/oss/calico/node:v3.28.2' }], 'calico-system'), expected: { a: 'enforced Calico v3.28.2' }, codes: [] },
  { name: 'AKS with Cilium', nodes: { a: { ...aks('cilium'), labels: { ...aks('cilium').labels, 'kubernetes.azure.com/ebpf-dataplane': 'cilium' } } }, objects: [...onA('cilium', [{ name: 'cilium-agent', image: 'mcr.microsoft.com/containernetworking/cilium/cilium:v1.17.4' }]), configMap('cilium-config', {})], expected: { a: 'enforced Cilium v1.17.4' }, codes: [] },
  { name: 'a label that holds a command is typed by nobody', nodes: { a: { ...aks('none'), labels: { 'kubernetes.azure.com/cluster': 'MC_rg.x_a_b_c_d_westeurope' } } }, expected: { a: 'inert' }, codes: ['no-engine/none'], commands: [/--resource-group RESOURCE_GROUP --name CLUSTER/] },

  // By themselves
  { name: 'Calico', nodes: ONE, objects: onA('calico-node', calico, 'calico-system'), expected: { a: 'enforced Calico v3.30.3' }, codes: [] },
  { name: 'Canal', nodes: { a: { kubelet: 'v1.33.5+rke2r1' } }, objects: onA('rke2-canal', [{ name: 'calico-node', image: 'rancher/hardened-calico:v3.30.3' }, { name: 'kube-flannel', image: 'rancher/hardened-flannel:v0.27.3' }]), expected: { a: 'enforced Canal (Calico with flannel) v3.30.3' }, codes: [] },
  { name: 'Canal of which only flannel is left', nodes: ONE, objects: onA('canal', flannel), expected: { a: 'inert Canal (Calico with flannel)' }, codes: ['canal/no-calico'] },
  { name: 'Antrea', nodes: ONE, objects: onA('antrea-agent', [{ name: 'antrea-agent', image: 'antrea/antrea-agent-ubuntu:v2.4.3' }]), custom: [custom('crd.antrea.io/v1beta1', 'AntreaAgentInfo')], expected: { a: 'enforced Antrea v2.4.3' }, codes: [] },
  { name: 'Antrea without its controller', nodes: ONE, objects: onA('antrea-agent', [{ name: 'antrea-agent', image: 'antrea/antrea-agent-ubuntu:v2.4.3' }]), expected: { a: 'unknown Antrea v2.4.3' }, codes: ['antrea/not-told'] },
  { name: 'OVN-Kubernetes', nodes: { a: { labels: { 'node.openshift.io/os_id': 'rhel' } } }, objects: onA('ovnkube-node', [{ name: 'ovnkube-controller', image: 'quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:1' }], 'openshift-ovn-kubernetes'), expected: { a: 'enforced OVN-Kubernetes' }, codes: [] },
  { name: 'kube-router', nodes: ONE, objects: onA('kube-router', [{ name: 'kube-router', image: 'docker.io/cloudnativelabs/kube-router:v2.6.0', args: ['--run-router=true', '--run-firewall=true', '--netpol-default-deny'] }]), expected: { a: 'enforced kube-router v2.6.0' }, codes: [] },
  { name: 'kube-router that only routes', nodes: ONE, objects: onA('kube-router', [{ name: 'kube-router', image: 'docker.io/cloudnativelabs/kube-router:v2.6.0', args: ['--run-router', '--run-firewall=false'] }]), expected: { a: 'inert kube-router v2.6.0' }, codes: ['kube-router/firewall-off'] },
  { name: 'K3s as it comes', nodes: { a: K3S(['server']) }, expected: { a: 'enforced K3s (kube-router inside)' }, codes: [], infos: ['k3s/ipset'] },
  { name: 'K3s whose server has the flag: its agents follow it', nodes: { a: K3S(['server', '--disable-network-policy']), b: K3S(['agent']) }, expected: { a: 'inert K3s (kube-router inside)', b: 'inert K3s (kube-router inside)' }, codes: ['k3s/policy-off'] },
  { name: 'Cilium on K3s, with its own controller off', nodes: { a: K3S(['server', '--flannel-backend', 'none', '--disable-network-policy', 'true']) }, objects: [...onA('cilium', cilium()), configMap('cilium-config', {})], expected: { a: 'enforced Cilium v1.18.2 K3s (kube-router inside)' }, codes: [] },
  { name: 'Cilium on K3s, and its own controller too', nodes: { a: K3S(['server', '--flannel-backend=none']) }, objects: [...onA('cilium', cilium()), configMap('cilium-config', {})], expected: { a: 'unknown Cilium v1.18.2 K3s (kube-router inside)' }, codes: ['conflict/cilium+k3s'] },
  { name: 'kindnet', nodes: { a: { providerID: 'kind://docker/kind/kind-control-plane' } }, objects: onA('kindnet', kindnet()), expected: { a: 'enforced kindnet v20250512-df8de77b' }, codes: [] },
  { name: 'kindnet with policies off', nodes: ONE, objects: onA('kindnet', kindnet('--network-policy=false')), expected: { a: 'inert kindnet v20250512-df8de77b' }, codes: ['kindnet/policy-off'] },
  { name: 'kindnet before kind 0.24', nodes: ONE, objects: onA('kindnet', [{ name: 'kindnet-cni', image: 'docker.io/kindest/kindnetd:v20240202-8f1494ea' }]), expected: { a: 'inert kindnet v20240202-8f1494ea' }, codes: ['kindnet/before-0-24'] },
  { name: 'kube-network-policies', nodes: ONE, objects: onA('kube-network-policies', [{ name: 'kube-network-policies', image: 'registry.k8s.io/networking/kube-network-policies:v1.0.1', args: ['/bin/netpol', '--v=2'] }]), expected: { a: 'enforced kube-network-policies v1.0.1' }, codes: [], infos: ['kube-network-policies/fail-open'] },
  { name: 'flannel alone', nodes: ONE, objects: [...onA('kube-flannel-ds', flannel, 'kube-flannel'), policy()], expected: { a: 'inert flannel v0.27.0' }, codes: ['no-engine/flannel'], commands: [/--namespace kube-flannel --reuse-values --set netpol.enabled=true/, /bulkhead agent/] },
  { name: 'flannel with the engine of its chart', nodes: ONE, objects: onA('kube-flannel-ds', [...flannel, { name: 'kube-network-policies', image: 'registry.k8s.io/networking/kube-network-policies:v0.9.2' }], 'kube-flannel'), expected: { a: 'enforced kube-network-policies v0.9.2 flannel v0.27.0' }, codes: [] },
  { name: 'Weave Net', nodes: ONE, objects: onA('weave-net', [{ name: 'weave', image: 'weaveworks/weave-kube:2.8.1' }, { name: 'weave-npc', image: 'weaveworks/weave-npc:2.8.1' }]), expected: { a: 'enforced Weave Net 2.8.1' }, codes: ['weave/archived'] },
  { name: 'Weave Net that judges nothing', nodes: ONE, objects: onA('weave-net', [{ name: 'weave', image: 'weaveworks/weave-kube:2.8.1', env: { EXPECT_NPC: '0' } }, { name: 'weave-npc', image: 'weaveworks/weave-npc:2.8.1' }]), expected: { a: 'inert Weave Net 2.8.1' }, codes: ['weave/npc-off', 'weave/archived'] },
  { name: 'Kube-OVN', nodes: ONE, objects: [...onA('kube-ovn-cni', [{ name: 'cni-server', image: 'docker.io/kubeovn/kube-ovn:v1.14.4' }]), deployment('kube-ovn-controller', ['--enable-lb=true', '--enable-np=true'])], expected: { a: 'enforced Kube-OVN v1.14.4' }, codes: [] },
  { name: 'Kube-OVN with policies off', nodes: ONE, objects: [...onA('kube-ovn-cni', [{ name: 'cni-server', image: 'docker.io/kubeovn/kube-ovn:v1.14.4' }]), deployment('kube-ovn-controller', ['--enable-np=false'])], expected: { a: 'inert Kube-OVN v1.14.4' }, codes: ['kube-ovn/policy-off'] },
  { name: 'Terway', nodes: ONE, objects: [...onA('terway-eniip', [{ name: 'terway', image: 'registry.aliyuncs.com/acs/terway:v1.13.4' }]), configMap('eni-config', { disable_network_policy: 'false' })], expected: { a: 'enforced Terway v1.13.4' }, codes: [] },
  { name: 'Terway with policies off', nodes: ONE, objects: [...onA('terway-eniip', [{ name: 'terway', image: 'registry.aliyuncs.com/acs/terway:v1.13.4' }]), configMap('eni-config', { disable_network_policy: 'true' })], expected: { a: 'inert Terway v1.13.4' }, codes: ['terway/policy-off'] },
  { name: 'two engines on one node', nodes: ONE, objects: [...onA('calico-node', calico), ...onA('cilium', cilium()), configMap('cilium-config', {})], expected: { a: 'unknown Calico v3.30.3 Cilium v1.18.2' }, codes: ['conflict/calico+cilium'] },

  // Ours
  { name: 'our agents on flannel, one of them silent', nodes: { a: {}, b: {}, c: {} }, objects: agent({ daemonSet: 'kube-flannel-ds', containers: flannel, nodes: ['a', 'b', 'c'] }), custom: [{ kind: { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'NodeEnforcement', resource: 'nodeenforcements', isNamespaced: false }, objects: [enforcement('a', '2099-01-01T00:00:00Z'), enforcement('b', '2020-01-01T00:00:00Z')] }], expected: { a: 'enforced flannel v0.27.0 Bulkhead 0.1.0', b: 'unknown flannel v0.27.0 Bulkhead 0.1.0', c: 'inert flannel v0.27.0' }, codes: ['bulkhead/silent', 'no-engine/flannel'] },
  { name: 'our agent, which audits two namespaces', nodes: ONE, objects: onA('kube-flannel-ds', flannel, 'kube-flannel'), custom: [{ kind: { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'NodeEnforcement', resource: 'nodeenforcements', isNamespaced: false }, objects: [enforcement('a', '2099-01-01T00:00:00Z', [{ namespace: 'shop' }, { namespace: 'data' }])] }], expected: { a: 'enforced flannel v0.27.0 Bulkhead 0.1.0' }, codes: ['bulkhead/audited'] },
  { name: 'our agents, of which no report can be read', nodes: ONE, objects: [...onA('kube-flannel-ds', flannel, 'kube-flannel'), ...onA('bulkhead-agent', [{ name: 'agent', image: 'bulkhead:0.1.0' }], 'bulkhead')], expected: { a: 'unknown flannel v0.27.0 Bulkhead' }, codes: ['bulkhead/no-report'] },
];

function deployment(name: string, args: readonly string[]): WantedObject {
  const labels = { app: name };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'kube-system', labels }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name, image: 'x:1', args }] } } } };
}

function enforcement(name: string, nextReportBefore: string, audits: readonly object[] = []): WantedObject {
  const status = { version: '0.1.0', startedAt: '2026-01-01T00:00:00Z', reportedAt: '2026-01-01T00:00:00Z', nextReportBefore, ready: true, enforcing: true, troubles: [], pods: {}, counts: {}, policies: [], morePolicies: [], audits, kernel: {} };
  return { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'NodeEnforcement', metadata: { name }, status };
}
