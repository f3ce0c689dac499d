// The network namespaces of a node's pods in the folder where container runtimes keep them (/run/netns of containerd and CRI-O), known by their addresses.
import { closeSync, openSync, readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { formatIpAddress, parseIpAddress, type IpAddress } from '../base/ip-address.ts';
import { inNamespace, type NamespaceFd } from './network-namespace.ts';
import { openPodListener } from './internal/pod-listener.ts';
import type { PodNetwork } from './pod-network.ts';
import { createPollProber } from './poll-probe.ts';

/** As many as a node has pods, and more: what is beyond is not looked at. */
const NAMESPACES_MAX = 2_000;

/** Entering them takes SYS_ADMIN, ports below 1024 NET_BIND_SERVICE. `mark` begins every datagram that is sent. */
export function openNetnsFolder(folder: string, mark: Uint8Array): PodNetwork {
  const home = openSync('/proc/self/ns/net', 'r');
  return {
    home,
    closeHome: () => closeSync(home),
    prober: createPollProber({ mark }),
    find: (pods) => findNamespaces(folder, pods),
    close: (namespace) => closeSync(namespace),
    listen: openPodListener,
  };
}

function findNamespaces(folder: string, pods: readonly (readonly IpAddress[])[]): (NamespaceFd | undefined)[] {
  const found: (NamespaceFd | undefined)[] = pods.map(() => undefined);
  const wanted = pods.map((addresses) => addresses.map(formatIpAddress));
  for (const name of readdirSync(folder).slice(0, NAMESPACES_MAX)) {
    const opened = openWithAddresses(join(folder, name));
    if (opened === undefined) continue;
    const index = wanted.findIndex((addresses, pod) => found[pod] === undefined && addresses.length > 0 && addresses.every((address) => opened.addresses.has(address)));
    if (index < 0) closeSync(opened.namespace);
    else found[index] = opened.namespace;
  }
  return found;
}

/** undefined: it has gone meanwhile, or is a plain file upon which a namespace will be mounted. */
function openWithAddresses(file: string): { readonly namespace: NamespaceFd; readonly addresses: ReadonlySet<string> } | undefined {
  let namespace: NamespaceFd;
  try {
    namespace = openSync(file, 'r');
  } catch {
    return undefined;
  }
  try {
    const interfaces = inNamespace(namespace, () => networkInterfaces());
    const texts = Object.values(interfaces).flatMap((list) => (list ?? []).map(({ address }) => parseIpAddress(address)));
    return { namespace, addresses: new Set(texts.flatMap((address) => (address === undefined ? [] : [formatIpAddress(address)]))) };
  } catch {
    closeSync(namespace);
    return undefined;
  }
}
