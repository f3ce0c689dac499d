// What a reading has found so far, before it is put together into a cluster.
import type { ObjectName } from '../../base/finding.ts';
import type { ClusterPolicy } from '../../model/cluster-policy.ts';
import type { ClusterNode, Pod, Policy, Service } from '../../model/cluster.ts';
import type { EndpointSlice } from '../../model/endpoint-slice.ts';
import type { Ingress, IngressClass } from '../../model/ingress.ts';
import type { Origin } from '../../model/origin.ts';
import type { Labels } from '../../model/selector.ts';
import { createFindingList, type FindingList } from '../values/finding-list.ts';
import { createLabelCache, type LabelCache } from '../values/read-labels.ts';
import type { ReadSettings } from '../values/read-settings.ts';
import type { TextDocument } from '../text/text-document.ts';
import type { WrittenObject } from '../values/written-object.ts';

/** Grows from object to object. */
export interface Gathering {
  readonly settings: ReadSettings;
  readonly findings: FindingList;
  readonly labels: LabelCache;
  readonly objects: Map<string, KnownObject>;
  readonly namespaces: Map<string, { readonly labels: Labels; readonly origin: Origin }>;
  /** Namespaces that some object stands in. */
  readonly mentionedNamespaces: Set<string>;
  readonly workloads: WorkloadTemplate[];
  readonly livePods: LivePod[];
  readonly services: Service[];
  readonly endpointSlices: ReadSlices[];
  /** Endpoints, by `namespace/name`. */
  readonly endpoints: Map<string, ReadSlices>;
  readonly ingresses: Ingress[];
  readonly ingressClasses: IngressClass[];
  readonly nodes: ClusterNode[];
  readonly policies: Policy[];
  readonly clusterPolicies: ClusterPolicy[];
  readonly unread: Map<string, UnreadKind>;
  /** undefined: nobody asked for them. */
  readonly written: WrittenObject[] | undefined;
  /** Workloads of the base whose pods the files change, as keys of `objects`. */
  readonly changedWorkloads: Set<string>;
  /** What is being read is what the files are applied onto. */
  isInBase: boolean;
  objectCount: number;
  /** Whether an object says in which namespace it stands. */
  namesNamespaces: boolean;
  /** Length of the texts that large lists leave behind, in UTF-16 units. */
  keptText: number;
}

export interface KnownObject {
  readonly object: ObjectName;
  readonly origin: Origin;
  readonly model: unknown;
  readonly isInBase: boolean;
}

export interface UnreadKind {
  count: number;
  readonly apiVersion: string;
  readonly kind: string;
  readonly document: TextDocument;
  readonly origin: Origin;
  /** The first of each namespace. */
  readonly names: Map<string, string>;
}

/** An object that names another as its controller. */
export interface OwnerReference {
  readonly kind: string;
  readonly name: string;
}

/** A controller in a file, with the pods that it stands for. */
export interface WorkloadTemplate {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly owner: OwnerReference | undefined;
  readonly pods: readonly Pod[];
}

/** A pod that was read itself. */
export interface LivePod {
  readonly pod: Pod;
  readonly owner: OwnerReference | undefined;
  /** Succeeded or Failed: it is not there, but it shows whose pods have been read. */
  readonly isFinished: boolean;
}

/** What one object says: a slice itself, or one for each subset of Endpoints. */
export interface ReadSlices {
  readonly slices: readonly EndpointSlice[];
  /** Made by the control plane out of the Endpoints of the Service. */
  readonly isMirror: boolean;
}

export function createGathering(settings: ReadSettings): Gathering {
  return {
    settings,
    findings: createFindingList(),
    labels: createLabelCache(),
    objects: new Map(),
    namespaces: new Map(),
    mentionedNamespaces: new Set(),
    workloads: [],
    livePods: [],
    services: [],
    endpointSlices: [],
    endpoints: new Map(),
    ingresses: [],
    ingressClasses: [],
    nodes: [],
    policies: [],
    clusterPolicies: [],
    unread: new Map(),
    written: settings.keepsWritten === false ? undefined : [],
    changedWorkloads: new Set(),
    isInBase: false,
    objectCount: 0,
    namesNamespaces: false,
    keptText: 0,
  };
}
