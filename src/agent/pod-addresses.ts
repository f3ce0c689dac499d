// The addresses of each pod that the node runs: what a pod is told over one family it may use over the other.
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { Pod } from '../model/cluster.ts';

export class PodAddresses {
  private readonly node: string;
  private readonly ofPod = new Map<string, readonly IpAddress[]>();

  constructor(node: string, pods: readonly Pod[]) {
    this.node = node;
    for (const pod of pods) this.put(pod);
  }

  follow({ removed, added }: { readonly removed: Pod | undefined; readonly added: Pod | undefined }): void {
    for (const address of removed?.nodeName === this.node ? removed.addresses : []) this.ofPod.delete(formatIpAddress(address));
    if (added !== undefined) this.put(added);
  }

  /** All of the pod that has this one; none where nobody is known to have it. */
  of(address: IpAddress): readonly IpAddress[] {
    return this.ofPod.get(formatIpAddress(address)) ?? [];
  }

  private put({ nodeName, hostNetwork, addresses }: Pod): void {
    if (nodeName === this.node && !hostNetwork) for (const address of addresses) this.ofPod.set(formatIpAddress(address), addresses);
  }
}
