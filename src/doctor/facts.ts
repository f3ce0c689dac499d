// The facts of a cluster that tell what enforces its policies: read once, free of secrets, and kept in snapshots as they are.

export interface ClusterFacts {
  /** ISO 8601, UTC. */
  readonly takenAt: string;
  readonly nodes: readonly NodeFacts[];
  /** DaemonSets of engines that are known. */
  readonly daemonSets: readonly DaemonSetFacts[];
  readonly pods: readonly AgentPodFacts[];
  /** Only those that the knowledge names. */
  readonly deployments: readonly { readonly namespace: string; readonly name: string; readonly containers: readonly ContainerFacts[] }[];
  readonly configMaps: readonly { readonly namespace: string; readonly name: string; readonly values: TextMap }[];
  /** Of single objects, the fields that the knowledge names, by path. */
  readonly objects: readonly { readonly kind: string; readonly name: string; readonly values: TextMap }[];
  /** Of kinds of engines, by `resource.group`: how many there are. A kind that is missing is not served. */
  readonly served: Readonly<Record<string, 'some' | 'empty'>>;
  /** What agents of this program report, by node. */
  readonly reports: Readonly<Record<string, AgentReport>>;
  /** Policies in the cluster, by kind. */
  readonly policies: Readonly<Record<string, number>>;
  /** Policies that are to stand for a while only (`apply --for`), and until when, as ISO 8601. */
  readonly temporary: readonly { readonly kind: string; readonly namespace: string; readonly name: string; readonly expires: string }[];
  /** What the user may not read, as `kubectl` names it. */
  readonly unread: readonly Unread[];
}

export type TextMap = Readonly<Record<string, string>>;

export interface NodeFacts {
  readonly name: string;
  /** Only those that the knowledge names. */
  readonly labels: TextMap;
  readonly annotations: TextMap;
  readonly os: string;
  readonly kernelVersion: string;
  readonly kubeletVersion: string;
  readonly providerId: string;
  readonly isReady: boolean;
  readonly isSchedulable: boolean;
}

export interface ContainerFacts {
  readonly name: string;
  readonly image: string;
  /** Flags and variables that the knowledge names, with their values; a variable from elsewhere has none. */
  readonly arguments: TextMap;
  readonly env: TextMap;
}

export interface DaemonSetFacts {
  readonly namespace: string;
  readonly name: string;
  readonly containers: readonly ContainerFacts[];
  /** Pods that it wants, and that are ready. */
  readonly desired: number;
  readonly ready: number;
}

export interface AgentPodFacts {
  readonly namespace: string;
  readonly name: string;
  readonly daemonSet: string;
  readonly node: string;
  readonly isReady: boolean;
  readonly containers: readonly ContainerFacts[];
}

export interface AgentReport {
  readonly standing: 'ready' | 'not-ready' | 'silent';
  readonly isEnforcing: boolean;
  readonly version: string;
  readonly troubles: readonly string[];
  /** Namespaces whose policies it judges and does not enforce. */
  readonly audits: readonly string[];
}

/** `name` where it is one object; `why` in the server's words. */
export interface Unread {
  readonly verb: 'get' | 'list';
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly why: string;
}
