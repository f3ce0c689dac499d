// Ingress controllers: how each is named by a class, and from where its traffic reaches the pods.
import type { Pod } from '../model/cluster.ts';
import type { Ingress, IngressClass } from '../model/ingress.ts';

export interface IngressController {
  readonly name: string;
  /** Beginnings of `spec.controller` of its IngressClasses. */
  readonly controllers: readonly string[];
  /** Names that its classes usually have, for manifests without the IngressClass. */
  readonly classNames: readonly string[];
  /** Any of them marks its pods; without, no pod of the cluster sends its traffic. */
  readonly podLabels: readonly (readonly (readonly [key: string, value: string])[])[];
  /** Where its traffic comes from when it has no pods. */
  readonly outside?: string;
}

// From each project's chart or manifests, and from the providers' pages, 2026-08.
export const INGRESS_CONTROLLERS: readonly IngressController[] = [
  {
    name: 'ingress-nginx',
    controllers: ['k8s.io/ingress-nginx', 'webapprouting.kubernetes.azure.com/nginx'],
    classNames: ['nginx', 'public', 'webapprouting.kubernetes.azure.com'],
    podLabels: [
      [['app.kubernetes.io/name', 'ingress-nginx'], ['app.kubernetes.io/component', 'controller']],
      [['app.kubernetes.io/name', 'rke2-ingress-nginx']],
      [['name', 'nginx-ingress-microk8s']],
      [['app.kubernetes.io/component', 'ingress-controller'], ['app.kubernetes.io/managed-by', 'aks-app-routing-operator']],
    ],
  },
  {
    name: 'the NGINX ingress controller of F5',
    controllers: ['nginx.org/ingress-controller'],
    classNames: ['nginx'],
    podLabels: [[['app.kubernetes.io/name', 'nginx-ingress']], [['app', 'nginx-ingress']]],
  },
  { name: 'Traefik', controllers: ['traefik.io/ingress-controller'], classNames: ['traefik'], podLabels: [[['app.kubernetes.io/name', 'traefik']], [['app', 'traefik']]] },
  {
    name: 'HAProxy',
    controllers: ['haproxy.org/ingress-controller', 'haproxy-ingress.github.io/controller'],
    classNames: ['haproxy'],
    podLabels: [[['app.kubernetes.io/name', 'kubernetes-ingress']], [['app.kubernetes.io/name', 'haproxy-ingress']], [['run', 'haproxy-ingress']]],
  },
  {
    name: 'the OpenShift router',
    controllers: ['openshift.io/ingress-to-route'],
    classNames: ['openshift-default'],
    podLabels: [[['ingresscontroller.operator.openshift.io/deployment-ingresscontroller', 'default']]],
  },
  {
    // The controller configures Envoy pods, which carry the traffic.
    name: 'Contour',
    controllers: ['projectcontour.io/'],
    classNames: ['contour'],
    podLabels: [[['app.kubernetes.io/name', 'contour'], ['app.kubernetes.io/component', 'envoy']], [['app', 'envoy']]],
  },
  {
    name: 'Kong',
    controllers: ['ingress-controllers.konghq.com/'],
    classNames: ['kong'],
    podLabels: [[['app.kubernetes.io/name', 'kong']], [['app.kubernetes.io/name', 'gateway'], ['app.kubernetes.io/component', 'app']], [['app', 'ingress-kong']], [['app', 'proxy-kong']]],
  },
  {
    name: 'the Istio ingress gateway',
    controllers: ['istio.io/ingress-controller'],
    classNames: ['istio'],
    podLabels: [[['istio', 'ingressgateway']], [['istio', 'ingress']], [['app', 'istio-ingressgateway']]],
  },
  { name: 'the AWS Load Balancer Controller', controllers: ['ingress.k8s.aws/alb', 'eks.amazonaws.com/alb'], classNames: ['alb'], podLabels: [], outside: 'the load balancer of AWS, with an address of the VPC' },
  { name: 'GKE Ingress', controllers: ['k8s.io/ingress-gce'], classNames: ['gce', 'gce-internal'], podLabels: [], outside: 'the load balancer of Google, from 130.211.0.0/22 and 35.191.0.0/16 or the proxy-only subnet' },
  {
    name: 'the Application Gateway of Azure',
    controllers: ['azure/application-gateway'],
    classNames: ['azure-application-gateway', 'azure/application-gateway'],
    podLabels: [],
    outside: 'the gateway of Azure, with an address of its subnet',
  },
  { name: 'Cilium Ingress', controllers: ['cilium.io/ingress-controller'], classNames: ['cilium'], podLabels: [], outside: 'the Envoy on each node, with an address that Cilium sets aside' },
];

/** The controllers that may serve an Ingress; empty: its class is none that is known here. */
export function controllersOf(ingress: Ingress, classes: readonly IngressClass[]): readonly IngressController[] {
  const { className } = ingress;
  const ownClass = className === undefined ? classes.find(({ isDefault }) => isDefault) : classes.find(({ name }) => name === className);
  if (ownClass !== undefined) return INGRESS_CONTROLLERS.filter(({ controllers }) => controllers.some((start) => ownClass.controller.startsWith(start)));
  if (className === undefined) return INGRESS_CONTROLLERS.filter(({ podLabels }) => podLabels.length > 0);
  return INGRESS_CONTROLLERS.filter(({ classNames }) => classNames.includes(className));
}

export function isControllerPod(pod: Pod, { podLabels }: IngressController): boolean {
  return podLabels.some((labels) => labels.every(([key, value]) => pod.labels.get(key) === value));
}
