// Addresses that pods were told for names, of a live emission: what rules that name domains let each pod do with each, pod by pod.
import type { IpAddress, IpFamily } from '../base/ip-address.ts';
import { NO_PORTS, subtractPorts, unionPorts, type PortSet } from '../base/port-set.ts';
import { coversDomainName } from '../compile/domain-pattern.ts';
import { portsOfNames } from '../compile/name-ports.ts';
import type { Program } from '../compile/program.ts';
import type { ProgramDifference } from '../compile/program-difference.ts';
import type { Pod } from '../model/cluster.ts';
import type { ChangeDraft } from './change-draft.ts';
import { NOTE_LENGTH_MAX, type Element, type Elements } from './element.ts';
import type { LocalEnd, NodePods } from './node-pods.ts';
import { NO_CLASS } from './peer-lookup.ts';
import { profileIdOf } from './profile-number.ts';
import type { ProfileUse, ProfileUses } from './profile-uses.ts';
import { FAMILIES, type SetName } from './set-shape.ts';
import { isWider } from './shifts.ts';

/** Both of one family. */
export interface NamedPlace {
  readonly pod: IpAddress;
  readonly address: IpAddress;
}

/** Without names it is forgotten: nobody opens or uses a connection to it any more. */
export interface NamedAddress extends NamedPlace {
  /** Those that the pod asked for and was told the address, lower case, in the order in which that came. */
  readonly names: readonly string[];
}

interface HeldAddress {
  readonly place: NamedPlace;
  readonly element: Element;
  readonly use: ProfileUse;
}

export interface NamedInput {
  readonly program: Program;
  readonly pods: NodePods;
  /** Nothing is known of an address in them that no pod claims. */
  readonly isInPodRanges: (address: IpAddress) => boolean;
  readonly profiles: ProfileUses;
  readonly draft: ChangeDraft;
}

type PlaceKey = string;

export class NamedAddresses {
  private readonly wanted = new Map<PlaceKey, NamedAddress>();
  private readonly held = new Map<PlaceKey, HeldAddress>();
  private readonly due = new Set<PlaceKey>();
  /** Places of each pod and of each address that pods were told. */
  private readonly placesAt = new Map<string, Set<PlaceKey>>();
  private isWholeDue = true;

  name(named: NamedAddress): void {
    const key = placeKey(named);
    this.due.add(key);
    if (named.names.length === 0) this.forget(key, named);
    else this.remember(key, named);
  }

  /** To be written anew though it is as it was, so that the kernel keeps it. */
  renew(place: NamedPlace): void {
    const held = this.held.get(placeKey(place));
    if (held !== undefined) this.held.set(placeKey(place), { ...held, element: { key: held.element.key, data: held.element.data!, note: '' } });
    this.due.add(placeKey(place));
  }

  /** All classes or all ids may mean something else. */
  reload(): void {
    this.isWholeDue = true;
  }

  follow(program: Program, { addedPod, removedPod, isAtomsCut, egress }: ProgramDifference): void {
    if (isAtomsCut || egress.subjects.length > 0 || egress.classes.length > 0) this.isWholeDue = true;
    for (const pod of [removedPod, addedPod === undefined ? undefined : program.cluster.pods[addedPod]]) if (pod !== undefined) this.touch(pod);
  }

  /** Gives whether something that was allowed is not any more. */
  plan(input: NamedInput): boolean {
    const { isWholeDue } = this;
    const keys = isWholeDue ? new Set([...this.wanted.keys(), ...this.held.keys()]) : this.due;
    let takesAway = false;
    const known = new Map<string, AllowedPorts>();
    for (const key of keys) takesAway = this.change(key, input, known) || takesAway;
    this.due.clear();
    this.isWholeDue = false;
    return takesAway;
  }

  /** From what the kernel holds. */
  adopt(elements: Elements, uses: ReadonlyMap<number, ProfileUse>): void {
    this.held.clear();
    this.isWholeDue = true;
    for (const family of FAMILIES) {
      for (const element of elements.get(`named${family}`)!) {
        const [pod, address] = element.key as [bigint, bigint]; // two fields of kind address
        const use = uses.get(profileIdOf(element.data!))!;
        use.pairCount++;
        const place = { pod: { family, value: pod }, address: { family, value: address } };
        this.held.set(placeKey(place), { place, element, use });
      }
    }
  }

  *elements(): Generator<readonly [SetName, Element]> {
    for (const { place, element } of this.held.values()) yield [`named${place.pod.family}`, element];
  }

  private remember(key: PlaceKey, named: NamedAddress): void {
    this.wanted.set(key, named);
    for (const at of [named.pod, named.address]) {
      const text = addressKey(at);
      const places = this.placesAt.get(text);
      if (places === undefined) this.placesAt.set(text, new Set([key]));
      else places.add(key);
    }
  }

  private forget(key: PlaceKey, named: NamedPlace): void {
    this.wanted.delete(key);
    for (const at of [named.pod, named.address]) {
      const text = addressKey(at);
      const places = this.placesAt.get(text);
      places?.delete(key);
      if (places?.size === 0) this.placesAt.delete(text);
    }
  }

  private touch({ addresses }: Pod): void {
    for (const address of addresses) for (const key of this.placesAt.get(addressKey(address)) ?? []) this.due.add(key);
  }

  private change(key: PlaceKey, input: NamedInput, known: Map<string, AllowedPorts>): boolean {
    const [held, named] = [this.held.get(key), this.wanted.get(key)];
    const allowed = named === undefined ? NOTHING : allowedPorts(named, input, known);
    const after = named === undefined || allowed.byNames.length === 0 ? undefined : hold(named, input.profiles.useOf(allowed.byNames));
    const takesAway = held !== undefined && named !== undefined && isWider(held.use.profile.ports, allowed.inAll);
    if (held === undefined && after === undefined) return false;
    const isSame = held !== undefined && after !== undefined && held.use === after.use && held.element.note === after.element.note;
    if (isSame) return takesAway;
    input.draft.put(`named${(held ?? after)!.place.pod.family}`, { ...(held && { before: held.element }), ...(after && { after: after.element }) });
    if (after !== undefined) input.profiles.count(after.use, 1);
    if (held !== undefined) input.profiles.count(held.use, -1);
    if (after === undefined) this.held.delete(key);
    else this.held.set(key, after);
    return takesAway;
  }
}

function hold({ pod, address, names }: NamedAddress, use: ProfileUse): HeldAddress {
  return { place: { pod, address }, element: { key: [pod.value, address.value], data: use.number, note: noteOf(names) }, use };
}

/** As many of the names as fit; whoever reads it back takes the address as told for these alone. */
export function noteOf(names: readonly string[]): string {
  let note = '';
  for (const name of names) if (note.length + 1 + name.length <= NOTE_LENGTH_MAX) note = note === '' ? name : `${note} ${name}`;
  return note;
}

export function namesOf(note: string): readonly string[] {
  return note === '' ? [] : note.split(' ');
}

/** `byNames` is empty where names allow nothing beyond what the address is allowed as itself. */
interface AllowedPorts {
  readonly byNames: PortSet;
  readonly inAll: PortSet;
}

const NOTHING: AllowedPorts = { byNames: NO_PORTS, inAll: NO_PORTS };

function allowedPorts({ pod, address, names }: NamedAddress, input: NamedInput, known: Map<string, AllowedPorts>): AllowedPorts {
  const { program, pods } = input;
  const end = localEndAt(pods, pod);
  const peerClass = classAt(address, input);
  if (end?.pod === undefined || end.subject === undefined || !end.pod.isEgressIsolated || peerClass === undefined) return NOTHING;
  const { subject } = end;
  const key = `${subject} ${peerClass} ${address.family} ${names.join(' ')}`;
  let allowed = known.get(key);
  if (allowed === undefined) {
    const ownPorts = program.portSets.portSet(program.egress.portsOf(subject, peerClass));
    const byNames = portsOfNames(program.egress, { subject, peerClass, nameClasses: nameClasses(program, address.family, names) });
    known.set(key, (allowed = { byNames: subtractPorts(byNames, ownPorts).length === 0 ? NO_PORTS : byNames, inAll: unionPorts(byNames, ownPorts) }));
  }
  return allowed;
}

function localEndAt({ addresses, locals }: NodePods, { family, value }: IpAddress): LocalEnd | undefined {
  const place = addresses[family].find(value);
  return place === undefined ? undefined : locals[family].get(place);
}

/** undefined: pods dispute it, or it is where pods are and nobody knows of one. */
function classAt(address: IpAddress, { program, pods, isInPodRanges }: NamedInput): number | undefined {
  const ofFamily = pods.addresses[address.family];
  const place = ofFamily.find(address.value);
  if (place !== undefined && ofFamily.claimCount(place) > 0) {
    const peerClass = ofFamily.classes.egress[place]!;
    return peerClass === NO_CLASS || peerClass < 0 ? undefined : peerClass;
  }
  return isInPodRanges(address) ? undefined : program.egress.classOfAtom[program.findAtom(address)]!;
}

function nameClasses({ domainNames, egress }: Program, family: IpFamily, names: readonly string[]): readonly number[] {
  return domainNames.flatMap((pattern, place) => (names.some((name) => coversDomainName(pattern, name)) ? [egress.classOfDomainName[family][place]!] : []));
}

function addressKey({ family, value }: IpAddress): string {
  return `${family} ${value}`;
}

function placeKey({ pod, address }: NamedPlace): PlaceKey {
  return `${pod.family} ${pod.value} ${address.value}`;
}
