// The network namespaces of the pods on a node, found by their addresses in the node's own /run/netns.
import { closeSync, openSync, readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { inNamespace, type NamespaceFd } from '../../../src/kernel/network-namespace.ts';
import type { RunningNode } from './node-cluster.ts';

export class PodNamespaces {
  readonly #node: RunningNode;
  /** By the name that the CNI gave it, never used again. */
  readonly #open = new Map<string, { readonly namespace: NamespaceFd; addresses: readonly string[] }>();

  constructor(node: RunningNode) {
    this.#node = node;
  }

  /** By address, as `networkInterfaces()` writes it. One that has no address yet is asked again at the next call. */
  look(): ReadonlyMap<string, NamespaceFd> {
    const folder = `/proc/${this.#node.pid}/root/run/netns`;
    const names = new Set(readdirSync(folder));
    for (const [name, { namespace }] of this.#open) {
      if (names.has(name)) continue;
      closeSync(namespace);
      this.#open.delete(name);
    }
    for (const name of names) this.#lookAt(folder, name);
    return new Map([...this.#open.values()].flatMap(({ namespace, addresses }) => addresses.map((address) => [address, namespace] as const)));
  }

  close(): void {
    for (const { namespace } of this.#open.values()) closeSync(namespace);
    this.#open.clear();
  }

  #lookAt(folder: string, name: string): void {
    const known = this.#open.get(name);
    if (known !== undefined && known.addresses.length > 0) return;
    try {
      const namespace = known?.namespace ?? openSync(`${folder}/${name}`, 'r');
      this.#open.set(name, { namespace, addresses: [] });
      this.#open.set(name, { namespace, addresses: addressesIn(namespace) });
    } catch {
      // Being made or taken away at this moment: a file that is not yet, or no longer, a namespace.
    }
  }
}

/** Those that others could call. */
function addressesIn(namespace: NamespaceFd): readonly string[] {
  const interfaces = inNamespace(namespace, () => networkInterfaces());
  return Object.values(interfaces).flatMap((list) => (list ?? []).filter(({ internal, address }) => !internal && !address.startsWith('fe80:')).map(({ address }) => address));
}
