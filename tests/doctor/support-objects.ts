// Objects of clusters as engines leave them there, by the names, labels, arguments and ConfigMaps that their manifests document.
import type { ServedKind, WantedObject } from '../../src/kube/cluster-api.ts';

export interface NodeOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly kubelet?: string;
  readonly kernel?: string;
  readonly os?: string;
  readonly providerID?: string;
}

export function node(name: string, { labels = {}, annotations = {}, kubelet = 'v1.34.1', kernel = '6.8.0-1021', os = 'linux', providerID }: NodeOptions = {}): WantedObject {
  const nodeInfo = { machineID: 'm', systemUUID: 's', bootID: 'b', kernelVersion: kernel, osImage: 'an image', containerRuntimeVersion: 'containerd://2.1', kubeletVersion: kubelet, kubeProxyVersion: kubelet, operatingSystem: os, architecture: 'amd64' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/os': os, ...labels }, annotations },
    spec: providerID === undefined ? {} : { providerID },
    status: { nodeInfo, conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: '', lastHeartbeatTime: null, lastTransitionTime: null }] },
  };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Agent {
  readonly daemonSet: string;
  readonly containers: readonly Container[];
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Nodes with a pod of it. */
  readonly nodes: readonly string[];
  readonly notReady?: readonly string[];
  /** Nodes whose pod is still of another template. */
  readonly old?: { readonly nodes: readonly string[]; readonly containers: readonly Container[] };
}

/** A DaemonSet and its pods. */
export function agent({ daemonSet: name, containers, namespace = 'kube-system', labels = { 'k8s-app': name }, nodes, notReady = [], old }: Agent): readonly WantedObject[] {
  const specOf = (list: readonly Container[]): object => ({
    containers: list.map(({ name: container, image, args = [], env = {} }) => ({ name: container, image, args, env: Object.entries(env).map(([key, value]) => ({ name: key, value })) })),
  });
  const daemonSet: WantedObject = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace, labels },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: specOf(containers) } },
    status: { desiredNumberScheduled: nodes.length, currentNumberScheduled: nodes.length, numberReady: nodes.length - notReady.length, numberMisscheduled: 0 },
  };
  return [daemonSet, ...nodes.map((on): WantedObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${name}-${on}`, namespace, labels, ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name, uid: 'u', controller: true }] },
    spec: { nodeName: on, ...specOf(old?.nodes.includes(on) === true ? old.containers : containers) },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: notReady.includes(on) ? 'False' : 'True' }] },
  }))];
}

export function configMap(name: string, data: Readonly<Record<string, string>>, namespace = 'kube-system'): WantedObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

/** A kind of an engine, and one object of it where a spec is given. */
export interface Custom {
  readonly kind: ServedKind;
  readonly objects: readonly WantedObject[];
}

export function custom(apiVersion: string, kind: string, objects: Readonly<Record<string, object>> = {}): Custom {
  const resource = `${kind.toLowerCase()}${kind.endsWith('s') ? 'es' : 's'}`;
  return { kind: { apiVersion, kind, resource, isNamespaced: false }, objects: Object.entries(objects).map(([name, spec]) => ({ apiVersion, kind, metadata: { name }, spec })) };
}

export function policy(name = 'deny', namespace = 'default'): WantedObject {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec: { podSelector: {}, policyTypes: ['Ingress'] } };
}
