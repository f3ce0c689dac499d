// A line of the kernel's ledger with the names that the lab gave to its addresses.
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { LedgerEntry } from '../kernel/firewall.ts';
import type { LabPlan } from './lab-plan.ts';

export interface NamedLedgerEntry extends LedgerEntry {
  /** A pod as `namespace/name`, `node-1`, an outside host's range, or the address itself. */
  readonly sourceName: string;
  readonly targetName: string;
}

export function nameLedgerEntry(entry: LedgerEntry, plan: LabPlan): NamedLedgerEntry {
  const names = namesOf(plan);
  const nameOf = (address: IpAddress): string => names.get(`${address.family} ${address.value}`) ?? formatIpAddress(address);
  return { ...entry, sourceName: nameOf(entry.source), targetName: nameOf(entry.target) };
}

const known = new WeakMap<LabPlan, ReadonlyMap<string, string>>();

function namesOf(plan: LabPlan): ReadonlyMap<string, string> {
  let names = known.get(plan);
  if (names === undefined) known.set(plan, (names = collectNames(plan)));
  return names;
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
