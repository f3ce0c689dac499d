// What local pods may send to the node they run on, of a live emission: cluster-wide policies alone judge it, by ranges of addresses.
import type { IpFamily } from '../base/ip-address.ts';
import { ALL_PORTS, type PortSet } from '../base/port-set.ts';
import type { Program } from '../compile/program.ts';
import { portsOfTiers } from '../compile/tier-ports.ts';
import type { ChangeDraft } from './change-draft.ts';
import type { Element, Elements } from './element.ts';
import type { LocalEnd } from './node-pods.ts';
import { diffSet } from './plan-change.ts';
import { profileIdOf } from './profile-number.ts';
import type { ProfileUse, ProfileUses } from './profile-uses.ts';
import { FAMILIES, shapeOf, type SetName } from './set-shape.ts';

/** Both ends included; ranges that nothing is allowed are left out. */
interface PortRange {
  readonly first: bigint;
  readonly last: bigint;
  readonly ports: PortSet;
}

interface HeldEnd {
  /** Stands in `lnN`; a change that broke off may have left its ranges alone. */
  readonly isJudged: boolean;
  readonly elements: readonly Element[];
  readonly uses: readonly ProfileUse[];
}

const NOBODY: HeldEnd = { isJudged: false, elements: [], uses: [] };

export interface OwnNodeInput {
  readonly program: Program;
  /** Those that are other than before; all of them where atoms have other classes. */
  readonly ends: readonly LocalEnd[];
  readonly profiles: ProfileUses;
  readonly draft: ChangeDraft;
}

export class OwnNodeRules {
  private readonly held = new Map<LocalEnd, HeldEnd>();

  /** Gives whether something that was allowed is not any more, or may not be. */
  plan({ program, ends, profiles, draft }: OwnNodeInput): boolean {
    if (program.cluster.clusterPolicies.length === 0 && this.held.size === 0) return false;
    let takesAway = false;
    const cuts = new Cuts(program);
    for (const end of ends) {
      const before = this.held.get(end);
      const ranges = cuts.rangesOf(end);
      if (before === undefined && ranges === undefined) continue;
      const after = ranges === undefined ? undefined : holdRanges(end, ranges, profiles);
      takesAway = changeEnd({ end, before: before ?? NOBODY, after: after ?? NOBODY }, draft) || takesAway;
      for (const use of after?.uses ?? []) profiles.count(use, 1);
      for (const use of before?.uses ?? []) profiles.count(use, -1);
      if (after === undefined) this.held.delete(end);
      else this.held.set(end, after);
    }
    return takesAway;
  }

  /** From what the kernel holds. */
  adopt(elements: Elements, options: { readonly endAt: (address: { readonly family: IpFamily; readonly value: bigint }) => LocalEnd; readonly uses: ReadonlyMap<number, ProfileUse> }): void {
    this.held.clear();
    for (const family of FAMILIES) {
      for (const { key } of elements.get(`ln${family}`)!) this.held.set(options.endAt({ family, value: key[0] as bigint }), { ...NOBODY, isJudged: true }); // a field of kind address
      for (const element of elements.get(`on${family}`)!) {
        const end = options.endAt({ family, value: element.key[0] as bigint }); // a field of kind address
        const { isJudged, elements: others, uses } = this.held.get(end) ?? NOBODY;
        const use = options.uses.get(profileIdOf(element.data!))!;
        use.pairCount++;
        this.held.set(end, { isJudged, elements: [...others, element], uses: [...uses, use] });
      }
    }
  }

  *elements(): Generator<readonly [SetName, Element]> {
    for (const [{ address: { family, value } }, { isJudged, elements }] of this.held) {
      if (isJudged) yield [`ln${family}`, { key: [value], data: 1 }];
      for (const element of elements) yield [`on${family}`, element];
    }
  }
}

/** Ranges of subjects, cut once for all pods of one plan. */
class Cuts {
  private readonly program: Program;
  private readonly known = new Map<string, readonly PortRange[] | undefined>();

  constructor(program: Program) {
    this.program = program;
  }

  /** undefined: cluster-wide policies refuse it nothing. */
  rangesOf({ pod, subject, address: { family } }: LocalEnd): readonly PortRange[] | undefined {
    if (pod === undefined || subject === undefined) return undefined;
    const key = `${family} ${subject}`;
    if (!this.known.has(key)) this.known.set(key, cutRanges(this.program, subject, family));
    return this.known.get(key);
  }
}

function cutRanges({ atoms, egress }: Program, subject: number, family: IpFamily): readonly PortRange[] | undefined {
  if (egress.clusterPoliciesOf(subject).length === 0) return undefined;
  const known = new Map<number, PortSet>();
  const portsOf = (peerClass: number): PortSet => {
    let ports = known.get(peerClass);
    if (ports === undefined) known.set(peerClass, (ports = portsOfTiers(egress, { subject, peerClass })));
    return ports;
  };
  const ranges: PortRange[] = [];
  let isAllAllowed = true;
  for (const [index, atom] of atoms.entries()) {
    if (atom.family !== family) continue;
    const ports = portsOf(egress.classOfAtom[index]!);
    if (ports !== ALL_PORTS && ports.join() !== ALL_PORTS.join()) isAllAllowed = false;
    const last = ranges.at(-1);
    if (last !== undefined && last.last + 1n === atom.first && last.ports.join() === ports.join()) ranges[ranges.length - 1] = { ...last, last: atom.last };
    else if (ports.length > 0) ranges.push({ first: atom.first, last: atom.last, ports });
  }
  return isAllAllowed ? undefined : ranges;
}

function holdRanges({ address: { value } }: LocalEnd, ranges: readonly PortRange[], profiles: ProfileUses): HeldEnd {
  const uses = ranges.map(({ ports }) => profiles.useOf(ports));
  const elements = ranges.map(({ first, last }, index): Element => ({ key: [value, first], last: [value, last], data: uses[index]!.number }));
  return { isJudged: true, elements, uses };
}

interface EndChange {
  readonly end: LocalEnd;
  readonly before: HeldEnd;
  readonly after: HeldEnd;
}

// A new pod has no connection that could be taken from it.
function changeEnd({ end: { address: { family, value }, heldPod }, before, after }: EndChange, draft: ChangeDraft): boolean {
  const judged: Element = { key: [value], data: 1 };
  if (before.isJudged !== after.isJudged) draft.put(`ln${family}`, after.isJudged ? { after: judged } : { before: judged });
  const set = `on${family}` as const;
  const diff = diffSet(shapeOf(set), before.elements, after.elements);
  draft.putDiff(set, diff);
  return after.isJudged && heldPod !== undefined && (!before.isJudged || diff.removed.length > 0 || diff.replaced.length > 0);
}
