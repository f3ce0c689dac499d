// Runs a cluster on this host: each pod a network namespace of one process, wired, listening and answering names, gone when the process is.
import { writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import type { IpAddress } from '../base/ip-address.ts';
import { closeNamespace, createNamespace, inNamespace, type NamespaceFd } from '../kernel/network-namespace.ts';
import { createPollProber, PROBE_TASKS_MAX } from '../kernel/poll-probe.ts';
import type { Prober } from '../kernel/prober.ts';
import { addAddress, linkUp, LOOPBACK_INDEX, Rtnetlink } from '../kernel/rtnetlink.ts';
import { dnsZone } from './dns-zone.ts';
import { CONNECTIONS_MAX } from './internal/answer-watches.ts';
import { raiseDescriptorLimit } from './internal/descriptor-limit.ts';
import { Listeners } from './internal/listeners.ts';
import { plannedListeners } from './internal/planned-listeners.ts';
import { serviceTable } from './internal/service-table.ts';
import { wireNamespace } from './internal/wire-namespace.ts';
import { LabError } from './lab-error.ts';
import type { LabPlan } from './lab-plan.ts';
import { publishLab } from './lab-state.ts';

export interface Lab {
  readonly plan: LabPlan;
  /** The namespace that forwards between all others: policies are loaded here. */
  readonly node: NamespaceFd;
  /** By index of `plan.endpoints`. */
  readonly namespaces: readonly NamespaceFd[];
  /** Sized to the descriptors that this lab leaves free. */
  readonly prober: Prober;
  /** Takes everything away: threads, sockets, namespaces, the state file. */
  close(): Promise<void>;
}

/**
 * Makes the namespaces, as root or inside a user namespace (`enterUserNamespace`), and publishes them for `lab shell`
 * and `lab probe`. Nothing is enforced yet: that is whoever loads a firewall in `node`. The host's own network is not touched.
 */
export async function startLab(plan: LabPlan): Promise<Lab> {
  const tasksMax = reserveDescriptors(plan);
  const parts = new LabParts(plan);
  try {
    parts.build();
    await parts.listeners.ready();
    const unpublish = publishLab(plan, { node: parts.node, namespaces: parts.namespaces });
    const close = async (): Promise<void> => {
      unpublish();
      await parts.close();
    };
    return { plan, node: parts.node, namespaces: parts.namespaces, prober: createPollProber({ tasksMax }), close };
  } catch (failure) {
    await parts.close();
    throw failure;
  }
}

/** What has been made so far, so that a lab that fails halfway leaves nothing. */
class LabParts {
  readonly listeners: Listeners;
  readonly node: NamespaceFd;
  readonly namespaces: NamespaceFd[] = [];
  private readonly plan: LabPlan;
  private readonly rtnetlink: Rtnetlink;
  private readonly made: NamespaceFd[] = [];

  constructor(plan: LabPlan) {
    this.plan = plan;
    this.node = createNamespace();
    this.rtnetlink = new Rtnetlink(this.node);
    this.listeners = new Listeners({ zone: dnsZone(plan), names: plan.endpoints.map(({ name }) => name) });
  }

  build(): void {
    const { plan } = this;
    // An IPv4 router without an address on a raised device sends no ARP, and no ICMP errors.
    this.rtnetlink.apply([linkUp(LOOPBACK_INDEX), ...plan.node.addresses.map((address) => addAddress(LOOPBACK_INDEX, address))]);
    enableForwarding(this.node, plan);
    // Places appear in the order of their ends: pods, the other node where the first pod with host network stands, the outside.
    const ofPlace = new Map<string, NamespaceFd>();
    for (const { place } of plan.endpoints) {
      const namespace = ofPlace.get(place) ?? this.wire(ofPlace.size, addressesOfPlace(plan, place));
      ofPlace.set(place, namespace);
      this.namespaces.push(namespace);
    }
    this.listen();
    loadServices(this.node, serviceTable(plan));
  }

  async close(): Promise<void> {
    await this.listeners.close();
    this.rtnetlink.close();
    for (const namespace of [...this.made, this.node]) closeNamespace(namespace);
    this.made.length = 0;
  }

  private wire(index: number, addresses: readonly IpAddress[]): NamespaceFd {
    const namespace = wireNamespace(this.rtnetlink, { index, addresses });
    this.made.push(namespace);
    return namespace;
  }

  private listen(): void {
    for (const { endpoint, listeners } of plannedListeners(this.plan)) {
      inNamespace(this.namespaces[endpoint]!, () => {
        for (const listener of listeners) this.listeners.add(listener);
      });
    }
  }
}

/** Ends of one place share a namespace, and it has the addresses of all. */
function addressesOfPlace(plan: LabPlan, place: string): IpAddress[] {
  const addresses = plan.endpoints.filter((endpoint) => endpoint.place === place).flatMap((endpoint) => endpoint.addresses);
  const distinct = new Map(addresses.map((address) => [`${address.family} ${address.value}`, address]));
  return [...distinct.values()];
}

function enableForwarding(node: NamespaceFd, plan: LabPlan): void {
  inNamespace(node, () => {
    try {
      if (plan.families.includes(4)) writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
      if (plan.families.includes(6)) writeFileSync('/proc/sys/net/ipv6/conf/all/forwarding', '1');
    } catch (cause) {
      const help = 'mount /proc/sys writable (containers often have it read-only)';
      throw new LabError('no-forwarding', "cannot switch on forwarding in the lab's node", { help, cause });
    }
  });
}

function loadServices(node: NamespaceFd, texts: readonly string[]): void {
  // Administrators' programs are not on a plain user's path on Debian.
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
  for (const input of texts) {
    const { status, stderr, error } = inNamespace(node, () => spawnSync('nft', ['-f', '-'], { input, env, encoding: 'utf8' }));
    if (status !== 0) throw new LabError('nft-refused', `nft cannot load the lab's Services: ${error?.message ?? stderr.trim()}`, { cause: error });
  }
}

/** Throws when the lab's own sockets do not fit; gives how many a round of probes may take. */
function reserveDescriptors(plan: LabPlan): number {
  const listeners = plannedListeners(plan).reduce((sum, planned) => sum + planned.listeners.length, 0);
  // A round of SCTP probes takes a raw socket for each family and role of an endpoint.
  const raw = plan.endpoints.some(({ ports }) => ports.some(({ protocol }) => protocol === 'SCTP')) ? plan.endpoints.length * 4 : 0;
  const own = listeners + plan.endpoints.length + raw + CONNECTIONS_MAX + SPARE_DESCRIPTORS;
  const free = raiseDescriptorLimit(own + PROBE_TASKS_MAX);
  const tasksMax = free - own;
  if (tasksMax < PROBE_TASKS_MIN) {
    const help = 'raise the limit (`ulimit -n`) or run fewer replicas with `--replicas 1`';
    throw new LabError('too-few-descriptors', `this lab needs ${own + PROBE_TASKS_MIN} file descriptors, and ${Math.max(0, free)} are free`, { help });
  }
  return tasksMax;
}

/** Netlink sockets, files that are read meanwhile. */
const SPARE_DESCRIPTORS = 128;

/** Smaller rounds would make a truth table too slow to be of use. */
const PROBE_TASKS_MIN = 256;
