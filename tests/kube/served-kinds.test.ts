// Which of the kinds that a server serves are asked for, and in which version.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAggregated, readGroupVersions, readResourceList } from '../../src/kube/discovery.ts';
import { chooseKinds, type ServedResource } from '../../src/kube/served-kinds.ts';

const ALL = ['get', 'list', 'watch'];

function resource(apiVersion: string, kind: string, name: string, verbs: readonly string[] = ALL): ServedResource {
  return { apiVersion, kind, resource: name, isNamespaced: true, verbs };
}

function chooses(name: string, expected: readonly string[], resources: readonly ServedResource[]): void {
  test(name, () => assert.deepEqual(chooseKinds(resources, []).kinds.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`), expected));
}

chooses('kinds that are read, and no others', ['apps/v1 Deployment', 'v1 Pod'], [
  resource('v1', 'Pod', 'pods'),
  resource('v1', 'Pod', 'pods/status'),
  resource('v1', 'Secret', 'secrets'),
  resource('v1', 'ConfigMap', 'configmaps'),
  resource('apps/v1', 'Deployment', 'deployments'),
  resource('argoproj.io/v1alpha1', 'Rollout', 'rollouts'),
]);
chooses('cluster-wide policies in the version that is read, though another is preferred', ['policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy'], [
  resource('policy.networking.k8s.io/v1', 'ClusterNetworkPolicy', 'clusternetworkpolicies'),
  resource('policy.networking.k8s.io/v1alpha2', 'ClusterNetworkPolicy', 'clusternetworkpolicies'),
]);
chooses('cluster-wide policies of a version that nobody reads come to light', ['policy.networking.k8s.io/v2 ClusterNetworkPolicy'], [resource('policy.networking.k8s.io/v2', 'ClusterNetworkPolicy', 'clusternetworkpolicies')]);
chooses('policies of engines, once', ['cilium.io/v2 CiliumClusterwideNetworkPolicy', 'cilium.io/v2 CiliumNetworkPolicy', 'crd.projectcalico.org/v1 GlobalNetworkPolicy'], [
  resource('cilium.io/v2', 'CiliumNetworkPolicy', 'ciliumnetworkpolicies'),
  resource('cilium.io/v2alpha1', 'CiliumNetworkPolicy', 'ciliumnetworkpolicies'),
  resource('cilium.io/v2', 'CiliumClusterwideNetworkPolicy', 'ciliumclusterwidenetworkpolicies'),
  resource('cilium.io/v2', 'CiliumEndpoint', 'ciliumendpoints'),
  resource('crd.projectcalico.org/v1', 'GlobalNetworkPolicy', 'globalnetworkpolicies'),
  resource('crd.projectcalico.org/v1', 'IPPool', 'ippools'),
]);
chooses('kinds that decide by what stands in them', ['eks.amazonaws.com/v1 NodeClass', 'kubeovn.io/v1 Subnet'], [
  resource('eks.amazonaws.com/v1', 'NodeClass', 'nodeclasses'),
  resource('eks.amazonaws.com/v1', 'CNINode', 'cninodes'),
  resource('kubeovn.io/v1', 'Subnet', 'subnets'),
  resource('kubeovn.io/v1', 'Vpc', 'vpcs'),
]);
chooses('a policy that a newer server has in a known group', ['networking.k8s.io/v1 BetterPolicy'], [resource('networking.k8s.io/v1', 'BetterPolicy', 'betterpolicies'), resource('networking.k8s.io/v1', 'ServiceCIDR', 'servicecidrs')]);
chooses('Endpoints are left to their slices', ['discovery.k8s.io/v1 EndpointSlice'], [resource('v1', 'Endpoints', 'endpoints'), resource('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices')]);
chooses('Endpoints where slices are of a version that nobody reads', ['v1 Endpoints'], [resource('v1', 'Endpoints', 'endpoints'), resource('discovery.k8s.io/v1beta1', 'EndpointSlice', 'endpointslices')]);
chooses('Endpoints where slices cannot be listed', ['v1 Endpoints'], [resource('v1', 'Endpoints', 'endpoints'), resource('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices', ['get'])]);
chooses('nothing that cannot be listed', [], [resource('v1', 'Pod', 'pods', ['create'])]);

test('kinds that say who calls pods stand apart, each in the preferred version', () => {
  const { kinds, callers } = chooseKinds([
    resource('v1', 'Pod', 'pods'),
    resource('monitoring.coreos.com/v1', 'ServiceMonitor', 'servicemonitors'),
    resource('monitoring.coreos.com/v1alpha1', 'ServiceMonitor', 'servicemonitors'),
    resource('monitoring.coreos.com/v1', 'PrometheusRule', 'prometheusrules'),
    resource('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', 'validatingwebhookconfigurations'),
    resource('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', 'mutatingwebhookconfigurations', ['get']),
    resource('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions/status'),
    resource('apiregistration.k8s.io/v1', 'APIService', 'apiservices'),
  ], []);
  assert.deepEqual(kinds.map(({ kind }) => kind), ['Pod']);
  assert.deepEqual(callers.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`), ['admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration', 'apiregistration.k8s.io/v1 APIService', 'monitoring.coreos.com/v1 ServiceMonitor']);
});

test('discovery in one document', () => {
  const found = readAggregated({
    kind: 'APIGroupDiscoveryList',
    items: [
      { metadata: {}, versions: [{ version: 'v1', freshness: 'Current', resources: [{ resource: 'pods', responseKind: { group: '', version: 'v1', kind: 'Pod' }, scope: 'Namespaced', verbs: ALL }] }] },
      { metadata: { name: 'metrics.k8s.io' }, versions: [{ version: 'v1beta1', freshness: 'Stale' }] },
    ],
  });
  assert.deepEqual(found, { resources: [resource('v1', 'Pod', 'pods')], silentGroups: ['metrics.k8s.io'] });
  assert.equal(readAggregated({ kind: 'APIGroupList', groups: [] }), undefined);
});

test('discovery in the old form', () => {
  const versions = readGroupVersions({ kind: 'APIGroupList', groups: [{ name: 'a', versions: [{ groupVersion: 'a/v1' }, { groupVersion: 'a/v2' }], preferredVersion: { groupVersion: 'a/v2' } }] });
  assert.deepEqual(versions, ['a/v2', 'a/v1']);
  assert.deepEqual(readResourceList('apps/v1', { resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true, verbs: ALL }] }), [resource('apps/v1', 'Deployment', 'deployments')]);
});
