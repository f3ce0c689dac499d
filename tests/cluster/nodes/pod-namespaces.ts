// The network namespaces of the pods on a node, found by their addresses in the node's own /run/netns.
import { closeSync, openSync, readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { inNamespace, type NamespaceFd } from '../../../src/kernel/network-namespace.ts';
import type { RunningNode } from './node-cluster.ts';

/** One object for as long as it is there: the number of its descriptor may come back for another. */
export interface PodNamespace {
  readonly namespace: NamespaceFd;
}

export class PodNamespaces {
  readonly #node: RunningNode;
  /** By the name that the CNI gave it, never used again. */
  readonly #open = new Map<string, { readonly pod: PodNamespace; readonly addresses: readonly string[] }>();

  constructor(node: RunningNode) {
    this.#node = node;
  }

  /** By address, as `networkInterfaces()` writes it. One that has no address yet is asked again at the next call. */
  look(): ReadonlyMap<string, PodNamespace> {
    const folder = `/proc/${this.#node.pid}/root/run/netns`;
    const names = new Set(readdirSync(folder));
    for (const [name, { pod }] of this.#open) {
      if (names.has(name)) continue;
      closeSync(pod.namespace);
      this.#open.delete(name);
    }
    for (const name of names) this.#lookAt(folder, name);
    return new Map([...this.#open.values()].flatMap(({ pod, addresses }) => addresses.map((address) => [address, pod] as const)));
  }

  close(): void {
    for (const { pod } of this.#open.values()) closeSync(pod.namespace);
    this.#open.clear();
  }

  #lookAt(folder: string, name: string): void {
    const known = this.#open.get(name);
    if (known !== undefined && known.addresses.length > 0) return;
    const pod = known?.pod ?? { namespace: openSync(`${folder}/${name}`, 'r') };
    try {
      this.#open.set(name, { pod, addresses: addressesIn(pod.namespace) });
    } catch {
      // For a moment it is a plain file, upon which the namespace is then mounted.
      closeSync(pod.namespace);
      this.#open.delete(name);
    }
  }
}

/** Those that others could call. */
function addressesIn(namespace: NamespaceFd): readonly string[] {
  const interfaces = inNamespace(namespace, () => networkInterfaces());
  return Object.values(interfaces).flatMap((list) => (list ?? []).filter(({ internal, address }) => !internal && !address.startsWith('fe80:')).map(({ address }) => address));
}
