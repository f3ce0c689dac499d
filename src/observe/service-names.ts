// Which Service an address and port stand for, as the API server tells it, and which one they stood for until a moment ago.
import { protocolNumber } from '../flow/flow-protocol.ts';
import { parseIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { AskedPlace } from '../kernel/firewall.ts';
import type { ClusterObject, Json } from '../kube/cluster-api.ts';

/** What a client asked for; `isOwnNode`: at an address of the node itself. */
export interface AskedFor extends AskedPlace {
  readonly protocol: number;
  readonly isOwnNode: boolean;
}

/** A class, for it lives in time. */
export class ServiceNames {
  /** By `namespace/name`. */
  readonly #placesOf = new Map<string, readonly string[]>();
  readonly #namesAt = new Map<string, readonly string[]>();
  /** Places that a Service left since the ledger was drained. */
  readonly #left = new Set<string>();
  /** Of what is counted there nobody knows by which Service it came. */
  readonly #unsure = new Set<string>();

  /** undefined: by none, by one of several, or by one that was another a moment ago. */
  nameAt({ address, port, protocol, isOwnNode }: AskedFor): string | undefined {
    const places = [placeKey(protocol, port, address), ...(isOwnNode ? [placeKey(protocol, port)] : [])];
    const names = places.flatMap((place) => this.#namesAt.get(place) ?? []);
    return names.length === 1 && !places.some((place) => this.#unsure.has(place)) ? names[0] : undefined;
  }

  /** Whether what was counted until now and what will be, at a place that it takes or leaves, are of two Services. */
  isNews(name: string, object: ClusterObject | undefined): boolean {
    return this.#changed(name, object).some((place) => this.#namesAt.has(place) || this.#left.has(place));
  }

  /** `isDrained`: what was counted until now is named. `object` undefined: it is gone. */
  put(name: string, object: ClusterObject | undefined, isDrained: boolean): void {
    for (const place of this.#changed(name, object)) {
      if (!isDrained && (this.#namesAt.has(place) || this.#left.has(place))) this.#unsure.add(place);
      const others = (this.#namesAt.get(place) ?? []).filter((other) => other !== name);
      const isTaken = object !== undefined && placesOf(object).includes(place);
      if (!isTaken) this.#left.add(place);
      if (isTaken || others.length > 0) this.#namesAt.set(place, isTaken ? [...others, name] : others);
      else this.#namesAt.delete(place);
    }
    if (object === undefined) this.#placesOf.delete(name);
    else this.#placesOf.set(name, placesOf(object));
  }

  /** What was counted until now is named. */
  drained(): void {
    this.#left.clear();
    this.#unsure.clear();
  }

  #changed(name: string, object: ClusterObject | undefined): readonly string[] {
    const [before, after] = [this.#placesOf.get(name) ?? [], object === undefined ? [] : placesOf(object)];
    return [...before.filter((place) => !after.includes(place)), ...after.filter((place) => !before.includes(place))];
  }
}

/** core/v1, ServiceSpec and ServiceStatus: each port at its own addresses, and at those of every node under another number. */
function placesOf({ spec, ...object }: ClusterObject): readonly string[] {
  const { clusterIP, clusterIPs, externalIPs, ports } = fieldsOf(spec);
  const entrances = listOf(fieldsOf(fieldsOf(object['status'])['loadBalancer'])['ingress']).map((entrance) => fieldsOf(entrance)['ip']);
  const texts = [clusterIP, ...listOf(clusterIPs), ...listOf(externalIPs), ...entrances];
  const addresses = texts.flatMap((text) => (typeof text === 'string' ? (parseIpAddress(text) ?? []) : []));
  const places = listOf(ports).map(fieldsOf).flatMap(({ protocol = 'TCP', port, nodePort }) => {
    const number = typeof protocol === 'string' ? protocolNumber(protocol) : undefined;
    if (number === undefined) return [];
    const atNodes = typeof nodePort === 'number' && nodePort !== 0 ? [placeKey(number, nodePort)] : [];
    return typeof port === 'number' ? [...addresses.map((address) => placeKey(number, port, address)), ...atNodes] : atNodes;
  });
  return [...new Set(places)];
}

/** Without an address at those of every node. */
function placeKey(protocol: number, port: number, address?: IpAddress): string {
  return `${protocol} ${port} ${address === undefined ? 'node' : `${address.family} ${address.value}`}`;
}

function fieldsOf(value: Json | undefined): { readonly [field: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as { readonly [field: string]: Json }) : {}; // no list, so it has fields
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
