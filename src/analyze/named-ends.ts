// What a word for an end of a connection stands for: pods and addresses, gathered into ends that policies treat alike.
import type { IpAddress, IpFamily, IpRange } from '../base/ip-address.ts';
import type { PortSet } from '../base/port-set.ts';
import type { Program } from '../compile/program.ts';
import type { Pod, ServicePort } from '../model/cluster.ts';
import { quadKey, quadOf, type EndpointRef } from './endpoint.ts';

/** What a word stands for. */
export interface NamedEnds {
  /** One end for each way in which policies treat what the word names. */
  readonly ends: readonly NamedEnd[];
  /** The pods behind the word; empty for addresses. */
  readonly pods: readonly Pod[];
  /** The addresses behind the word that no pod has; empty for pods. */
  readonly ranges: readonly IpRange[];
}

export interface NamedEnd {
  readonly label: string;
  readonly ref: EndpointRef;
  /** All pods of the word that are treated so, as indices of `cluster.pods`; empty for addresses. */
  readonly pods: readonly number[];
  /** Those that the word itself names: a Service its target ports on these pods, a URL its port. */
  readonly ports?: PortSet;
  /** Of the addresses that the word names these pods by; nothing else is asked about. */
  readonly family?: IpFamily;
  /** A Service's address leads here, to the pod that asks as well. */
  readonly isBehindService?: boolean;
  /** What the ports of that address lead to on these pods; missing where the word does not say them. */
  readonly translated?: readonly TranslatedPort[];
  /** That address, in each family that it has. */
  readonly serviceAddresses?: readonly IpAddress[];
}

/** A port of a Service's address, and the ports of pods behind it. */
export interface TranslatedPort extends Pick<ServicePort, 'name' | 'port' | 'protocol'> {
  readonly leadsTo: PortSet;
}

export interface WordContext {
  /** Indices of pods that no word stands for: those that a lab added. */
  readonly hiddenPods?: readonly number[];
  /** Where a Service named without its namespace is looked for, as a pod's resolver does. */
  readonly namespace?: string;
}

/** The same without some pods; ends of none are gone. */
export function withoutPods(named: NamedEnds, hiddenPods: readonly number[], { cluster }: Program): NamedEnds {
  const isShown = (pod: number): boolean => !hiddenPods.includes(pod);
  const ends = named.ends.flatMap((end): NamedEnd[] => {
    if (end.pods.every(isShown)) return [end];
    const pods = end.pods.filter(isShown);
    const [first] = pods;
    return first === undefined ? [] : [{ ...end, label: podName(cluster.pods[first]!), ref: { kind: 'pod', pod: first }, pods }];
  });
  return { ...named, ends, pods: ends.flatMap(({ pods }) => pods.map((pod) => cluster.pods[pod]!)) };
}

/** A pod's resolver completes a short name with the pod's own namespace. */
export function contextOf(sources: readonly Pod[], context: WordContext = {}): WordContext {
  const [first, ...others] = new Set(sources.map(({ namespace }) => namespace));
  return first === undefined || others.length > 0 ? context : { ...context, namespace: first };
}

/** Pods as ends; `indices` are of `cluster.pods`. */
export function podEnds(program: Program, indices: readonly number[]): NamedEnds {
  const { pods } = program.cluster;
  const keyOf = alikeKey(program);
  const ends = [...Map.groupBy(indices, keyOf).values()].map((members): NamedEnd => {
    const first = members[0]!;
    return { label: podName(pods[first]!), ref: { kind: 'pod', pod: first }, pods: members };
  });
  return { ends, pods: indices.map((index) => pods[index]!), ranges: [] };
}

export function podName({ namespace, name }: Pod): string {
  return `${namespace}/${name}`;
}

/**
 * Equal texts: pods of which every question about others has the same answer. Nodes tell pods apart only where
 * something runs on the host network of one.
 */
export function alikeKey(program: Program): (pod: number) => string {
  const { pods } = program.cluster;
  const hosts = new Set(pods.filter(({ hostNetwork }) => hostNetwork).map(({ nodeName }) => nodeName));
  const groupKeys = new Map<number, string>();
  return (pod) => {
    const group = program.groupOfPod[pod]!;
    let key = groupKeys.get(group);
    if (key === undefined) groupKeys.set(group, (key = quadKey(quadOf(program, { kind: 'pod', pod }))));
    const { nodeName, hostNetwork } = pods[pod]!;
    return nodeName === undefined || !hosts.has(nodeName) ? `${key} ${hostNetwork}` : `${key} ${hostNetwork} ${nodeName}`;
  };
}
