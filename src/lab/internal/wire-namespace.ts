// A namespace wired to the node by a routed veth: host routes and permanent neighbors on both sides, no bridge, nothing asked for.
import { parseIpAddress, type IpAddress } from '../../base/ip-address.ts';
import { createNamespace, type NamespaceFd } from '../../kernel/network-namespace.ts';
import {
  addAddress, addDefaultRoute, addHostRoute, addNeighbor, addVeth, linkUp, LOOPBACK_INDEX, Rtnetlink, withoutAddressGeneration, type Mac,
} from '../../kernel/rtnetlink.ts';

export interface Wire {
  /** From 0, distinct on the node. */
  readonly index: number;
  readonly addresses: readonly IpAddress[];
}

/** Makes the namespace; `node` is the rtnetlink socket of the node's. */
export function wireNamespace(node: Rtnetlink, { index, addresses }: Wire): NamespaceFd {
  const namespace = createNamespace();
  const families = new Set(addresses.map(({ family }) => family));
  const gateways = GATEWAYS.filter(({ family }) => families.has(family));
  const link = FIRST_LINK_INDEX + index;
  const nodeMac = macOf(0, index);
  const podMac = macOf(1, index);
  node.apply([
    addVeth({ index: link, name: `pod${index}`, mac: nodeMac, peer: { index: POD_LINK_INDEX, name: 'eth0', mac: podMac, namespace } }),
    ...(families.has(6) ? [withoutAddressGeneration(link)] : []),
    linkUp(link),
    ...addresses.flatMap((address) => [addHostRoute(link, address), addNeighbor(link, address, podMac)]),
  ]);
  const pod = new Rtnetlink(namespace);
  try {
    pod.apply([
      linkUp(LOOPBACK_INDEX),
      ...(families.has(6) ? [withoutAddressGeneration(POD_LINK_INDEX)] : []),
      linkUp(POD_LINK_INDEX),
      ...addresses.map((address) => addAddress(POD_LINK_INDEX, address)),
      ...gateways.flatMap((gateway) => [
        // An IPv6 gateway is on the link by its address; for IPv4 it must be said.
        ...(gateway.family === 4 ? [addHostRoute(POD_LINK_INDEX, gateway)] : []),
        addDefaultRoute(POD_LINK_INDEX, gateway),
        addNeighbor(POD_LINK_INDEX, gateway, nodeMac),
      ]),
    ]);
  } finally {
    pod.close();
  }
  return namespace;
}

/** The node's end of every wire: nobody owns these addresses, the neighbor entries alone lead there. */
const GATEWAYS: readonly IpAddress[] = [parseIpAddress('169.254.1.1')!, parseIpAddress('fe80::1')!];

const FIRST_LINK_INDEX = 10;
const POD_LINK_INDEX = 2;

/** Locally administered. */
function macOf(side: number, index: number): Mac {
  const mac = Buffer.from([2, side, 0, 0, 0, 0]);
  mac.writeUInt32BE(index + 1, 2);
  return mac;
}
