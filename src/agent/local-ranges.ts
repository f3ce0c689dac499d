// Whether the ranges that a Node names are really where its pods get their addresses: only then may an unknown address in them be closed.
import { formatIpAddress, type IpAddress, type IpRange } from '../base/ip-address.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import type { ClusterChange } from '../compile/cluster-change.ts';

/** Some engines hand out addresses of their own and leave `podCIDR` as it is: then pods of other nodes stand in it, or none of this one. */
export class LocalRanges {
  private readonly node: string;
  private named: readonly IpRange[] = [];
  private isThere = false;
  /** Pods of other nodes inside the ranges, by name. */
  private readonly intruders = new Map<string, IpAddress>();

  constructor(node: string) {
    this.node = node;
  }

  begin(cluster: Cluster): void {
    const own = cluster.nodes.find(({ name }) => name === this.node);
    this.isThere = own !== undefined;
    this.named = own?.podRanges ?? [];
    this.intruders.clear();
    for (const pod of cluster.pods) this.putPod(pod);
  }

  /** `cluster` is as it is after the change. */
  take(change: ClusterChange, cluster: Cluster): void {
    if (change.kind === 'put-pod') this.putPod(change.pod);
    if (change.kind === 'remove-pod') this.intruders.delete(keyOf(change.pod));
    const isOwnNode = (change.kind === 'put-node' && change.node.name === this.node) || (change.kind === 'remove-node' && change.name === this.node);
    if (isOwnNode) this.begin(cluster);
  }

  /** Whether the cluster has the node at all. */
  get isNodeThere(): boolean {
    return this.isThere;
  }

  /** Empty where nobody can know them. */
  get ranges(): readonly IpRange[] {
    return this.intruders.size > 0 ? [] : this.named;
  }

  /** Why a new pod is not closed before its address is known; undefined: it is. */
  get problem(): string | undefined {
    const [intruder] = this.intruders;
    if (intruder !== undefined) return `the pod ${intruder[0]} of another node has the address ${formatIpAddress(intruder[1])} in the podCIDR of node ${this.node}, so that range is not this node's: a new pod is open until its address is known`;
    if (this.named.length === 0) return `the Node ${this.node} names no podCIDR: a new pod is open until its address is known`;
    return undefined;
  }

  private putPod(pod: Pod): void {
    const address = pod.nodeName === undefined || pod.nodeName === this.node || pod.hostNetwork ? undefined : pod.addresses.find((one) => this.named.some((range) => holds(range, one)));
    if (address === undefined) this.intruders.delete(keyOf(pod));
    else this.intruders.set(keyOf(pod), address);
  }
}

function holds({ family, first, last }: IpRange, address: IpAddress): boolean {
  return address.family === family && first <= address.value && address.value <= last;
}

function keyOf({ namespace, name }: Pod): string {
  return `${namespace}/${name}`;
}
