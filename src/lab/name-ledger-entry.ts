// A line of the kernel's ledger with the names that the lab gave to its addresses.
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import { PROTOCOL_NUMBER } from '../emit/profile-elements.ts';
import type { AskedPlace, LedgerEntry } from '../kernel/firewall.ts';
import type { LabPlan } from './lab-plan.ts';

export interface NamedLedgerEntry extends LedgerEntry {
  /** A pod as `namespace/name`, `node-1`, an outside host's range, or the address itself. */
  readonly sourceName: string;
  readonly targetName: string;
  /** The Service that was asked for, as `namespace/name`; undefined: what came straight to its target, or by the address of none. */
  readonly service: string | undefined;
}

export function nameLedgerEntry(entry: LedgerEntry, plan: LabPlan): NamedLedgerEntry {
  const { names, services } = namesOf(plan);
  const nameOf = (address: IpAddress): string => names.get(`${address.family} ${address.value}`) ?? formatIpAddress(address);
  const { asked, protocol } = entry;
  return { ...entry, sourceName: nameOf(entry.source), targetName: nameOf(entry.target), service: asked === undefined ? undefined : services.get(placeKey(asked, protocol)) };
}

interface Names {
  readonly names: ReadonlyMap<string, string>;
  readonly services: ReadonlyMap<string, string>;
}

const known = new WeakMap<LabPlan, Names>();

function namesOf(plan: LabPlan): Names {
  let found = known.get(plan);
  if (found === undefined) known.set(plan, (found = { names: collectNames(plan), services: collectServices(plan) }));
  return found;
}

function collectServices({ services }: LabPlan): Map<string, string> {
  return new Map(services.flatMap(({ namespace, name, addresses, ports }) =>
    addresses.flatMap((address) => ports.map(({ protocol, port }) => [placeKey({ address, port }, PROTOCOL_NUMBER[protocol]), `${namespace}/${name}`] as const))));
}

function placeKey({ address: { family, value }, port }: AskedPlace, protocol: number): string {
  return `${family} ${value} ${protocol} ${port}`;
}

// Pods with host network share their node's address: which of them spoke cannot be known from it.
function collectNames(plan: LabPlan): Map<string, string> {
  const names = new Map<string, string>();
  const add = (name: string, addresses: readonly IpAddress[]): void => {
    for (const { family, value } of addresses) names.set(`${family} ${value}`, name);
  };
  for (const { name, addresses } of plan.endpoints) add(name, addresses);
  const sharing = plan.pods.filter(({ hostNetwork }) => hostNetwork);
  if (sharing.length !== 1) add(plan.hostNode.name, plan.hostNode.addresses);
  add(plan.node.name, plan.node.addresses);
  for (const { namespace, name, addresses } of plan.services) add(`svc/${namespace}/${name}`, addresses);
  return names;
}
