// A token as the kubelet gives a pod of ours on a node: bound to the pod, and so naming the node.
import type { ApiServer } from './api-server.ts';

/** The shipped manifests and the Node are there. */
export function agentToken({ kubectl }: ApiServer, node: string, account: 'bulkhead-agent' | 'bulkhead-prober' = 'bulkhead-agent', audience?: string): string {
  const name = `${account}-${node}`;
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'bulkhead-system' }, spec: { nodeName: node, serviceAccountName: account, hostNetwork: true, containers: [{ name: 'agent', image: 'bulkhead' }] } };
  kubectl(['apply', '-f', '-'], JSON.stringify(pod));
  return kubectl(['create', 'token', account, '-n', 'bulkhead-system', '--bound-object-kind=Pod', `--bound-object-name=${name}`, ...(audience === undefined ? [] : [`--audience=${audience}`])]).trim();
}
