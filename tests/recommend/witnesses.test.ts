// What counts as a witness, each kind by itself: Ingresses, load balancers, monitors, annotations, webhooks, and names that are no hosts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecommendOptions } from '../../src/recommend/recommend.ts';
import { recommendationJson, recommendationYaml } from '../../src/report/define/recommendation.ts';
import { codesOf, opened, recommendFor } from './recommending.ts';

const WEB = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: example/web, ports: [{ name: http, containerPort: 8080 }, { name: metrics, containerPort: 9100 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: http }, { name: metrics, port: 9100 }] }
`;

function pod(name: string, labels: Readonly<Record<string, string>>, spec: object = {}): string {
  return `---\n${JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', labels }, spec: { containers: [{ name: 'c', image: 'x' }], ...spec } })}\n`;
}

/** A pod that is told these variables. */
function client(env: Readonly<Record<string, string>>): string {
  return pod('client', { app: 'client' }, { containers: [{ name: 'c', image: 'x', env: Object.entries(env).map(([name, value]) => ({ name, value })) }] });
}

interface Wanted {
  readonly opens?: readonly string[];
  readonly codes?: readonly string[];
  readonly options?: RecommendOptions;
}

function check(name: string, wanted: Wanted, ...texts: readonly string[]): void {
  test(name, () => {
    const recommendation = recommendFor({ 'app.yaml': texts.join('') }, wanted.options);
    if (wanted.opens !== undefined) assert.deepEqual(opened(recommendation.connections), wanted.opens);
    if (wanted.codes !== undefined) assert.deepEqual([...new Set(codesOf(recommendation))].sort(), [...wanted.codes].sort());
  });
}

const INGRESS = `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop, namespace: shop }
spec: { ingressClassName: nginx, rules: [{ http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { name: http } } } }] } }] }
`;
const NGINX = { 'app.kubernetes.io/name': 'ingress-nginx', 'app.kubernetes.io/component': 'controller' };

// From outside: the port is the pods', the source is whoever the policies see.
check('an Ingress with its controller in the input', { opens: ['shop/nginx → shop/web TCP 8080'], codes: [] }, WEB, INGRESS, pod('nginx', NGINX));
check('an Ingress whose class tells the controller', { opens: ['Traefik → shop/web TCP 8080'], codes: ['needs-decision'] }, WEB, INGRESS.replace('nginx', 'traefik'));
check('an Ingress of a class that nobody knows', { opens: [], codes: ['witness-not-opened', 'nothing-seen'] }, WEB, INGRESS.replace('nginx', 'inhouse'));
check('a load balancer', { opens: ['clients outside → shop/web TCP 8080,9100'], codes: ['ip-block-may-match-pods'] }, WEB.replace('spec: { selector', 'spec: { type: LoadBalancer, selector'));
check(
  'a load balancer that keeps the clients\' addresses and takes some of them',
  { opens: ['203.0.113.0/24 → shop/web TCP 8080,9100'], codes: [] },
  WEB.replace('spec: { selector', 'spec: { type: LoadBalancer, externalTrafficPolicy: Local, loadBalancerSourceRanges: [203.0.113.0/24], selector'),
);
check('a port of the node', { opens: ['clients outside → shop/web TCP 8080'], codes: ['ip-block-may-match-pods'] }, WEB.replace('containerPort: 8080 }', 'containerPort: 8080, hostPort: 80 }'));
check('a route of another kind is said and not followed', { opens: [], codes: ['witness-not-understood', 'nothing-seen'] }, WEB, '---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: web, namespace: shop }\nspec: { hosts: [web] }\n');

// Routes of the Gateway API (gateway.networking.k8s.io/v1): from the pods of the Gateway to the pods behind the Service.
const httpRoute = (spec: object, kind = 'HTTPRoute'): string => `---\n${JSON.stringify({ apiVersion: 'gateway.networking.k8s.io/v1', kind, metadata: { name: 'web', namespace: 'shop' }, spec })}\n`;
const PARENT = [{ name: 'edge' }];
const TO_WEB = [{ backendRefs: [{ name: 'web', port: 80 }] }];
check('a route with the pods of its Gateway in the input', { opens: ['shop/gw → shop/web TCP 8080'], codes: [] }, WEB, pod('gw', { 'gateway.networking.k8s.io/gateway-name': 'edge' }), httpRoute({ parentRefs: PARENT, rules: TO_WEB }));
check('a route whose Gateway has pods elsewhere', { opens: ['the Gateway edge → shop/web TCP 8080'], codes: ['needs-decision'] }, WEB, httpRoute({ parentRefs: [{ name: 'edge', namespace: 'gateways' }], rules: TO_WEB }));
check('a route of a load balancer of the provider', { opens: ['clients outside → shop/web TCP 8080'], codes: ['ip-block-may-match-pods'] }, WEB, '---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: edge, namespace: shop }\nspec: { gatewayClassName: gke-l7-global-external-managed }\n', httpRoute({ parentRefs: PARENT, rules: TO_WEB }));
check('a mirror gets requests as well', { opens: ['shop/gw → shop/web TCP 9100'], codes: [] }, WEB, pod('gw', { 'gateway.networking.k8s.io/gateway-name': 'edge' }), httpRoute({ parentRefs: PARENT, rules: [{ filters: [{ type: 'RequestMirror', requestMirror: { backendRef: { name: 'web', port: 9100 } } }] }] }));
check('a route of UDP does not lead to a port of TCP', { opens: [], codes: ['witness-without-target', 'nothing-seen'] }, WEB, httpRoute({ parentRefs: PARENT, rules: TO_WEB }, 'UDPRoute'));
check('a route to a Service that is not there', { opens: [], codes: ['witness-without-target', 'nothing-seen'] }, WEB, httpRoute({ parentRefs: PARENT, rules: [{ backendRefs: [{ name: 'wep', port: 80 }] }] }));
check('a route to what is no Service', { opens: [], codes: ['witness-not-understood', 'nothing-seen'] }, WEB, httpRoute({ parentRefs: PARENT, rules: [{ backendRefs: [{ group: 'example.com', kind: 'Bucket', name: 'web' }] }] }));
check('a route without a Gateway', { opens: [], codes: ['witness-not-understood', 'nothing-seen'] }, WEB, httpRoute({ rules: TO_WEB }));

// Scrapes (the Prometheus chart's annotations; monitoring.coreos.com/v1).
const PROMETHEUS = { 'app.kubernetes.io/name': 'prometheus' };
const monitor = (kind: string, spec: object): string => `---\n${JSON.stringify({ apiVersion: 'monitoring.coreos.com/v1', kind, metadata: { name: 'web', namespace: 'shop' }, spec })}\n`;
check('annotations of a Service, on its own ports', { opens: ['shop/prometheus → shop/web TCP 8080,9100'] }, WEB.replace('labels: { app: web } }\nspec: { selector', 'annotations: { prometheus.io/scrape: "true" } }\nspec: { selector'), pod('prometheus', PROMETHEUS));
check('annotations of pods, on the port that they name', { opens: ['shop/prometheus → shop/web TCP 9100'] }, WEB.replace('metadata: { labels: { app: web } }', 'metadata: { labels: { app: web }, annotations: { prometheus.io/scrape: "true", prometheus.io/port: "9100" } }'), pod('prometheus', PROMETHEUS));
check('scrape: "false"', { opens: [] }, WEB.replace('metadata: { labels: { app: web } }', 'metadata: { labels: { app: web }, annotations: { prometheus.io/scrape: "false" } }'), pod('prometheus', PROMETHEUS));
check('a ServiceMonitor names a port of the Service', { opens: ['shop/prometheus → shop/web TCP 9100'] }, WEB, pod('prometheus', PROMETHEUS), monitor('ServiceMonitor', { selector: { matchLabels: { app: 'web' } }, endpoints: [{ port: 'metrics' }] }));
check('a ServiceMonitor for another namespace', { opens: [] }, WEB, pod('prometheus', PROMETHEUS), monitor('ServiceMonitor', { namespaceSelector: { matchNames: ['data'] }, selector: { matchLabels: { app: 'web' } }, endpoints: [{ port: 'metrics' }] }));
check('a PodMonitor names a port of the containers', { opens: ['shop/prometheus → shop/web TCP 9100'] }, WEB, pod('prometheus', PROMETHEUS), monitor('PodMonitor', { selector: { matchLabels: { app: 'web' } }, podMetricsEndpoints: [{ port: 'metrics' }] }));
check('a monitor that selects by expressions is said and not followed', { opens: [], codes: ['witness-not-understood', 'nothing-seen'] }, WEB, pod('prometheus', PROMETHEUS), monitor('PodMonitor', { selector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] }, podMetricsEndpoints: [{ port: 'metrics' }] }));

// Which monitors a Prometheus heeds: none without a selector, all with an empty one, of its own namespace unless it says otherwise.
const heeding = (namespace: string, spec: object): string => `---\n${JSON.stringify({ apiVersion: 'monitoring.coreos.com/v1', kind: 'Prometheus', metadata: { name: 'main', namespace }, spec })}\n`;
const WEB_MONITOR = monitor('ServiceMonitor', { selector: { matchLabels: { app: 'web' } }, endpoints: [{ port: 'metrics' }] });
const SCRAPED = ['monitoring/main → shop/web TCP 9100'];
check('a Prometheus that selects every monitor of every namespace', { opens: SCRAPED }, WEB, WEB_MONITOR, heeding('monitoring', { serviceMonitorSelector: {}, serviceMonitorNamespaceSelector: {} }));
check('a Prometheus that selects monitors of its own namespace alone', { opens: [] }, WEB, WEB_MONITOR, heeding('monitoring', { serviceMonitorSelector: {} }));
check('a Prometheus of the same namespace', { opens: ['shop/main → shop/web TCP 9100'] }, WEB, WEB_MONITOR, heeding('shop', { serviceMonitorSelector: {} }));
check('a Prometheus that selects by a label that the monitor lacks', { opens: [] }, WEB, WEB_MONITOR, heeding('shop', { serviceMonitorSelector: { matchLabels: { release: 'main' } } }));
check('a Prometheus that selects by what the monitor lacks', { opens: ['shop/main → shop/web TCP 9100'] }, WEB, WEB_MONITOR, heeding('shop', { serviceMonitorSelector: { matchExpressions: [{ key: 'release', operator: 'DoesNotExist' }] } }));
check('a Prometheus that selects pod monitors alone', { opens: [] }, WEB, WEB_MONITOR, heeding('shop', { podMonitorSelector: {} }));
check('a Prometheus without selectors, whose configuration others write', { opens: SCRAPED }, WEB, WEB_MONITOR, heeding('monitoring', {}));
check('of two the Prometheus that selects it', { opens: ['shop/other → shop/web TCP 9100'] }, WEB, WEB_MONITOR, heeding('shop', { podMonitorSelector: {} }), heeding('shop', { serviceMonitorSelector: {} }).replace('"main"', '"other"'));

// Annotations that say who needs whom.
const annotated = (annotations: Readonly<Record<string, string>>): string => `---\n${JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'client', namespace: 'shop', labels: { app: 'client' }, annotations }, spec: { containers: [{ name: 'c', image: 'x' }] } })}\n`;
check('connects-to of ours, with a Service, an address and a host outside', { opens: ['shop/client → shop/web TCP 8080', 'shop/client → 192.0.2.7 TCP 80', 'shop/client → api.cards.example TCP 443'], codes: ['needs-decision'] }, WEB, annotated({ 'bulkhead.dev/connects-to': 'web:80, 192.0.2.7:80, https://api.cards.example' }));
check('connects-to of OpenShift, by name', { opens: ['shop/client → shop/web TCP 8080,9100'] }, WEB, annotated({ 'app.openshift.io/connects-to': 'web' }));
check('connects-to of OpenShift, as JSON', { opens: ['shop/client → shop/web TCP 8080,9100'] }, WEB, annotated({ 'app.openshift.io/connects-to': '[{"apiVersion":"apps/v1","kind":"Deployment","name":"web"}]' }));
check('depends-on of kpt', { opens: ['shop/client → shop/web TCP 8080,9100'] }, WEB, annotated({ 'config.kubernetes.io/depends-on': 'apps/namespaces/shop/Deployment/web,/namespaces/shop/ConfigMap/x' }));
check('upstreams of Consul, whose port is one of localhost', { opens: ['shop/client → shop/web TCP 8080,9100'] }, WEB, annotated({ 'consul.hashicorp.com/connect-service-upstreams': 'web:1234' }));
check('a dependency that is not there', { opens: [], codes: ['witness-without-target', 'nothing-seen'] }, WEB, annotated({ 'app.openshift.io/connects-to': 'wep' }));
check('part-of and the like say nothing of connections', { opens: [], codes: ['nothing-seen'] }, WEB, pod('client', { app: 'client', 'app.kubernetes.io/part-of': 'web' }));

// The API server.
check('a webhook is called by the API server', { opens: ['the API server → shop/web TCP 8080'], codes: ['needs-decision', 'ip-block-may-match-pods'] }, WEB, '---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: { name: web }\nwebhooks: [{ name: a.example, clientConfig: { service: { namespace: shop, name: web, port: 80 } } }]\n');
check('who has a role asks the API server', { codes: ['witness-not-opened'] }, pod('client', { app: 'client' }, { serviceAccountName: 'client' }), '---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: { name: client, namespace: shop }\nroleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: x }\nsubjects: [{ kind: ServiceAccount, name: client }]\n');
const SLICE = '---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: kubernetes, namespace: default, labels: { kubernetes.io/service-name: kubernetes } }\naddressType: IPv4\nendpoints: [{ addresses: [192.0.2.1] }]\nports: [{ name: https, port: 6443 }]\n';
check('where its address is known, that is opened and no more', { opens: ['shop/client → the API server TCP 6443', 'the API server → shop/web TCP 8080'], codes: [] }, WEB, pod('client', { app: 'client' }, { serviceAccountName: 'client' }), '---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: { name: client, namespace: shop }\nroleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: x }\nsubjects: [{ kind: ServiceAccount, name: client }]\n', '---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: { name: web }\nwebhooks: [{ name: a.example, clientConfig: { service: { namespace: shop, name: web, port: 80 } } }]\n', SLICE);
check('without a token nobody does', { codes: [] }, pod('client', { app: 'client' }, { serviceAccountName: 'client', automountServiceAccountToken: false }), '---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: { name: client, namespace: shop }\nroleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: x }\nsubjects: [{ kind: ServiceAccount, name: client }]\n');

// Names that are looked up as a pod's resolver does.
const HEADLESS = '---\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: db, namespace: data }\nspec:\n  replicas: 2\n  serviceName: db\n  selector: { matchLabels: { app: db } }\n  template: { metadata: { labels: { app: db } }, spec: { containers: [{ name: db, image: x, env: [{ name: PEERS, value: "db-0.db:7000,db-1.db:7000" }] }] } }\n---\napiVersion: v1\nkind: Service\nmetadata: { name: db, namespace: data }\nspec: { clusterIP: None, selector: { app: db }, ports: [{ port: 5432 }] }\n';
check('members of a StatefulSet name each other', { opens: ['data/db → data/db TCP 7000'] }, HEADLESS);
check('a single pod by its name', { opens: ['data/db → data/db TCP 7000', 'shop/client → data/db TCP 5432'] }, client({ DB: 'db-0.db.data.svc:5432' }), HEADLESS);
check('a pod that the StatefulSet does not have', { opens: ['data/db → data/db TCP 7000'], codes: ['witness-without-target'] }, client({ DB_ADDR: 'db-7.db.data.svc:5432' }), HEADLESS);
check('a Service that stands for a name outside', { opens: ['shop/client → pg.example.org TCP 5432'], codes: ['needs-decision'] }, client({ DB_ADDR: 'pg:5432' }), '---\napiVersion: v1\nkind: Service\nmetadata: { name: pg, namespace: shop }\nspec: { type: ExternalName, externalName: pg.example.org }\n');
check('an address outside is opened exactly', { opens: ['shop/client → 192.0.2.7 TCP 5432'], codes: [] }, client({ DB_ADDR: '192.0.2.7:5432' }));
check('a Service that leads to addresses', { opens: ['shop/client → 192.0.2.9 TCP 5433'], codes: [] }, client({ DB_ADDR: 'pg:5432' }), '---\napiVersion: v1\nkind: Service\nmetadata: { name: pg, namespace: shop }\nspec: { ports: [{ port: 5432, targetPort: 5433 }] }\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: pg-1, namespace: shop, labels: { kubernetes.io/service-name: pg } }\naddressType: IPv4\nendpoints: [{ addresses: [192.0.2.9] }]\nports: [{ name: "", port: 5433 }]\n');
check('the port of the product among several', { opens: ['shop/client → shop/mq TCP 5672'], codes: [] }, client({ RABBITMQ_HOST: 'mq' }), pod('mq', { app: 'mq' }), '---\napiVersion: v1\nkind: Service\nmetadata: { name: mq, namespace: shop }\nspec: { selector: { app: mq }, ports: [{ name: amqp, port: 5672 }, { name: ui, port: 15672 }] }\n');
check('the port of the product that the host is called after', { opens: ['shop/client → shop/mysql TCP 3306'], codes: [] }, client({ DB_HOST: 'mysql' }), pod('mysql', { app: 'mysql' }), '---\napiVersion: v1\nkind: Service\nmetadata: { name: mysql, namespace: shop }\nspec: { selector: { app: mysql }, ports: [{ name: x, port: 33060 }, { name: sql, port: 3306 }] }\n');
check('members of a cluster use another port than clients', { opens: [], codes: ['witness-without-port', 'nothing-seen'] }, client({ CASSANDRA_SEEDS: 'cass.shop.svc' }), pod('cass', { app: 'cass' }), '---\napiVersion: v1\nkind: Service\nmetadata: { name: cass, namespace: shop }\nspec: { selector: { app: cass }, ports: [{ name: cql, port: 9042 }, { name: intra, port: 7000 }] }\n');
check('a text that only looks like a host and a port of it', { opens: [], codes: ['nothing-seen'] }, WEB, client({ VERSION: 'web:7' }));
check('UDP where the scheme says so', { opens: ['shop/client → shop/stats UDP 8125'], codes: [] }, client({ STATSD_URL: 'statsd://stats:8125' }), pod('stats', { app: 'stats' }), '---\napiVersion: v1\nkind: Service\nmetadata: { name: stats, namespace: shop }\nspec: { selector: { app: stats }, ports: [{ protocol: UDP, port: 8125 }] }\n');
check('a variable of the container in another one', { opens: ['shop/client → shop/web TCP 8080'] }, WEB, client({ WEB_HOST: 'web', URL: 'http://$(WEB_HOST)/', OTHER_URL: 'http://${NOBODY:web}:80' }));

// What names a Service and means no connection.
for (const [key, value] of Object.entries({ OTEL_SERVICE_NAME: 'web', POSTGRES_USER: 'web', NO_PROXY: 'web:80', LISTEN_ADDR: 'web:80', ADVERTISED_LISTENERS: 'PLAINTEXT://web:80', ALLOWED_ORIGINS: 'http://web', IMAGE: 'web:80', WEB_PASSWORD: 'web:80', BIND_URL: 'http://0.0.0.0:80', LOCAL_URL: 'http://localhost:80' })) {
  check(`${key}=${value} opens nothing`, { opens: [], codes: ['nothing-seen'] }, WEB, client({ [key]: value }));
}

test('no value of a Secret, and no password of an address, stands in an answer', () => {
  const recommendation = recommendFor({
    'app.yaml': `${WEB}${client({ WEB_URL: 'http://admin:hunter2@web/', DSN: 'root:hunter3@tcp(web:80)/x' })}---\napiVersion: v1\nkind: Secret\nmetadata: { name: s, namespace: shop }\nstringData: { url: "http://admin:hunter4@web/" }\ndata: { more: aHVudGVyNQ== }\n`,
  });
  const text = `${[...recommendationYaml(recommendation)].join('')}${recommendationJson(recommendation, { textFindings: [], difference: undefined, openness: undefined })}`;
  assert.equal(opened(recommendation.connections).length, 1);
  assert.doesNotMatch(text, /hunter|aHVudGVyNQ/);
});

test('cluster-wide policies are not overruled: what they refuse is said', () => {
  const recommendation = recommendFor({
    'app.yaml': `${WEB}${client({ WEB_URL: 'http://web/' })}---\napiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: { name: wall }\nspec:\n  tier: Admin\n  priority: 1\n  subject: { namespaces: {} }\n  ingress: [{ action: Deny, from: [{ namespaces: {} }] }]\n`,
  });
  assert.deepEqual(recommendation.proof.refused.map(({ connection }) => connection.target.kind), ['subject']);
  assert.ok(codesOf(recommendation).includes('witness-refused'));
});

test('a namespace of the cluster itself gets no policy', () => {
  const { drafts } = recommendFor({ 'app.yaml': `${WEB}---\napiVersion: v1\nkind: Pod\nmetadata: { name: dns, namespace: kube-system, labels: { k8s-app: kube-dns } }\nspec: { containers: [{ name: c, image: x }] }\n` });
  assert.deepEqual([...new Set(drafts.map(({ policy }) => (policy.kind === 'NetworkPolicy' ? policy.namespace : '')))], ['shop']);
});

test('names of policies are distinct, whatever the workloads are called', () => {
  const named = (kind: string, name: string): string => `---\n${JSON.stringify({ apiVersion: 'apps/v1', kind, metadata: { name, namespace: 'shop' }, spec: { selector: { matchLabels: { app: `${kind}-${name}` } }, template: { metadata: { labels: { app: `${kind}-${name}` } }, spec: { containers: [{ name: 'c', image: 'x' }] } } } })}\n`;
  const { drafts } = recommendFor({ 'app.yaml': [named('Deployment', 'web'), named('StatefulSet', 'web'), named('Deployment', 'web-deployment'), named('Deployment', 'default-deny')].join('') });
  assert.deepEqual(drafts.map(({ policy }) => policy.name), ['default-deny', 'default-deny-deployment', 'web-deployment', 'web-deployment-2', 'web-statefulset']);
});

test('labels that some workloads share in parts tell them apart by what each lacks', () => {
  const { drafts } = recommendFor({ 'app.yaml': [pod('a', { app: 'x' }), pod('b', { app: 'x' }), pod('c', { team: 'x' }), pod('d', { team: 'x' }), pod('both', { app: 'x', team: 'x' }), pod('bare', {})].join('') });
  const selectors = drafts.flatMap(({ policy }) => (policy.kind === 'NetworkPolicy' && policy.name !== 'default-deny' ? [`${policy.name}: ${policy.podSelector.requirements.map(({ kind, key }) => `${kind} ${key}`).join()}`] : []));
  assert.deepEqual(selectors, ['a: In app,DoesNotExist team', 'both: In app,In team', 'c: In team,DoesNotExist app']);
});

test('no policy is written whose selector takes in a workload without a lasting label', () => {
  const replica = (name: string, labels: Readonly<Record<string, string>>): string => `---\n${JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', labels, ownerReferences: [{ apiVersion: 'example.org/v1', kind: 'Gang', name: 'gang', controller: true, uid: 'u' }] }, spec: { containers: [{ name: 'c', image: 'x' }] } })}\n`;
  const recommendation = recommendFor({ 'app.yaml': [pod('web', { app: 'web' }), replica('gang-1', { app: 'web' }), replica('gang-2', { app: 'other' })].join('') });
  assert.deepEqual(recommendation.drafts.map(({ policy }) => policy.name), ['default-deny']);
  assert.deepEqual(recommendation.findings.filter(({ code }) => code === 'not-selectable').map(({ object }) => object?.name), ['web', 'gang']);
});
