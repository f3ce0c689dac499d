// Decides one packet as the chains of the skeleton do, by the same look-ups in the same order.
import type { IpAddress } from '../../base/ip-address.ts';
import type { Key } from '../../emit/element.ts';
import { EVERY_PORT_BIT, OTHER_PROTOCOLS_BIT, profileIdOf } from '../../emit/profile-number.ts';
import type { SetName } from '../../emit/set-shape.ts';
import type { Refusal } from '../firewall.ts';

/** Both ends as conntrack knows them. */
export interface Flow {
  readonly source: IpAddress;
  readonly target: IpAddress;
  readonly protocol: number;
  readonly port: number;
  /** What the pod was told for names counts: the connection is there, or the time to live goes on. */
  readonly isByName?: boolean;
}

export type Look = (set: SetName, key: Key) => number | undefined;

/** `profile` is what the ledger records: 0 where none was asked. */
export type Judgment = { readonly kind: 'allow'; readonly profile: number } | { readonly kind: 'refuse'; readonly refusal: Refusal };

const PORT_PROTOCOLS: ReadonlySet<number> = new Set([6, 17, 132]);

/** IP protocol with ports in the sense of the skeleton: TCP, UDP, SCTP. */
export function hasPorts(protocol: number): boolean {
  return PORT_PROTOCOLS.has(protocol);
}

/** From the chain `egress` on. */
export function walkChains(flow: Flow, look: Look): Judgment {
  let egress = walkSide(flow, { letter: 'e', local: flow.source, peer: flow.target, refusal: 'egress' }, look);
  if (egress.kind === 'refuse') {
    const judgment = refuseUnlessSelf(flow, egress, look);
    const profile = judgment.kind === 'refuse' && judgment.refusal === 'egress' ? walkNamed(flow, look) : undefined;
    if (profile === undefined) return judgment;
    egress = { kind: 'pass', isLocal: true, profile };
  }
  const ingress = walkSide(flow, { letter: 'i', local: flow.target, peer: flow.source, refusal: 'ingress' }, look);
  if (ingress.kind === 'refuse') return refuseUnlessSelf(flow, ingress, look);
  return ingress.isLocal ? { kind: 'allow', profile: ingress.profile } : { kind: 'allow', profile: egress.profile };
}

/** The chain `judge_own_node`: a pod and the node it runs on. */
export function walkOwnNode(flow: Flow, look: Look): Judgment {
  const { source, target } = flow;
  if (look(`ln${source.family}`, [source.value]) === undefined) return { kind: 'allow', profile: 0 };
  const number = look(`on${source.family}`, [source.value, target.value]);
  const profile = number === undefined ? undefined : walkProfile(flow, number, look);
  return profile === undefined ? { kind: 'refuse', refusal: 'egress' } : { kind: 'allow', profile };
}

/** The chain `untracked`: what has no entry in conntrack, by the addresses of the packet. */
export function walkUntracked({ source, target }: Flow, look: Look): Judgment {
  const isClosed = (local: `l${'e' | 'i'}`, { family, value }: IpAddress): boolean => {
    const isolation = look(`${local}${family}`, [value]);
    return isolation === undefined ? look(`podrange${family}`, [value]) !== undefined : isolation !== 0;
  };
  if (isClosed('le', source) || isClosed('li', target)) return { kind: 'refuse', refusal: 'no-connection' };
  return { kind: 'allow', profile: 0 };
}

interface Side {
  readonly letter: 'e' | 'i';
  readonly local: IpAddress;
  readonly peer: IpAddress;
  readonly refusal: Refusal;
}

type SideJudgment = { readonly kind: 'pass'; readonly isLocal: boolean; readonly profile: number } | { readonly kind: 'refuse'; readonly refusal: Refusal };

function walkSide(flow: Flow, { letter, local, peer, refusal }: Side, look: Look): SideJudgment {
  const { family } = local;
  const isolation = look(`l${letter}${family}`, [local.value]);
  if (isolation === undefined) {
    if (look(`podrange${family}`, [local.value]) !== undefined) return { kind: 'refuse', refusal: 'unknown-pod' };
    return { kind: 'pass', isLocal: false, profile: 0 };
  }
  if (isolation === 0) return { kind: 'pass', isLocal: true, profile: 0 };
  const peerClass = look(`pc${letter}${family}`, [peer.value]) ?? look(`bc${letter}${family}`, [peer.value]);
  const number = peerClass === undefined ? undefined : look(`p${letter}${family}`, [local.value, peerClass]);
  const profile = number === undefined ? undefined : walkProfile(flow, number, look);
  return profile === undefined ? { kind: 'refuse', refusal } : { kind: 'pass', isLocal: true, profile };
}

/** The chain `named`. */
function walkNamed(flow: Flow, look: Look): number | undefined {
  const { source: { family, value }, target, isByName = false } = flow;
  const number = isByName && target.family === family ? look(`named${family}`, [value, target.value]) : undefined;
  return number === undefined ? undefined : walkProfile(flow, number, look);
}

function walkProfile({ protocol, port }: Flow, number: number, look: Look): number | undefined {
  if (number >= EVERY_PORT_BIT) return profileIdOf(number);
  if (!hasPorts(protocol)) return number >= OTHER_PROTOCOLS_BIT ? profileIdOf(number) : undefined;
  return look('px', [number, protocol, port]) ?? look('pp', [number, protocol]) ?? look('pr', [number, protocol, port]);
}

// A refusal for an unknown pod comes before the look at `self`: it is in none of the two sets.
function refuseUnlessSelf({ source, target }: Flow, refusal: Judgment & { readonly kind: 'refuse' }, look: Look): Judgment {
  const isSelf = refusal.refusal !== 'unknown-pod' && source.family === target.family && look(`self${source.family}`, [source.value, target.value]) !== undefined;
  return isSelf ? { kind: 'allow', profile: 0 } : refusal;
}
