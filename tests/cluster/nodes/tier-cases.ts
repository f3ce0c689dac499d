// What ClusterNetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy do to real connections, above and below NetworkPolicy.
import type { WantedObject } from '../../../src/kube/cluster-api.ts';
import type { PolicyCase } from './policy-cases.ts';
import { networkPolicy } from './world.ts';

const ALL = {};
const X = { matchLabels: { app: 'x' } };
const Y = { matchLabels: { app: 'y' } };
const IN = (name: string): unknown => ({ matchLabels: { 'kubernetes.io/metadata.name': name } });

function clusterPolicy(name: string, spec: unknown): WantedObject {
  return { apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', metadata: { name }, spec };
}

function adminPolicy(name: string, spec: unknown): WantedObject {
  return { apiVersion: 'policy.networking.k8s.io/v1alpha1', kind: 'AdminNetworkPolicy', metadata: { name }, spec };
}

const BASELINE = (spec: unknown): WantedObject => ({ apiVersion: 'policy.networking.k8s.io/v1alpha1', kind: 'BaselineAdminNetworkPolicy', metadata: { name: 'default' }, spec });

const OPEN = networkPolicy('a/open', { podSelector: ALL, ingress: [{}] });
const SHUT = networkPolicy('a/shut', { podSelector: ALL, policyTypes: ['Ingress'] });

export const TIER_CASES: readonly PolicyCase[] = [
  {
    name: 'Admin Deny stands above what NetworkPolicy allows',
    policies: [OPEN, clusterPolicy('deny', { tier: 'Admin', priority: 10, subject: { namespaces: IN('a') }, ingress: [{ name: 'b', action: 'Deny', from: [{ namespaces: IN('b') }] }] })],
    through: ['c/x -> a/x tcp/80', 'outside -> a/x tcp/80'],
    stopped: ['b/x -> a/x tcp/80', 'b/y -> a/bare udp/81'],
  },
  {
    name: 'Admin Accept stands above what NetworkPolicy refuses',
    policies: [SHUT, clusterPolicy('accept', { tier: 'Admin', priority: 10, subject: { namespaces: IN('a') }, ingress: [{ name: 'x', action: 'Accept', from: [{ pods: { podSelector: X } }], protocols: [{ tcp: { destinationPort: { number: 80 } } }] }] })],
    through: ['b/x -> a/y tcp/80', 'a/x -> a/y tcp/80'],
    stopped: ['b/x -> a/y tcp/81', 'b/y -> a/y tcp/80', 'outside -> a/y tcp/80'],
  },
  {
    name: 'Pass leaves it to NetworkPolicy, and what follows in the tier has no say',
    policies: [
      SHUT,
      clusterPolicy('pass', { tier: 'Admin', priority: 1, subject: { namespaces: ALL }, ingress: [{ name: 'b', action: 'Pass', from: [{ namespaces: IN('b') }] }] }),
      clusterPolicy('accept', { tier: 'Admin', priority: 2, subject: { namespaces: ALL }, ingress: [{ name: 'all', action: 'Accept', from: [{ namespaces: ALL }] }] }),
    ],
    through: ['c/x -> a/x tcp/80', 'b/x -> c/x tcp/80'],
    stopped: ['b/x -> a/x tcp/80', 'outside -> a/x tcp/80'],
  },
  {
    name: 'the lower number decides, whatever the names',
    policies: [
      clusterPolicy('z-first', { tier: 'Admin', priority: 5, subject: { namespaces: IN('a') }, ingress: [{ name: 'b', action: 'Deny', from: [{ namespaces: IN('b') }] }] }),
      clusterPolicy('a-second', { tier: 'Admin', priority: 6, subject: { namespaces: IN('a') }, ingress: [{ name: 'all', action: 'Accept', from: [{ namespaces: ALL }] }] }),
    ],
    through: ['c/x -> a/x tcp/80'],
    stopped: ['b/x -> a/x tcp/80'],
  },
  {
    name: 'rules of one policy decide in their order',
    policies: [clusterPolicy('order', { tier: 'Admin', priority: 5, subject: { namespaces: IN('a') }, ingress: [
      { name: 'x', action: 'Accept', from: [{ pods: { namespaceSelector: Y, podSelector: X } }] },
      { name: 'b', action: 'Deny', from: [{ namespaces: Y }] },
    ] })],
    through: ['b/x -> a/x tcp/80', 'c/y -> a/x tcp/80'],
    stopped: ['b/y -> a/x tcp/80', 'b/bare -> a/x udp/80'],
  },
  {
    name: 'Baseline refuses where nothing else decides, and NetworkPolicy opens beside it',
    policies: [
      clusterPolicy('floor', { tier: 'Baseline', priority: 100, subject: { namespaces: ALL }, ingress: [{ name: 'pods', action: 'Deny', from: [{ namespaces: ALL }] }] }),
      networkPolicy('a/open', { podSelector: X, ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 80 }] }] }),
    ],
    through: ['b/x -> a/x tcp/80', 'outside -> b/x tcp/80'],
    stopped: ['b/x -> a/x tcp/81', 'b/x -> a/y tcp/80', 'a/x -> b/x tcp/80'],
  },
  {
    name: 'ports by range, protocol and name',
    policies: [clusterPolicy('ports', { tier: 'Admin', priority: 5, subject: { namespaces: IN('b') }, ingress: [
      { name: 'range', action: 'Accept', from: [{ namespaces: ALL }], protocols: [{ tcp: { destinationPort: { range: { start: 80, end: 81 } } } }] },
      { name: 'named', action: 'Accept', from: [{ namespaces: ALL }], protocols: [{ destinationNamedPort: 'dns' }] },
      { name: 'rest', action: 'Deny', from: [{ namespaces: ALL }] },
    ] })],
    through: ['a/x -> b/x tcp/80', 'a/x -> b/x tcp/81', 'a/x -> b/x udp/81'],
    stopped: ['a/x -> b/x tcp/8000', 'a/x -> b/x udp/80', 'a/x -> b/y udp/81'],
  },
  {
    name: 'on the way out to networks, pods and nodes among them',
    policies: [clusterPolicy('networks', { tier: 'Admin', priority: 5, subject: { namespaces: IN('a') }, egress: [{ name: 'lab', action: 'Deny', to: [{ networks: ['10.250.0.1/32', 'fd00:10:250::1/128'] }] }] })],
    through: ['a/x -> b/x tcp/80', 'b/x -> outside tcp/80', 'outside -> a/x tcp/80'],
    stopped: ['a/x -> outside tcp/80', 'a/y -> outside udp/80'],
  },
  {
    name: 'on the way out to nodes, the own one included',
    policies: [clusterPolicy('nodes', { tier: 'Admin', priority: 5, subject: { namespaces: IN('a') }, egress: [{ name: 'first', action: 'Deny', to: [{ nodes: X }] }] })],
    through: ['a/x -> outside tcp/80', 'b/x -> hosts/host1 tcp/80', 'hosts/host1 -> a/x tcp/80'],
    stopped: ['a/x -> hosts/host1 tcp/80', 'a/y -> hosts/host1 udp/81', 'a/bare -> hosts/host1 tcp/81'],
  },
  {
    name: 'ingress peers never mean the outside or nodes',
    policies: [clusterPolicy('all', { tier: 'Admin', priority: 5, subject: { namespaces: IN('a') }, ingress: [{ name: 'all', action: 'Deny', from: [{ namespaces: ALL }] }] })],
    through: ['outside -> a/x tcp/80', 'hosts/host1 -> a/x tcp/80'],
    stopped: ['b/x -> a/x tcp/80', 'a/y -> a/x tcp/80'],
  },
  {
    name: 'a selector that nobody can read refuses its whole direction',
    policies: [clusterPolicy('foo', { tier: 'Admin', priority: 5, subject: { namespaces: IN('a') }, ingress: [{ name: 'foo', action: 'Deny', from: [{ pods: { podSelector: { matchExpressions: [{ key: 'app', operator: 'Foo', values: ['x'] }] } } }] }] })],
    through: ['a/x -> b/x tcp/80', 'b/x -> c/x tcp/80'],
    stopped: ['b/x -> a/x tcp/80', 'b/y -> a/x tcp/80'],
  },
  {
    name: 'AdminNetworkPolicy, and BaselineAdminNetworkPolicy below it',
    policies: [
      adminPolicy('metrics', { priority: 7, subject: { namespaces: ALL }, ingress: [{ name: 'x', action: 'Allow', from: [{ pods: { namespaceSelector: ALL, podSelector: X } }], ports: [{ portNumber: { protocol: 'TCP', port: 80 } }] }] }),
      adminPolicy('wall', { priority: 8, subject: { namespaces: IN('b') }, ingress: [{ name: 'c', action: 'Deny', from: [{ namespaces: IN('c') }] }] }),
      BASELINE({ subject: { namespaces: IN('a') }, ingress: [{ name: 'rest', action: 'Deny', from: [{ namespaces: ALL }] }] }),
    ],
    through: ['c/x -> b/y tcp/80', 'b/x -> a/y tcp/80', 'a/y -> b/y tcp/81', 'outside -> a/x tcp/81'],
    stopped: ['c/x -> b/y tcp/81', 'c/y -> b/y tcp/80', 'b/y -> a/y tcp/80', 'b/x -> a/y udp/80'],
  },
  {
    name: 'on the way out: Allow for DNS only, Deny for the rest',
    policies: [adminPolicy('dns', { priority: 3, subject: { namespaces: IN('c') }, egress: [
      { name: 'dns', action: 'Allow', to: [{ pods: { namespaceSelector: ALL, podSelector: Y } }], ports: [{ portNumber: { protocol: 'UDP', port: 81 } }, { portNumber: { protocol: 'TCP', port: 81 } }] },
      { name: 'rest', action: 'Deny', to: [{ networks: ['0.0.0.0/0', '::/0'] }] },
    ] })],
    through: ['c/x -> a/y udp/81', 'c/x -> c/y tcp/81', 'a/x -> c/x tcp/80'],
    stopped: ['c/x -> a/y udp/80', 'c/x -> outside tcp/80', 'c/x -> a/x tcp/81'],
  },
];
