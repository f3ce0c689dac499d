// Profiles of a live emission: an id for each set of ports that pairs name, as long as a pair names it.
import type { PortSet } from '../base/port-set.ts';
import type { PortSetTable } from '../compile/port-set-table.ts';
import type { ChangeDraft } from './change-draft.ts';
import type { IdSource } from './ids.ts';
import { profileElements } from './profile-elements.ts';
import { profileNumber } from './profile-number.ts';
import type { Profile } from './ruleset.ts';

export interface ProfileUse {
  readonly profile: Profile;
  /** As pairs have it. */
  readonly number: number;
  pairCount: number;
  /** Whether the kernel has its elements. */
  isHeld: boolean;
  /** Its id may be another's now. */
  isGivenUp: boolean;
}

export class ProfileUses {
  private readonly source: IdSource;
  private readonly byPorts = new Map<string, ProfileUse>();
  private readonly touched = new Set<ProfileUse>();

  constructor(source: IdSource) {
    this.source = source;
  }

  /** One that the kernel holds. Of two of the same ports, which only another hand can have written, one is used. */
  adopt(profile: Profile): ProfileUse {
    const use: ProfileUse = { profile, number: profileNumber(profile), pairCount: 0, isHeld: true, isGivenUp: false };
    const key = profile.ports.join();
    if (!this.byPorts.has(key)) this.byPorts.set(key, use);
    this.touched.add(use);
    return use;
  }

  useOf(ports: PortSet): ProfileUse {
    const key = ports.join();
    let use = this.byPorts.get(key);
    if (use === undefined) {
      const profile = { id: this.source.take(), ports };
      this.byPorts.set(key, (use = { profile, number: profileNumber(profile), pairCount: 0, isHeld: false, isGivenUp: false }));
    }
    return use;
  }

  count(use: ProfileUse, change: 1 | -1): void {
    use.pairCount += change;
    if (use.pairCount === 0 || !use.isHeld) this.touched.add(use);
  }

  /** Those that the kernel has the elements of. */
  *held(): Generator<ProfileUse> {
    for (const use of new Set([...this.byPorts.values(), ...this.touched])) if (use.isHeld) yield use;
  }

  /** Elements of profiles that pairs have come to name, and of those that none does any more. */
  settle(draft: ChangeDraft): void {
    for (const use of this.touched) {
      const isWanted = use.pairCount > 0;
      if (isWanted !== use.isHeld) for (const [set, element] of profileElements(use.profile)) draft.put(set, isWanted ? { after: element } : { before: element });
      use.isHeld = isWanted;
      if (isWanted) continue;
      use.isGivenUp = true;
      const key = use.profile.ports.join();
      if (this.byPorts.get(key) === use) this.byPorts.delete(key);
      this.source.release(use.profile.id);
    }
    this.touched.clear();
  }
}

/** The profile of each port set of one Program, found without reading the ports again. */
export class PortSetProfiles {
  readonly portSets: PortSetTable;
  private readonly profiles: ProfileUses;
  private readonly known: (ProfileUse | undefined)[] = [];

  constructor(portSets: PortSetTable, profiles: ProfileUses) {
    this.portSets = portSets;
    this.profiles = profiles;
  }

  count(use: ProfileUse, change: 1 | -1): void {
    this.profiles.count(use, change);
  }

  portsOf(id: number): PortSet {
    return this.portSets.portSet(id);
  }

  useOf(id: number): ProfileUse {
    const known = this.known[id];
    if (known !== undefined && !known.isGivenUp) return known;
    return (this.known[id] = this.profiles.useOf(this.portSets.portSet(id)));
  }
}
