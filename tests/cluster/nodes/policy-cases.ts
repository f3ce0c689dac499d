// What NetworkPolicy does to real connections, one case after another: policies, and a few connections that must and must not come through with them.
import type { WantedObject } from '../../../src/kube/cluster-api.ts';
import { networkPolicy } from './world.ts';

/** Every connection is held against the engine and the reference; those named here are a third opinion. */
export interface PolicyCase {
  readonly name: string;
  readonly policies: readonly WantedObject[];
  /** `a/x -> b/y tcp/80`; over every family that both ends have. */
  readonly through: readonly string[];
  readonly stopped: readonly string[];
}

const X = { matchLabels: { app: 'x' } };
const Y = { matchLabels: { app: 'y' } };
const ALL = {};
const TYPES = { in: ['Ingress'], out: ['Egress'], both: ['Ingress', 'Egress'] };
const SHUT = networkPolicy('a/shut', { podSelector: ALL, policyTypes: TYPES.in });

export const NETWORK_POLICY_CASES: readonly PolicyCase[] = [
  {
    name: 'nobody may come in',
    policies: [SHUT],
    through: ['a/x -> b/x tcp/80', 'a/x -> outside tcp/80', 'b/x -> c/y udp/81', 'hosts/host1 -> a/x tcp/80'],
    stopped: ['a/x -> a/y tcp/80', 'b/x -> a/y tcp/80', 'b/x -> a/y udp/80', 'outside -> a/x tcp/80'],
  },
  {
    name: 'nobody may go out',
    policies: [networkPolicy('a/shut', { podSelector: ALL, policyTypes: TYPES.out })],
    through: ['b/x -> a/y tcp/80', 'outside -> a/y udp/81', 'a/x -> hosts/host1 tcp/80'],
    stopped: ['a/x -> a/y tcp/80', 'a/x -> b/y udp/80', 'a/y -> outside tcp/81'],
  },
  {
    name: 'nobody may come in or go out',
    policies: [networkPolicy('b/shut', { podSelector: ALL, policyTypes: TYPES.both })],
    through: ['a/x -> c/x tcp/80'],
    stopped: ['b/x -> b/y tcp/80', 'a/x -> b/y tcp/80', 'b/y -> c/y udp/80'],
  },
  {
    name: 'without policyTypes and egress rules the way out stays open',
    policies: [networkPolicy('a/shut', { podSelector: ALL, egress: [] })],
    through: ['a/x -> b/x tcp/80', 'a/y -> outside udp/80'],
    stopped: ['b/x -> a/x tcp/80'],
  },
  {
    name: 'an empty rule lets everybody in beside a policy that lets nobody in',
    policies: [SHUT, networkPolicy('a/open', { podSelector: X, ingress: [{}] })],
    through: ['b/x -> a/x tcp/80', 'outside -> a/x udp/81', 'a/y -> a/x tcp/8000'],
    stopped: ['b/x -> a/y tcp/80', 'a/x -> a/bare tcp/80'],
  },
  {
    name: 'a pod selector means pods of the own namespace',
    policies: [networkPolicy('a/from-x', { podSelector: Y, ingress: [{ from: [{ podSelector: X }] }] })],
    through: ['a/x -> a/y tcp/80', 'a/x -> a/y udp/81', 'b/x -> a/x tcp/80'],
    stopped: ['b/x -> a/y tcp/80', 'a/bare -> a/y tcp/80', 'outside -> a/y tcp/80'],
  },
  {
    name: 'a namespace selector means all of its pods',
    policies: [networkPolicy('a/from-b', { podSelector: ALL, ingress: [{ from: [{ namespaceSelector: Y }] }] })],
    through: ['b/x -> a/y tcp/80', 'b/bare -> a/bare udp/80'],
    stopped: ['a/x -> a/y tcp/80', 'c/x -> a/y tcp/80'],
  },
  {
    name: 'both selectors in one peer must match',
    policies: [networkPolicy('c/one', { podSelector: ALL, ingress: [{ from: [{ namespaceSelector: X, podSelector: Y }] }] })],
    through: ['a/y -> c/x tcp/80'],
    stopped: ['a/x -> c/x tcp/80', 'b/y -> c/x tcp/80', 'c/y -> c/x tcp/80'],
  },
  {
    name: 'of two peers one must match',
    policies: [networkPolicy('c/either', { podSelector: ALL, ingress: [{ from: [{ namespaceSelector: X }, { podSelector: Y }] }] })],
    through: ['a/x -> c/x tcp/80', 'a/bare -> c/x tcp/80', 'c/y -> c/x udp/80'],
    stopped: ['b/y -> c/x tcp/80', 'c/bare -> c/x tcp/80'],
  },
  {
    name: 'a pod selector in all namespaces',
    policies: [networkPolicy('a/from-x', { podSelector: Y, ingress: [{ from: [{ namespaceSelector: {}, podSelector: X }] }] })],
    through: ['a/x -> a/y tcp/80', 'b/x -> a/y tcp/80', 'c/x -> a/y udp/81'],
    stopped: ['b/y -> a/y tcp/80', 'outside -> a/y tcp/80'],
  },
  {
    name: 'NotIn and DoesNotExist match pods without the key',
    policies: [
      networkPolicy('a/not-x', { podSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['x'] }] }, ingress: [{ from: [{ podSelector: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] } }] }] }),
    ],
    through: ['a/bare -> a/y tcp/80', 'b/y -> a/x tcp/80'],
    stopped: ['a/x -> a/bare tcp/80', 'a/x -> a/y tcp/80', 'b/bare -> a/bare tcp/80'],
  },
  {
    name: 'Exists and In, together',
    policies: [networkPolicy('b/some', { podSelector: { matchExpressions: [{ key: 'app', operator: 'Exists' }, { key: 'app', operator: 'In', values: ['y', 'z'] }] }, policyTypes: TYPES.in })],
    through: ['a/x -> b/x tcp/80', 'a/x -> b/bare tcp/80'],
    stopped: ['a/x -> b/y tcp/80'],
  },
  {
    name: 'a port by its number',
    policies: [networkPolicy('a/web', { podSelector: ALL, ingress: [{ ports: [{ port: 80 }] }] })],
    through: ['b/x -> a/x tcp/80', 'outside -> a/bare tcp/80'],
    stopped: ['b/x -> a/x tcp/81', 'b/x -> a/x udp/80'],
  },
  {
    name: 'a port by its name is what each pod calls so',
    policies: [networkPolicy('a/http', { podSelector: ALL, ingress: [{ ports: [{ port: 'http' }] }] })],
    through: ['b/x -> a/x tcp/80', 'b/x -> a/bare tcp/81'],
    stopped: ['b/x -> a/x tcp/81', 'b/x -> a/bare tcp/80', 'b/x -> a/x udp/80'],
  },
  {
    name: 'one name of two protocols',
    policies: [networkPolicy('a/dns', { podSelector: ALL, ingress: [{ ports: [{ port: 'dns', protocol: 'UDP' }] }] })],
    through: ['b/x -> a/x udp/81'],
    stopped: ['b/x -> a/y udp/81', 'b/x -> a/y tcp/81', 'b/x -> a/x tcp/81'],
  },
  {
    name: 'a named port on the way out is the target pod\'s',
    policies: [networkPolicy('a/out', { podSelector: ALL, policyTypes: TYPES.out, egress: [{ to: [{ namespaceSelector: {} }], ports: [{ port: 'http' }] }] })],
    through: ['a/x -> b/x tcp/80', 'a/x -> b/bare tcp/81', 'a/x -> a/bare tcp/81'],
    stopped: ['a/x -> b/bare tcp/80', 'a/x -> b/x tcp/81', 'a/x -> outside tcp/80'],
  },
  {
    name: 'a range of ports, both ends included',
    policies: [networkPolicy('a/range', { podSelector: ALL, ingress: [{ ports: [{ port: 81, endPort: 8000 }] }] })],
    through: ['b/x -> a/x tcp/81', 'b/x -> a/x tcp/8000'],
    stopped: ['b/x -> a/x tcp/80', 'b/x -> a/x udp/81'],
  },
  {
    name: 'a protocol without a port is all of its ports',
    policies: [networkPolicy('a/udp', { podSelector: ALL, ingress: [{ ports: [{ protocol: 'UDP' }] }] }), networkPolicy('b/tcp', { podSelector: ALL, ingress: [{ ports: [{}] }] })],
    through: ['c/x -> a/x udp/80', 'c/x -> a/x udp/81', 'c/x -> b/x tcp/8000'],
    stopped: ['c/x -> a/x tcp/80', 'c/x -> b/x udp/80'],
  },
  {
    name: 'policies add up',
    policies: [
      networkPolicy('a/one', { podSelector: ALL, ingress: [{ from: [{ namespaceSelector: X }], ports: [{ port: 80 }] }] }),
      networkPolicy('a/two', { podSelector: X, ingress: [{ from: [{ namespaceSelector: Y }], ports: [{ port: 81 }] }] }),
    ],
    through: ['a/x -> a/y tcp/80', 'b/x -> a/x tcp/81', 'a/y -> a/x tcp/80'],
    stopped: ['b/x -> a/x tcp/80', 'b/x -> a/y tcp/81', 'a/y -> a/x tcp/81'],
  },
  {
    name: 'both ends must allow it',
    policies: [
      networkPolicy('a/out', { podSelector: X, policyTypes: TYPES.out, egress: [{ to: [{ namespaceSelector: Y }] }] }),
      networkPolicy('b/in', { podSelector: Y, ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 80 }] }] }),
    ],
    through: ['a/x -> b/y tcp/80', 'a/y -> b/y tcp/80', 'a/x -> b/x udp/80'],
    stopped: ['a/x -> b/y tcp/81', 'a/x -> c/y tcp/80', 'outside -> b/y tcp/80'],
  },
  {
    name: 'a block lets the host outside in, and no pod',
    policies: [networkPolicy('a/outside', { podSelector: ALL, ingress: [{ from: [{ ipBlock: { cidr: '10.250.0.0/24' } }, { ipBlock: { cidr: 'fd00:10:250::/64' } }] }] })],
    through: ['outside -> a/x tcp/80', 'outside -> a/bare udp/81', 'hosts/host1 -> a/x tcp/80'],
    stopped: ['a/y -> a/x tcp/80', 'b/x -> a/x tcp/80'],
  },
  {
    name: 'what is excepted from a block',
    policies: [networkPolicy('a/world', { podSelector: ALL, ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.250.0.1/32'] } }, { ipBlock: { cidr: '::/0', except: ['fd00:10:250::1/128'] } }] }] })],
    through: ['b/x -> a/x tcp/80', 'a/x -> a/y udp/80'],
    stopped: ['outside -> a/x tcp/80', 'outside -> a/y udp/81'],
  },
  {
    name: 'what one block excepts another may allow',
    policies: [
      networkPolicy('a/world', { podSelector: ALL, ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.250.0.0/24'] } }, { ipBlock: { cidr: '::/0', except: ['fd00:10:250::/64'] } }] }] }),
      networkPolicy('a/outside', { podSelector: X, ingress: [{ from: [{ ipBlock: { cidr: '10.250.0.1/32' } }, { ipBlock: { cidr: 'fd00:10:250::1/128' } }], ports: [{ port: 80 }] }] }),
    ],
    through: ['outside -> a/x tcp/80', 'b/x -> a/x tcp/81'],
    stopped: ['outside -> a/x tcp/81', 'outside -> a/y tcp/80'],
  },
  {
    name: 'a block over pod addresses means those pods',
    policies: [networkPolicy('a/node-1', { podSelector: ALL, ingress: [{ from: [{ ipBlock: { cidr: '10.244.1.0/24' } }, { ipBlock: { cidr: 'fd00:10:244:1::/64' } }] }] })],
    through: ['a/x -> a/bare tcp/80', 'c/x -> a/bare udp/80'],
    stopped: ['outside -> a/bare tcp/80'],
  },
  {
    name: 'on the way out: the host outside but for one port, and nothing in the cluster',
    policies: [networkPolicy('a/out', { podSelector: X, policyTypes: TYPES.out, egress: [{ to: [{ ipBlock: { cidr: '10.250.0.1/32' } }, { ipBlock: { cidr: 'fd00:10:250::1/128' } }], ports: [{ port: 80 }, { port: 80, protocol: 'UDP' }] }] })],
    through: ['a/x -> outside tcp/80', 'a/x -> outside udp/80', 'a/y -> b/x tcp/80'],
    stopped: ['a/x -> outside tcp/81', 'a/x -> a/y tcp/80', 'a/x -> b/x udp/80'],
  },
  {
    name: 'a policy that selects nobody changes nothing',
    policies: [networkPolicy('a/nobody', { podSelector: { matchLabels: { app: 'nobody' } }, policyTypes: TYPES.both })],
    through: ['a/x -> a/y tcp/80', 'outside -> a/x udp/81'],
    stopped: [],
  },
  {
    name: 'pods on their node\'s own network are not selected',
    policies: [networkPolicy('hosts/shut', { podSelector: ALL, policyTypes: TYPES.both })],
    through: ['a/x -> hosts/host1 tcp/80', 'hosts/host1 -> b/y udp/80', 'outside -> hosts/host1 tcp/80'],
    stopped: [],
  },
];
