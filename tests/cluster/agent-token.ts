// A token as the kubelet gives the agent's pod on a node: bound to the pod, and so naming the node.
import type { ApiServer } from './api-server.ts';

/** The shipped manifests and the Node are there. */
export function agentToken({ kubectl }: ApiServer, node: string): string {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: `agent-${node}`, namespace: 'bulkhead-system' }, spec: { nodeName: node, serviceAccountName: 'bulkhead-agent', hostNetwork: true, containers: [{ name: 'agent', image: 'bulkhead' }] } };
  kubectl(['apply', '-f', '-'], JSON.stringify(pod));
  return kubectl(['create', 'token', 'bulkhead-agent', '-n', 'bulkhead-system', '--bound-object-kind=Pod', `--bound-object-name=agent-${node}`]).trim();
}
