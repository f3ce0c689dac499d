// Policies of single engines and meshes: never passed over in silence, and what engines write for themselves is no policy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFindings, readText } from './reading.ts';

const text = (apiVersion: string, kind: string, spec = '{}'): string => `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: x, namespace: shop}\nspec: ${spec}\n`;

for (const [apiVersion, kind, engine, spec] of [
  ['cilium.io/v2', 'CiliumNetworkPolicy', 'Cilium'],
  ['cilium.io/v2', 'CiliumClusterwideNetworkPolicy', 'Cilium'],
  ['cilium.io/v9', 'CiliumPolicyOfTomorrow', 'Cilium'],
  ['crd.projectcalico.org/v1', 'NetworkPolicy', 'Calico'],
  ['crd.projectcalico.org/v1', 'GlobalNetworkPolicy', 'Calico'],
  ['projectcalico.org/v3', 'NetworkPolicy', 'Calico'],
  ['projectcalico.org/v3', 'GlobalNetworkPolicy', 'Calico'],
  ['projectcalico.org/v3', 'HostEndpoint', 'Calico'],
  ['networking.k8s.aws/v1alpha1', 'ClusterNetworkPolicy', 'the AWS VPC CNI'],
  ['networking.k8s.aws/v1alpha1', 'ApplicationNetworkPolicy', 'the AWS VPC CNI'],
  ['vpcresources.k8s.aws/v1beta1', 'SecurityGroupPolicy', 'the AWS VPC resource controller'],
  ['eks.amazonaws.com/v1', 'NodeClass', 'EKS Auto Mode', '{networkPolicy: DefaultDeny}'],
  ['crd.antrea.io/v1beta1', 'NetworkPolicy', 'Antrea'],
  ['crd.antrea.io/v1beta1', 'ClusterNetworkPolicy', 'Antrea'],
  ['kubeovn.io/v1', 'SecurityGroup', 'Kube-OVN'],
  ['kubeovn.io/v1', 'Subnet', 'Kube-OVN', '{private: true}'],
  ['kubeovn.io/v1', 'Subnet', 'Kube-OVN', '{acls: [{action: drop}]}'],
  ['k8s.ovn.org/v1', 'EgressFirewall', 'OVN-Kubernetes'],
  ['networking.gke.io/v1alpha1', 'FQDNNetworkPolicy', 'GKE'],
] as const) {
  test(`${apiVersion} ${kind} ${spec ?? ''} is a policy of ${engine}`, () => {
    const strict = readText(text(apiVersion, kind, spec));
    assert.deepEqual(formatFindings(strict.findings), ['error unsupported-policy-kind 2:7']);
    assert.match(strict.findings[0]!.message, new RegExp(`^the ${kind} \`shop/x\` \\(${apiVersion}\\) is a policy of ${engine} `));
    const lenient = readText(text(apiVersion, kind, spec), { lenient: true });
    assert.deepEqual(formatFindings(lenient.findings), ['warning unsupported-policy-kind 2:7']);
    assert.match(lenient.findings[0]!.message, /as if it were not there/);
  });
}

for (const [apiVersion, kind] of [
  ['k8s.cni.cncf.io/v1beta1', 'MultiNetworkPolicy'],
  ['network.openshift.io/v1', 'EgressNetworkPolicy'],
] as const) {
  test(`${kind} calls itself a policy, and is not passed over`, () => assert.deepEqual(formatFindings(readText(text(apiVersion, kind)).findings), ['error unsupported-policy-kind 2:7']));
}

for (const [apiVersion, kind, spec] of [
  ['networking.k8s.aws/v1alpha1', 'PolicyEndpoint'],
  ['networking.k8s.aws/v1alpha1', 'ClusterPolicyEndpoint'],
  ['cilium.io/v2', 'CiliumEndpoint'],
  ['cilium.io/v2', 'CiliumIdentity'],
  ['projectcalico.org/v3', 'StagedNetworkPolicy'],
  ['projectcalico.org/v3', 'Tier'],
  ['crd.projectcalico.org/v1', 'IPPool'],
  ['controlplane.antrea.io/v1beta2', 'NetworkPolicy'],
  ['kubeovn.io/v1', 'Subnet', '{private: false}'],
  ['kubeovn.io/v1', 'Vpc'],
  ['eks.amazonaws.com/v1', 'NodeClass', '{networkPolicy: DefaultAllow}'],
] as const) {
  test(`${apiVersion} ${kind} ${spec ?? ''} decides nothing of its own`, () => assert.deepEqual(formatFindings(readText(text(apiVersion, kind, spec)).findings), ['info object-not-read 2:7']));
}

test('a mesh refuses behind the network', () => {
  const { findings } = readText(text('security.istio.io/v1', 'AuthorizationPolicy'));
  assert.deepEqual(formatFindings(findings), ['info mesh-policy-not-judged 2:7']);
  assert.match(findings[0]!.message, /Istio/);
  assert.deepEqual(formatFindings(readText(text('networking.istio.io/v1', 'VirtualService')).findings), ['info object-not-read 2:7']);
});

test('a List names each policy that the answer would leave out', () => {
  const items = ['a', 'b', 'c'].map((name) => ({ apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name, namespace: 'shop' } }));
  const { findings } = readText(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  assert.deepEqual(findings.map(({ message }) => /`([^`]+)`/.exec(message)?.[1]), ['shop/a', 'shop/b', 'shop/c']);
});
