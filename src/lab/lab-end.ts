// Words for the ends of a running lab: `namespace/pod`, `namespace/workload`, `svc/namespace/name`, an address.
import { parseIpAddress, type IpAddress } from '../base/ip-address.ts';
import { LabError } from './lab-error.ts';
import type { LabState, LabStateEnd } from './lab-state.ts';

/** A pod by its name, by the name of a workload with one replica or its first, or by either without the namespace where that is clear. */
export function findPod(state: LabState, word: string): LabStateEnd {
  const pods = state.ends.filter(({ isPod }) => isPod);
  const wanted = word.includes('/') ? word : `/${word}`;
  const matches = (name: string): boolean => (word.includes('/') ? name === wanted : name.endsWith(wanted));
  for (const isMatch of [matches, (name: string): boolean => matches(name.replace(/-0$/, ''))]) {
    const found = pods.filter(({ name }) => isMatch(name));
    if (found.length === 1) return found[0]!;
    if (found.length > 1) throw new LabError('ambiguous-pod', `\`${word}\` is one of ${found.map(({ name }) => name).join(', ')}`, { help: 'say it with its namespace' });
  }
  throw new LabError('no-such-pod', `the lab has no pod \`${word}\`: it has ${listNames(pods.map(({ name }) => name))}`);
}

/** What is asked for may be a Service or any address; where traffic to it ends up is then one of `targets`. */
export interface LabTarget {
  readonly name: string;
  readonly addresses: readonly IpAddress[];
  readonly targets: readonly LabStateEnd[];
}

export function findTarget(state: LabState, word: string): LabTarget {
  const address = parseIpAddress(word);
  if (address !== undefined) return { name: word, addresses: [address], targets: state.ends.filter((end) => end.addresses.includes(word)) };
  const outside = state.ends.find(({ isPod, name }) => !isPod && name === word);
  const service = word.startsWith('svc/') ? findService(state, word.slice('svc/'.length)) : undefined;
  if (service !== undefined) {
    const targets = service.pods.map((name) => findPod(state, name));
    const addresses = service.addresses.length > 0 ? service.addresses : (targets[0]?.addresses ?? []);
    return { name: word, addresses: addressesOf(addresses), targets };
  }
  const end = outside ?? findPod(state, word);
  return { name: end.name, addresses: addressesOf(end.addresses), targets: [end] };
}

/** A source is a pod or an outside host. */
export function findSource(state: LabState, word: string): LabStateEnd {
  return state.ends.find(({ isPod, name, addresses }) => !isPod && (name === word || addresses.includes(word))) ?? findPod(state, word);
}

function findService(state: LabState, name: string): LabState['services'][number] {
  const service = state.services.find((one) => one.name === name);
  if (service === undefined) throw new LabError('no-such-pod', `the lab has no Service \`${name}\`: it has ${listNames(state.services.map((one) => one.name))}`);
  return service;
}

export function addressesOf(texts: readonly string[]): IpAddress[] {
  return texts.flatMap((text) => parseIpAddress(text) ?? []);
}

const NAMES_SHOWN_MAX = 10;

function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  return names.slice(0, NAMES_SHOWN_MAX).join(', ') + (names.length > NAMES_SHOWN_MAX ? `, … (${names.length})` : '');
}
