// The recent flows of agents as they are asked for through the API server: lines of one node, or what came there since.
import type { ClusterApi, ServedKind } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import type { PodAsking, PodPlace } from '../kube/pod-hands.ts';

const PODS: ServedKind = { apiVersion: 'v1', kind: 'Pod', resource: 'pods', isNamespaced: true };
/** Where the manifests put the agents, and how they label them. */
const NAMESPACE = 'bulkhead-system';
const SELECTOR = 'app.kubernetes.io/name=bulkhead,app.kubernetes.io/component=agent';
const STATUS_PORT = 9641;
/** Longer than an agent lets somebody wait who follows. */
const ASK_MS_MAX = 20_000;

export interface AgentPod extends PodPlace {
  readonly node: string;
}

export interface AgentFlows {
  /** Of JSON, as `readFlow` takes them. */
  readonly lines: readonly string[];
  /** For `after`: then it answers with what came since, and waits for it. */
  readonly next: number;
}

/** Of each node that runs one, by the names of the nodes. Fails with ClusterError. */
export async function findAgents(api: Pick<ClusterApi, 'listWhole'>): Promise<readonly AgentPod[]> {
  const found: AgentPod[] = [];
  for await (const event of api.listWhole(PODS, { namespace: NAMESPACE, labelSelector: SELECTOR })) {
    if (event.kind === 'restart') found.length = 0;
    else {
      const { metadata: { name }, spec, status } = event.object as { readonly metadata: { readonly name: string }; readonly spec?: { readonly nodeName?: string }; readonly status?: { readonly phase?: string } }; // core/v1
      if (spec?.nodeName !== undefined && status?.phase === 'Running') found.push({ namespace: NAMESPACE, pod: name, node: spec.nodeName });
    }
  }
  return found.sort((a, b) => (a.node < b.node ? -1 : 1));
}

/** `after` undefined: all that it knows, folded. Fails with ClusterError. */
export async function readAgentFlows(hands: PodAsking, { namespace, pod }: PodPlace, { after, signal }: { readonly after?: number | undefined; readonly signal?: AbortSignal } = {}): Promise<AgentFlows> {
  const path = after === undefined ? '/flows' : `/flows?after=${after}`;
  const text = await hands.ask({ namespace, pod, port: STATUS_PORT, path, timeoutMs: ASK_MS_MAX, ...(signal === undefined ? {} : { signal }) });
  return readFlowsPage(text);
}

/** What `/flows` answers. Throws ClusterError for anything else. */
export function readFlowsPage(text: string): AgentFlows {
  const lines = text.trimEnd().split('\n');
  const next = /^\{"flows_cursor":\{"next":([0-9]{1,15})\}\}$/.exec(lines.pop() ?? '')?.[1];
  if (next === undefined) throw new ClusterError('malformed', 'an agent does not say how far its flows went');
  return { lines, next: Number(next) };
}
