// What one node's kernel is to hold, kept up with a live Program: each change becomes a plan whose cost follows what the change touches.
import type { IpAddress, IpRange } from '../base/ip-address.ts';
import type { LiveProgram } from '../compile/live-program.ts';
import type { Program } from '../compile/program.ts';
import type { ProgramDifference } from '../compile/program-difference.ts';
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import { ChangeDraft } from './change-draft.ts';
import type { Element, Elements } from './element.ts';
import { localPodElements } from './elements.ts';
import { readHeld, type Held } from './held-state.ts';
import { IdSource } from './ids.ts';
import { LiveSide } from './live-side.ts';
import { NamedAddresses, type NamedAddress, type NamedPlace } from './named-addresses.ts';
import { NodePods, type LocalEnd } from './node-pods.ts';
import { NO_CLASS } from './peer-lookup.ts';
import { diffSet, type ChangePlan } from './plan-change.ts';
import { profileElements } from './profile-elements.ts';
import { OwnNodeRules } from './own-node-rules.ts';
import { PortSetProfiles, ProfileUses, type ProfileUse } from './profile-uses.ts';
import { FAMILIES, letterOf, SET_SHAPES, shapeOf, type SetName } from './set-shape.ts';
import { SetSizes } from './set-sizes.ts';
import { NO_SLOT, SlotClasses } from './slot-classes.ts';
import { joinRanges } from './sort-ruleset.ts';
import { closesPod, closesRanges } from './takes-away.ts';
import { WatchedAnswers, type DnsServers } from './watched-answers.ts';

/** So many times the merged classes of the last whole emission, and so many more, are worth another. */
const GROWTH_WANTED = 2;
const GROWTH_SLACK = 200;

const FIRST_ID = 1;

export interface LiveEmissionOptions {
  /** Elements of one set; no bound when missing. */
  readonly setSizeMax?: number;
  /** Of an emission that this one follows: it gives no id anew that the other gave. */
  readonly nextId?: number;
  /** Answers of DNS to all local pods are looked at; else those to pods under rules that name domains. */
  readonly watchesAllAnswers?: boolean;
}

export class LiveEmission {
  private readonly live: LiveProgram;
  private source: IdSource;
  private profileUses: ProfileUses;
  private profiles: PortSetProfiles;
  private readonly sides: Readonly<Record<Direction, LiveSide>>;
  private readonly pods: NodePods;
  private readonly ownNode = new OwnNodeRules();
  private readonly named = new NamedAddresses();
  private readonly answers: WatchedAnswers;
  /** Of all pods, the local ones' included. */
  private podRanges: readonly IpRange[] = [];
  private localPodRanges: readonly IpRange[] = [];
  /** The local ones as they were given last. */
  private givenPodRanges: readonly IpRange[] = [];
  private heldPodRanges: readonly IpRange[] = [];
  private mergedAtStart = 0;
  private readonly sizes: SetSizes;
  /** Whether the kernel may hold anything: nobody knows what flows it has judged by it. */
  private isAdopted = false;

  /** Pods with this name of a node are the local ones. Takes it that the kernel holds nothing; `adopt` says otherwise. */
  constructor(live: LiveProgram, node: string, { setSizeMax = Infinity, nextId = FIRST_ID, watchesAllAnswers = false }: LiveEmissionOptions = {}) {
    this.live = live;
    this.answers = new WatchedAnswers({ isOfAllPods: watchesAllAnswers });
    this.sizes = new SetSizes(setSizeMax);
    this.source = new IdSource(nextId, []);
    this.profileUses = new ProfileUses(this.source);
    const { portSets } = live.program;
    this.profiles = new PortSetProfiles(portSets, this.profileUses);
    this.sides = { egress: new LiveSide('egress', new SlotClasses(portSets)), ingress: new LiveSide('ingress', new SlotClasses(portSets)) };
    this.pods = new NodePods({ node, sides: this.slotClasses });
    this.reload();
  }

  /** For an emission that follows this one. */
  get nextId(): number {
    return this.source.next;
  }

  /** Addresses that two unlike pods claim: nothing is allowed from or to them. */
  get disputed(): readonly IpAddress[] {
    return this.pods.disputed;
  }

  /** Whether `compact` would make fewer classes, and so fewer elements. */
  get wantsCompaction(): boolean {
    return this.mergedCount > GROWTH_WANTED * this.mergedAtStart + GROWTH_SLACK;
  }

  /** Merges all classes anew, as the first time; the next plan brings the kernel there. For a moment without changes. */
  compact(): void {
    this.reload();
  }

  /** Right after the change: what the difference names is good until the Program's next. */
  follow(difference: ProgramDifference): void {
    if (this.isRenumbered) {
      this.reload();
      return;
    }
    for (const direction of DIRECTIONS) {
      if (difference.isAtomsCut || difference[direction].classes.some(({ atoms }) => atoms.length > 0)) this.sides[direction].areRangesDue = true;
    }
    this.pods.follow(this.live.program, difference);
    this.named.follow(this.live.program, difference);
  }

  /** A pod was told an address for names, or for others than before, or nothing is to be known of it any more. */
  name(named: NamedAddress): void {
    this.named.name(named);
  }

  /** The next plan writes it anew, so that the kernel does not forget it. */
  renewName(place: NamedPlace): void {
    this.named.renew(place);
  }

  /** Whose answers are believed. */
  set dnsServers(servers: DnsServers) {
    this.answers.servers = servers;
  }

  /**
   * From what the kernel holds, as far as plans were given, to what the Program says now, which counts as held from here
   * on. `localPodRanges`: where local pods get their addresses from; empty where nobody knows. Throws SetOverflow: then
   * nobody knows what counts as held, and another emission has to follow this one.
   */
  plan(localPodRanges: readonly IpRange[]): ChangePlan {
    if (this.isRenumbered) this.reload();
    this.readPodRanges(this.live.program, localPodRanges);
    const { pods, source, podRanges, profiles } = this;
    const draft = new ChangeDraft(this.sizes);
    const ends = this.sides.egress.isWhole ? pods.localEnds : pods.touchedEnds;
    let takesAway = this.isAdopted;
    for (const direction of DIRECTIONS) takesAway = this.sides[direction].plan({ program: this.live.program, pods, podRanges, draft, source, profiles }) || takesAway;
    takesAway = this.ownNode.plan({ program: this.live.program, ends: this.sides.egress.areRangesDue ? pods.localEnds : ends, profiles: this.profileUses, draft }) || takesAway;
    takesAway = this.named.plan({ program: this.live.program, pods, isInPodRanges: (address) => this.isInPodRanges(address), profiles: this.profileUses, draft }) || takesAway;
    this.answers.plan({ program: this.live.program, ends: pods.localEnds, draft });
    takesAway = this.changeLocalPods(ends, draft) || takesAway;
    takesAway = this.changePodRanges(draft) || takesAway;
    this.profileUses.settle(draft);
    this.sizes.check();
    for (const direction of DIRECTIONS) this.sides[direction].settle(source);
    pods.settle();
    this.isAdopted = false;
    return { steps: draft.steps(), takesAway };
  }

  /** For whoever has not written a plan, or finds another's hand in the table: the next plan goes out from these elements. */
  adopt(elements: Elements): void {
    const held = readHeld(elements);
    this.sizes.reset(elements);
    // Ids that were given up a moment ago stay unused.
    const isFirst = this.source.next === FIRST_ID;
    this.source = new IdSource(isFirst ? held.nextId : this.source.next, held.ids);
    this.profileUses = new ProfileUses(this.source);
    this.profiles = new PortSetProfiles(this.live.program.portSets, this.profileUses);
    this.adoptPods(held);
    const uses = new Map(held.profiles.map((profile) => [profile.id, this.profileUses.adopt(profile)]));
    for (const direction of DIRECTIONS) this.adoptSide(direction, held, uses);
    this.ownNode.adopt(elements, { endAt: (address) => this.pods.endAt(address), uses });
    this.named.adopt(elements, uses);
    this.answers.adopt(elements);
    this.heldPodRanges = held.podRanges;
    this.isAdopted = true;
  }

  /** To be called about once a second, and not more often: no packet takes that long between two look-ups, so ids that were left before the last call may have another meaning. */
  forgetLeftIds(): void {
    for (const direction of DIRECTIONS) this.sides[direction].forgetLeft();
  }

  /** All that the kernel holds, as far as plans were given. Made anew each time. */
  elements(): Elements {
    const elements = new Map<SetName, Element[]>(SET_SHAPES.map(({ name }) => [name, []]));
    const put = (set: SetName, element: Element): unknown => elements.get(set)!.push(element);
    for (const range of this.heldPodRanges) put(`podrange${range.family}`, rangeElement(range));
    for (const end of this.pods.localEnds) for (const [set, element] of end.heldElements) put(set, element);
    for (const direction of DIRECTIONS) this.putSide(direction, put);
    for (const layer of [this.ownNode, this.named, this.answers]) for (const [set, element] of layer.elements()) put(set, element);
    for (const { profile } of this.profileUses.held()) for (const [set, element] of profileElements(profile)) put(set, element);
    return elements;
  }

  /** Whether the Program was compiled anew since the last look at it: then it has other port sets, and no number means what it did. */
  private get isRenumbered(): boolean {
    return this.live.program.portSets !== this.profiles.portSets;
  }

  private get slotClasses(): Readonly<Record<Direction, SlotClasses>> {
    return { egress: this.sides.egress.classes, ingress: this.sides.ingress.classes };
  }

  private get mergedCount(): number {
    return this.sides.egress.classes.usedCount + this.sides.ingress.classes.usedCount;
  }

  private reload(): void {
    const { program } = this.live;
    const ends = this.pods.localEnds;
    for (const direction of DIRECTIONS) this.sides[direction].renumber(new SlotClasses(program.portSets), ends, this.profiles);
    for (const end of ends) Object.assign(end.heldSlots, { egress: NO_SLOT, ingress: NO_SLOT });
    this.profiles = new PortSetProfiles(program.portSets, this.profileUses);
    this.pods.reload(program, this.slotClasses);
    this.named.reload();
    this.mergedAtStart = this.mergedCount;
  }

  private isInPodRanges({ family, value }: IpAddress): boolean {
    return this.podRanges.some((range) => range.family === family && range.first <= value && value <= range.last);
  }

  /** Nodes have few pod ranges, and clusters as many as they have nodes: they are told of seldom. */
  private readPodRanges({ cluster }: Program, localPodRanges: readonly IpRange[]): void {
    const isKnown = areSameRanges(localPodRanges, this.givenPodRanges);
    if (isKnown && !DIRECTIONS.some((direction) => this.sides[direction].areRangesDue)) return;
    this.givenPodRanges = localPodRanges;
    if (!isKnown) this.localPodRanges = joinRanges(localPodRanges);
    this.podRanges = joinRanges([...cluster.podRanges, ...localPodRanges]);
    for (const direction of DIRECTIONS) if (!isKnown) this.sides[direction].areRangesDue = true;
  }

  private changeLocalPods(ends: readonly LocalEnd[], draft: ChangeDraft): boolean {
    let takesAway = false;
    for (const end of ends) {
      const { pod, heldPod } = end;
      if (pod === undefined ? heldPod !== undefined : closesPod(heldPod, pod, this.heldPodRanges)) takesAway = true;
      this.changeEnd(end, draft);
    }
    return takesAway;
  }

  private changeEnd(end: LocalEnd, draft: ChangeDraft): void {
    const { pod } = end;
    if (pod !== end.heldPod || (pod === undefined && end.heldElements.length > 0)) {
      const wanted = pod === undefined ? [] : localPodElements(pod);
      for (const set of new Set([...wanted, ...end.heldElements].map(([name]) => name))) {
        const [before, after] = [elementIn(end.heldElements, set), elementIn(wanted, set)];
        if (before === undefined || after === undefined || before.data !== after.data) draft.put(set, { ...(before && { before }), ...(after && { after }) });
      }
      end.heldElements = wanted;
      end.heldPod = pod;
    }
    Object.assign(end.heldSlots, end.slots);
  }

  private changePodRanges(draft: ChangeDraft): boolean {
    if (this.localPodRanges === this.heldPodRanges) return false;
    for (const family of FAMILIES) {
      const set = `podrange${family}` as const;
      const ofFamily = (ranges: readonly IpRange[]): Element[] => ranges.filter((range) => range.family === family).map(rangeElement);
      draft.putDiff(set, diffSet(shapeOf(set), ofFamily(this.heldPodRanges), ofFamily(this.localPodRanges)));
    }
    const takesAway = closesRanges({ podRanges: this.heldPodRanges }, { podRanges: this.localPodRanges });
    this.heldPodRanges = this.localPodRanges;
    return takesAway;
  }

  private adoptPods(held: Held): void {
    for (const end of this.pods.localEnds) Object.assign(end, { heldPod: undefined, heldElements: [], heldSlots: { egress: NO_SLOT, ingress: NO_SLOT } });
    for (const { address, pod, elements } of held.localPods) {
      const end = this.pods.endAt(address);
      end.heldPod = pod;
      end.heldElements = elements;
    }
  }

  private adoptSide(direction: Direction, held: Held, uses: ReadonlyMap<number, ProfileUse>): void {
    const { addresses, touched } = this.pods;
    for (const family of FAMILIES) {
      addresses[family].held[direction].fill(NO_CLASS);
      for (const { value, peerClass } of held[direction].classes[family]) {
        const place = addresses[family].findOrAdd(value);
        addresses[family].held[direction][place] = peerClass;
        touched[family].add(place);
      }
    }
    const pairs = new Map<LocalEnd, Map<number, ProfileUse>>();
    for (const { address, peerClass, profile } of held[direction].pairs) {
      const end = this.pods.endAt(address);
      let ofEnd = pairs.get(end);
      if (ofEnd === undefined) pairs.set(end, (ofEnd = new Map()));
      const use = uses.get(profile)!;
      ofEnd.set(peerClass, use);
      use.pairCount++;
    }
    const ids = FAMILIES.flatMap((family) => [...held[direction].classes[family], ...held[direction].ranges[family]].map(({ peerClass }) => peerClass));
    this.sides[direction].adopt({ ranges: held[direction].ranges, pairs, ids });
  }

  private putSide(direction: Direction, put: (set: SetName, element: Element) => unknown): void {
    const side = this.sides[direction];
    for (const family of FAMILIES) {
      const { held, values } = this.pods.addresses[family];
      for (const [place, value] of values.entries()) {
        const data = held[direction][place]!;
        if (data !== NO_CLASS) put(`pc${letterOf(direction)}${family}`, { key: [value], data });
      }
      for (const { first, last, peerClass } of side.heldRangesOf(family)) put(`bc${letterOf(direction)}${family}`, { key: [first], last: [last], data: peerClass });
    }
    for (const end of this.pods.localEnds) {
      for (const [id, { number }] of side.heldPairsOf(end, this.profiles)) put(`p${letterOf(direction)}${end.address.family}`, { key: [end.address.value, id], data: number });
    }
  }
}

function elementIn(elements: readonly (readonly [SetName, Element])[], set: SetName): Element | undefined {
  return elements.find(([name]) => name === set)?.[1];
}

function areSameRanges(a: readonly IpRange[], b: readonly IpRange[]): boolean {
  return a.length === b.length && a.every(({ family, first, last }, place) => b[place]!.family === family && b[place]!.first === first && b[place]!.last === last);
}

function rangeElement({ first, last }: IpRange): Element {
  return { key: [first], last: [last] };
}
