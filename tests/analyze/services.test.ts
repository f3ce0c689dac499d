// Where Services lead, and what their entrances let in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findExposures, type Exposure } from '../../src/analyze/exposure.ts';
import { routeServices } from '../../src/analyze/services.ts';
import { formatIpAddress } from '../../src/base/ip-address.ts';
import { rangeLabel } from '../../src/base/range-label.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { formatPorts } from '../../src/report/text/port-text.ts';
import { findEnds } from '../../src/words/endpoint-words.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { readText } from '../read/reading.ts';

interface PodText {
  readonly ports?: string;
  readonly more?: string;
  readonly status?: string;
}

const pod = (name: string, { ports = '[]', more = '', status = '{}' }: PodText = {}): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: shop, labels: {app: ${name.split('-')[0]}}}\nspec: {${more}containers: [{name: c, ports: ${ports}}]}\nstatus: ${status}\n`;
const service = (name: string, spec: string): string => `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}\n`;
const policy = (from: string): string =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web, namespace: shop}\nspec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: ${from}, ports: [{port: 8080}]}]}\n`;
const node = (name: string, address: string): string => `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}}\nstatus: {addresses: [{type: InternalIP, address: ${address}}]}\n`;

function clusterOf(...texts: readonly string[]): Cluster {
  const { cluster, findings } = readText(texts.join('---\n'));
  assert.deepEqual(findings.filter(({ severity }) => severity === 'error'), []);
  return cluster;
}

/** `web pods TCP 80 > web-1:8080; - web-2`. */
function routesOf(cluster: Cluster): string[] {
  return routeServices(cluster).map(({ service: { name }, leadsTo, ports }) => {
    const shown = ports.map(({ port, targets, unresolved }) => {
      const to = targets.map(({ end, port: number }) => `${end.kind === 'pod' ? cluster.pods[end.pod]!.name : formatIpAddress(end.address)}:${number}`);
      return `${port.protocol} ${port.port} > ${[...to, ...unresolved.map((index) => `not ${cluster.pods[index]!.name}`)].join(' ')}`.trimEnd();
    });
    return [name, leadsTo, ...shown].join(' ');
  });
}

const HTTP = '[{name: http, containerPort: 8080}, {name: http, containerPort: 9090}, {name: http, protocol: UDP, containerPort: 53}]';

test('a selector leads to pods of its own namespace, a name to the first port of that name and protocol', () => {
  const other = pod('web-9').replace('namespace: shop', 'namespace: other');
  const texts = [pod('web-1', { ports: HTTP }), pod('web-2', { ports: '[{name: http, containerPort: 80}]' }), pod('web-3'), other];
  assert.deepEqual(routesOf(clusterOf(...texts, service('web', '{selector: {app: web}, ports: [{name: a, port: 80, targetPort: http}, {name: b, port: 81}]}'))), [
    'web pods TCP 80 > web-1:8080 web-2:80 not web-3 TCP 81 > web-1:81 web-2:81 web-3:81',
  ]);
  assert.deepEqual(routesOf(clusterOf(...texts, service('dns', '{selector: {app: web}, ports: [{protocol: UDP, port: 53, targetPort: http}]}'))), ['dns pods UDP 53 > web-1:53 not web-2 not web-3']);
});

test('what cannot be known of a Service is not guessed', () => {
  const texts = [pod('web-1'), service('bare', '{ports: [{port: 80}]}'), service('empty', '{selector: {app: none}, ports: [{port: 80}]}'), service('out', '{type: ExternalName, externalName: db.example.com}')];
  assert.deepEqual(routesOf(clusterOf(...texts)), ['bare unknown TCP 80 >', 'empty pods TCP 80 >', 'out name']);
});

test('EndpointSlices tell of a Service without a selector, by pod name, by address, or from outside', () => {
  const slice = (name: string, of: string, port: number, endpoints: string): string =>
    `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: ${name}, namespace: shop, labels: {kubernetes.io/service-name: ${of}}}\naddressType: IPv4\nports: [{name: web, port: ${port}}, {name: other, port: 1}]\nendpoints: ${endpoints}\n`;
  const texts = [
    pod('web-1', { status: '{podIP: 10.1.0.1}' }),
    pod('web-2', { status: '{podIP: 10.1.0.2}' }),
    service('bare', '{ports: [{name: web, port: 80}]}'),
    slice('a', 'bare', 8080, '[{addresses: [10.9.9.9], targetRef: {kind: Pod, name: web-1}}, {addresses: [10.1.0.2]}]'),
    slice('b', 'bare', 8081, '[{addresses: [192.0.2.7]}]'),
    slice('c', 'else', 8082, '[{addresses: [192.0.2.8]}]'),
  ];
  assert.deepEqual(routesOf(clusterOf(...texts)), ['bare endpoints TCP 80 > web-1:8080 web-2:8080 192.0.2.7:8081']);
});

const bare = service('bare', '{ports: [{name: web, port: 80}]}');
const webPods = [pod('web-1', { status: '{podIP: 10.1.0.1}' }), pod('web-2', { status: '{podIP: 10.1.0.2}' })];
const endpoints = (subsets: string, labels = '{}'): string => `apiVersion: v1\nkind: Endpoints\nmetadata: {name: bare, namespace: shop, labels: ${labels}}\nsubsets: ${subsets}\n`;
const sliceOfBare = (name: string, address: string, labels = ''): string =>
  `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: ${name}, namespace: shop, labels: {${labels}kubernetes.io/service-name: bare}}\naddressType: IPv4\nports: [{name: web, port: 8080}]\nendpoints: [{addresses: [${address}]}]\n`;
const MIRRORED = 'endpointslice.kubernetes.io/managed-by: endpointslicemirroring-controller.k8s.io, ';

function leadsTo(name: string, expected: string, ...texts: readonly string[]): void {
  test(`Endpoints: ${name}`, () => assert.deepEqual(routesOf(clusterOf(...webPods, bare, ...texts)), [`bare endpoints TCP 80 > ${expected}`.trimEnd()]));
}

const ONE = '[{addresses: [{ip: 192.0.2.7}], ports: [{name: web, port: 6432}]}]';
leadsTo('by pod name, by address, from outside, and those that are not ready, subset by subset', 'web-1:8080 web-2:8080 192.0.2.7:8081', endpoints('[{addresses: [{ip: 10.9.9.9, targetRef: {kind: Pod, name: web-1}}], notReadyAddresses: [{ip: 10.1.0.2}], ports: [{name: web, port: 8080}, {name: other, port: 1}]}, {addresses: [{ip: 192.0.2.7}], ports: [{name: web, port: 8081}]}]'));
leadsTo('beside a slice of somebody else, as the control plane adds its own', '192.0.2.7:6432 10.5.0.1:8080', endpoints(ONE), sliceOfBare('own', '10.5.0.1'));
leadsTo('in place of what was mirrored from them', '192.0.2.7:6432', endpoints(ONE), sliceOfBare('old', '10.5.0.1', MIRRORED));
leadsTo('a mirror alone', '10.5.0.1:8080', sliceOfBare('old', '10.5.0.1', MIRRORED));
leadsTo('what stands in both is one', '192.0.2.7:8080', endpoints(ONE.replace('6432', '8080')), sliceOfBare('own', '192.0.2.7'));
leadsTo('those that ask not to be mirrored lead nowhere', '10.5.0.1:8080', endpoints(ONE, "{endpointslice.kubernetes.io/skip-mirror: 'true'}"), sliceOfBare('own', '10.5.0.1'));
leadsTo('without subsets', '10.5.0.1:8080', endpoints('null'), sliceOfBare('own', '10.5.0.1'));

test('Endpoints of files take the place of a mirror in the cluster that they are applied to', () => {
  const base = sourceFromText('cluster', [...webPods, bare, sliceOfBare('old', '10.5.0.1', MIRRORED)].join('---\n'));
  const { cluster } = readManifests([sourceFromText('new.yaml', endpoints(ONE)), { ...base, isBase: true }]);
  assert.deepEqual(routesOf(cluster), ['bare endpoints TCP 80 > 192.0.2.7:6432']);
});

test('a word for a Service without a selector means what its slices name, each end on its own ports', () => {
  const texts = [...webPods, bare, endpoints('[{addresses: [{ip: 10.1.0.1}, {ip: 10.1.0.2}], ports: [{name: web, port: 8080}]}, {addresses: [{ip: 192.0.2.7}, {ip: 192.0.2.8}], ports: [{name: web, port: 6432}]}]'), policy('[{podSelector: {}}]').replace('app: web', 'none: none')];
  const named = findEnds(compileCluster(clusterOf(...texts)), 'svc/shop/bare:80');
  assert.deepEqual(named.ends.map(({ label, ports, pods }) => `${label} ${formatPorts(ports ?? [])} ${pods.length}`), ['shop/web-1 TCP 8080 2', '192.0.2.7, 192.0.2.8 TCP 6432 0']);
  assert.deepEqual(named.ranges.map(rangeLabel), ['192.0.2.7', '192.0.2.8']);
  assert.throws(() => findEnds(compileCluster(clusterOf(...webPods, bare)), 'svc/shop/bare:80'), /the manifests do not say where it leads/);
  assert.throws(() => findEnds(compileCluster(clusterOf(...webPods, bare, endpoints('null'), sliceOfBare('other', '10.5.0.1').replace('name: web', 'name: x'))), 'svc/shop/bare:80'), /leads to nobody/);
});

test('Endpoints that cannot be read are an error', () => {
  const { findings } = readText(endpoints('[{addresses: [{ip: 10.1.0}], ports: [{port: 70000}]}]'));
  assert.deepEqual(findings.map(({ code, severity }) => `${severity} ${code}`), ['error invalid-value', 'error invalid-port']);
});

/** `NodePort nodes closed`. */
function exposuresOf(cluster: Cluster): string[] {
  const text = ({ entrance, sources, targets }: Exposure): string => `${entrance.kind} ${sources.kind} ${targets.map(({ verdict, outside }) => `${verdict} ${outside.map(rangeLabel).join(',')}`).join(' ') || 'nowhere'}`.trimEnd();
  return findExposures(compileCluster(cluster)).map(text);
}

function exposes(name: string, expected: string, ...texts: readonly string[]): void {
  test(`exposed: ${name}`, () => assert.deepEqual(exposuresOf(clusterOf(pod('web-1', { status: '{podIP: 10.1.0.1}' }), ...texts)), [expected]));
}

const nodePort = service('web', '{type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}');
const local = service('web', '{type: LoadBalancer, externalTrafficPolicy: Local, loadBalancerSourceRanges: [198.51.100.0/24], selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}');
exposes('a node port of a pod that no policy governs', 'NodePort nodes open any IPv4 address', nodePort);
exposes('a node port, nodes unknown, some ranges let in', 'NodePort nodes unknown 10.0.0.0/8', nodePort, policy('[{ipBlock: {cidr: 10.0.0.0/8}}]'));
exposes('a node port, the one node let in', 'NodePort nodes open 10.0.0.0/8', nodePort, policy('[{ipBlock: {cidr: 10.0.0.0/8}}]'), node('a', '10.0.0.5'));
exposes('a node port, one node of two let in', 'NodePort nodes partly 10.0.0.0/8', nodePort, policy('[{ipBlock: {cidr: 10.0.0.0/8}}]'), node('a', '10.0.0.5'), node('b', '192.168.0.5'));
exposes('a node port, the client let in and the node not', 'NodePort nodes closed 198.51.100.0/24', nodePort, policy('[{ipBlock: {cidr: 198.51.100.0/24}}]'), node('a', '10.0.0.5'));
exposes('a node port, only pods let in', 'NodePort nodes closed', nodePort, policy('[{podSelector: {}}]'));
exposes('a load balancer that keeps the address, its range let in', 'LoadBalancer clients open 198.51.100.0/24', local, policy('[{ipBlock: {cidr: 198.51.100.0/24}}]'));
exposes('a load balancer that keeps the address, half its range let in', 'LoadBalancer clients partly 198.51.100.0/25', local, policy('[{ipBlock: {cidr: 198.51.100.0/25}}]'));
exposes('a load balancer that keeps the address, another range let in', 'LoadBalancer clients closed 192.0.2.0/24', local, policy('[{ipBlock: {cidr: 192.0.2.0/24}}]'));
exposes('a load balancer of AWS to the pods themselves', 'LoadBalancer provider unknown 10.0.0.0/8', nodePort.replace('NodePort', 'LoadBalancer').replace('namespace: shop', 'namespace: shop, annotations: {service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip}'), policy('[{ipBlock: {cidr: 10.0.0.0/8}}]'));
exposes('an entrance that leads nowhere', 'NodePort nodes nowhere', nodePort.replaceAll('app: web', 'app: none'));

const ingress = (spec: string, annotations = '{}'): string =>
  `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop, annotations: ${annotations}}\nspec: {${spec}defaultBackend: {service: {name: web, port: {number: 80}}}}\n${'---\n'}${service('web', '{selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}')}`;
const traefik = (more = ''): string => `apiVersion: v1\nkind: Pod\nmetadata: {name: t, namespace: edge, labels: {app.kubernetes.io/name: traefik}}\nspec: {${more}containers: [{name: c}]}\n`;
const edge = policy('[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: edge}}}]');
exposes('an Ingress whose controller is let in', 'Ingress controller open', ingress('ingressClassName: traefik, '), traefik(), edge);
exposes('an Ingress whose controller is named by the old annotation', 'Ingress controller open', ingress('', '{kubernetes.io/ingress.class: traefik}'), traefik(), edge);
exposes('an Ingress without a class takes whatever controller there is', 'Ingress controller open', ingress(''), traefik(), edge);
exposes('an Ingress of another class', 'Ingress missing-controller unknown', ingress('ingressClassName: kong, '), traefik(), edge);
exposes('an Ingress of a class that nobody knows', 'Ingress missing-controller unknown', ingress('ingressClassName: ours, '), traefik(), edge);
exposes('an Ingress whose class names the controller', 'Ingress controller open', ingress('ingressClassName: ours, '), 'apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: ours}\nspec: {controller: traefik.io/ingress-controller}\n', traefik(), edge);
exposes('an Ingress whose controller has the address of its node', 'Ingress controller closed', ingress('ingressClassName: traefik, '), traefik('hostNetwork: true, '), edge);
exposes('an Ingress whose controller may not send', 'Ingress controller closed', ingress('ingressClassName: traefik, '), traefik(), edge, edge.replace('namespace: shop', 'namespace: edge').replace('matchLabels: {app: web}', '').replace('ingress: ', 'policyTypes: [Egress], ingress: '));
exposes('an Ingress of AWS goes by node ports', 'Ingress nodes closed', ingress('ingressClassName: alb, '), edge);
exposes('an Ingress of AWS in ip mode', 'Ingress provider unknown 10.0.0.0/8', ingress('ingressClassName: alb, ', '{alb.ingress.kubernetes.io/target-type: ip}'), policy('[{ipBlock: {cidr: 10.0.0.0/8}}]'));
