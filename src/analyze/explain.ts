// Why two ends may talk or not: for each direction the policies that isolate and the rules that allow.
import type { IpFamily } from '../base/ip-address.ts';
import { ALL_PORTS, intersectPorts, subtractPorts, type PortSet } from '../base/port-set.ts';
import type { DirectionProgram, Program, RuleReference } from '../compile/program.ts';
import type { TierDecision } from '../compile/tier-decision.ts';
import { portsOfTiers } from '../compile/tier-ports.ts';
import type { NetworkPolicy } from '../model/network-policy.ts';
import { allowedPorts, isNeverJudged, ownNodePair } from './decide.ts';
import { quadOf, type EndpointRef } from './endpoint.ts';
import { portsToItself } from './hairpin.ts';
import { findNearMiss, type RuleMiss } from './near-miss.ts';

export interface Question {
  readonly source: EndpointRef;
  readonly target: EndpointRef;
  /** undefined: the first family that both ends have. */
  readonly family?: IpFamily;
  /** Points of the port line that are asked about; undefined: any port. */
  readonly ports?: PortSet;
  /** Both ends are one pod, and a Service leads it back to itself: NetworkPolicy does not judge that, cluster-wide policies do. */
  readonly isHairpin?: boolean;
}

export interface Explanation {
  /** `allowed`: all that was asked (of any port: at least one); `partly`: some of it. */
  readonly verdict: 'allowed' | 'partly' | 'denied';
  /** What of the ports asked about is allowed. */
  readonly ports: PortSet;
  /** false: no address of the one can speak to an address of the other, whatever policies say. */
  readonly hasCommonFamily: boolean;
  readonly egress: DirectionReason;
  readonly ingress: DirectionReason;
}

export interface DirectionReason {
  /** false: nothing judges this direction (outside the cluster, host network, a pod to itself, its own node where no tier has a rule for it). */
  readonly isJudged: boolean;
  /** What this direction alone lets through, of the ports asked about. */
  readonly ports: PortSet;
  /** Rules of the Admin tier that decided about a port asked about, in their order. */
  readonly admin: readonly TierDecision[];
  /** Rules of the Baseline tier; empty where a NetworkPolicy isolates, for then the tier is never asked. */
  readonly baseline: readonly TierDecision[];
  /** The NetworkPolicies that isolate the end; empty: it is not isolated, or speaks to its own node or by a Service to itself, which they let it. */
  readonly isolatedBy: readonly NetworkPolicy[];
  /** The rules that let at least one of the ports through. */
  readonly allowedBy: readonly RuleReference[];
  /** Only where nothing is let through: the rule that came nearest, and what of it fails. */
  readonly nearMiss: RuleMiss | undefined;
}

export function explain(program: Program, question: Question): Explanation {
  const asked = question.ports;
  const restrict = (ports: PortSet): PortSet => (asked === undefined ? ports : intersectPorts(ports, asked));
  const family = question.family ?? commonFamily(program, question);
  const isHairpin = question.isHairpin === true;
  const ports = restrict(isHairpin && question.source.kind === 'pod' ? portsToItself(program, question.source.pod, family) : allowedPorts(program, question.source, question.target, family));
  const source = quadOf(program, question.source);
  const target = quadOf(program, question.target);
  const isJudged = isHairpin || !isNeverJudged(program, question.source, question.target);
  const isLeftToTiers = isHairpin || ownNodePair(program, question.source, question.target) !== undefined;
  const reason = (direction: DirectionProgram, ends: JudgedEnds): DirectionReason => {
    const through = restrict(isLeftToTiers ? portsOfTiers(direction, ends) : program.portSets.portSet(direction.portsOf(ends.subject, ends.peerClass)));
    const isolatedBy = isLeftToTiers ? [] : direction.policiesOf(ends.subject);
    const open = { peerClass: ends.peerClass, ports: asked ?? ALL_PORTS };
    const admin = direction.tierDecisions('Admin', ends.subject, open);
    const left = undecided(admin, open.ports);
    const missed = { direction: direction.direction, subject: ends.end, peer: ends.other, family, ports: asked };
    const baseline = direction.isIsolated(ends.subject) ? [] : direction.tierDecisions('Baseline', ends.subject, { ...open, ports: left });
    return {
      isJudged: isJudged && isGoverned(program, ends.end) && (!isLeftToTiers || admin.length + baseline.length > 0),
      ports: through,
      admin,
      baseline,
      isolatedBy,
      allowedBy: isLeftToTiers ? [] : direction.allowingRules(ends.subject, ends.peerClass, intersectPorts(through, left)),
      nearMiss: through.length > 0 || left.length === 0 ? undefined : findNearMiss(program, isolatedBy, missed),
    };
  };
  return {
    verdict: ports.length === 0 ? 'denied' : asked === undefined || isEqual(ports, asked) ? 'allowed' : 'partly',
    ports,
    hasCommonFamily: [source, target].every(({ families }) => families.includes(family)),
    egress: reason(program.egress, { subject: source.egressSubject, peerClass: target.egressClass[family], end: question.source, other: question.target }),
    ingress: reason(program.ingress, { subject: target.ingressSubject, peerClass: source.ingressClass[family], end: question.target, other: question.source }),
  };
}

/** What the Admin tier passes on or does not match goes to the next. */
function undecided(decisions: readonly TierDecision[], ports: PortSet): PortSet {
  return decisions.filter(({ rule }) => rule.action !== 'Pass').reduce((rest, decision) => subtractPorts(rest, decision.ports), ports);
}

interface JudgedEnds {
  readonly subject: number;
  readonly peerClass: number;
  readonly end: EndpointRef;
  readonly other: EndpointRef;
}

function isGoverned(program: Program, end: EndpointRef): boolean {
  return end.kind === 'pod' && !program.cluster.pods[end.pod]!.hostNetwork;
}

function commonFamily(program: Program, { source, target }: Question): IpFamily {
  const families = quadOf(program, source).families.filter((family) => quadOf(program, target).families.includes(family));
  return families.find((family) => allowedPorts(program, source, target, family).length > 0) ?? families[0] ?? 4;
}

function isEqual(a: PortSet, b: PortSet): boolean {
  return a.length === b.length && a.every((point, index) => point === b[index]);
}
