// Two rulesets that say the same about the wired hosts, with some thousand strangers between whom only the kernel's work tells.
import { portSetOf } from '../../src/base/port-set.ts';
import type { Ruleset } from '../../src/emit/ruleset.ts';
import { sortRuleset } from '../../src/emit/sort-ruleset.ts';
import { rulesetOf } from './rules.ts';

/** Their classes alone fill more than one batch of a small buffer. */
const STRANGERS = 8000;
const FIRST_STRANGER = 0x0a640000n;

/** `b` lets `a` in on UDP, and nobody else; `c` may not go out. */
export const LARGE_RULESETS: readonly [Ruleset, Ruleset] = [withStrangers(0), withStrangers(1)];

function withStrangers(shift: number): Ruleset {
  const own = rulesetOf({
    isolated: { ingress: ['b'], egress: ['c'] },
    allowed: [{ direction: 'ingress', local: 'b', peer: 'a', ports: portSetOf('UDP', 1, 65535) }],
  });
  const strangers = Array.from({ length: STRANGERS }, (_, index) => ({
    direction: 'ingress' as const,
    address: { family: 4 as const, value: FIRST_STRANGER + BigInt(index) },
    peerClass: 100 + ((index + shift) % 7),
  }));
  return sortRuleset({ ...own, podClasses: [...own.podClasses, ...strangers] });
}
