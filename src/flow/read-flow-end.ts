// One end of a flow as Hubble writes it: identity labels, names and an address become a pod, a node or a host outside.
import { parseIpAddress } from '../base/ip-address.ts';
import type { Workload } from '../model/cluster.ts';
import { checkDnsLabel, checkSubdomain } from '../model/names.ts';
import type { FlowEnd, PodEnd } from './flow-record.ts';
import { itemsAt, looseObject, objectAt, textAt, textsAt, type LooseObject } from './loose-json.ts';

/** Cilium, "Label sources": labels of the pod and, below a prefix, of its namespace. */
const POD_SOURCE = 'k8s:';
export const NAMESPACE_PREFIX = 'io.cilium.k8s.namespace.labels.';
const POD_NAMESPACE = `${POD_SOURCE}io.kubernetes.pod.namespace=`;
/** Those that Cilium adds to what the pod has. */
const ADDED = /^io\.cilium\.k8s\.policy\.|^io\.kubernetes\.pod\.namespace$/;
export const NAME_LABEL = 'kubernetes.io/metadata.name';
const NAMESPACE_NAME_LENGTH = NAMESPACE_PREFIX.length + NAME_LABEL.length;
export const HOST_LABEL = 'reserved:host';
export const NODE_LABEL = 'reserved:remote-node';

/** `side` is `source` or `destination`. undefined: neither a pod's names nor an address are there. */
export function readFlowEnd(flow: LooseObject, side: 'source' | 'destination'): FlowEnd | undefined {
  const own = objectAt(flow, side);
  const address = parseIpAddress(textAt(objectAt(flow, 'IP'), side) ?? '');
  const labels = textsAt(own, 'labels');
  const isNode = labels.includes(HOST_LABEL) || labels.includes(NODE_LABEL);
  const pod = isNode ? undefined : readPod(own, labels);
  if (pod !== undefined) return { ...pod, address };
  if (address === undefined) return undefined;
  return { kind: 'outside', address, names: textsAt(flow, `${side}_names`), node: isNode ? textAt(own, 'node_name') : undefined, isOwnNode: labels.includes(HOST_LABEL) };
}

function readPod(own: LooseObject | undefined, texts: readonly string[]): Omit<PodEnd, 'address'> | undefined {
  const namespace = textAt(own, 'namespace') ?? namespaceOfIdentity(texts);
  if (namespace === undefined) return undefined;
  const [pod, node] = [textAt(own, 'pod_name'), textAt(own, 'node_name')];
  const told = readWorkload(own, namespace);
  const workload = told ?? { kind: 'Pod', namespace, name: pod ?? 'unknown' };
  const [labels, namespaceLabels] = [new Map<string, string>(), new Map<string, string>()];
  for (const [key, value] of readLabels(texts)) {
    if (!key.startsWith(NAMESPACE_PREFIX)) {
      if (!ADDED.test(key)) labels.set(key, value);
    } else if (key.length !== NAMESPACE_NAME_LENGTH || !key.endsWith(NAME_LABEL)) namespaceLabels.set(key.slice(NAMESPACE_PREFIX.length), value);
  }
  return { kind: 'pod', namespace, workload, pod, labels, namespaceLabels, ...(told === undefined ? { isUntold: true } : {}), ...(node === undefined ? {} : { node }) };
}

/** Of an address that Cilium knows no pod for, such as a node's of which its DNS proxy asks for a pod, the labels still are the pod's. */
function namespaceOfIdentity(texts: readonly string[]): string | undefined {
  return texts.find((text) => text.startsWith(POD_NAMESPACE))?.slice(POD_NAMESPACE.length);
}

/** Sorted by key; of one that comes twice the last counts. */
function readLabels(texts: readonly string[]): readonly (readonly [key: string, value: string])[] {
  const found = texts.filter((text) => text.startsWith(POD_SOURCE)).map((text): [string, string] => {
    const at = text.indexOf('=', POD_SOURCE.length);
    return at < 0 ? [text.slice(POD_SOURCE.length), ''] : [text.slice(POD_SOURCE.length, at), text.slice(at + 1)];
  });
  return found.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The first is the topmost. A template that no controller made anything of has no kind. */
function readWorkload(own: LooseObject | undefined, namespace: string): Workload | undefined {
  const first = looseObject(itemsAt(own, 'workloads')[0]);
  const [kind, name] = [textAt(first, 'kind'), textAt(first, 'name')];
  return kind === undefined || name === undefined ? undefined : { kind, namespace, name };
}

/** What is wrong with a name of it, which becomes part of policies and of files: a line may come from anybody. undefined: nothing. */
export function endFault(end: FlowEnd): string | undefined {
  if (end.kind === 'outside') return undefined;
  const { namespace, workload, pod } = end;
  const said = (what: string, name: string, wrong: string | undefined): string | undefined => (wrong === undefined ? undefined : `the ${what} \`${name}\` ${wrong}`);
  return said('namespace', namespace, checkDnsLabel(namespace)) ?? said('workload', workload.name, checkSubdomain(workload.name)) ?? (pod === undefined ? undefined : said('pod', pod, checkSubdomain(pod)));
}
