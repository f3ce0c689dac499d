// The emitted rules in the fake on a page: the elements of each node, asked packet by packet.
import { hasPoint, NO_PORTS } from '../../src/base/port-set.ts';
import { emitRuleset } from '../../src/emit/emit.ts';
import { loadSteps } from '../../src/emit/plan-change.ts';
import { PROTOCOL_NUMBER } from '../../src/emit/profile-elements.ts';
import { createFakeFirewall } from '../../src/kernel/fake-firewall.ts';
import { trafficPoints } from '../clusters/points.ts';
import { describePoint, linePoint, pairsOfEnds } from './case-pairs.ts';
import type { LoadedCase } from './loaded-case.ts';
import { connectionsBetween, placeCase } from './placed-case.ts';
import { parseReach } from './reach-text.ts';

const ICMP = 1;

/** Every node on the way must let the packet pass, for one of the connections between the ends at least. */
export function fakeDisagreements(loaded: LoadedCase): readonly string[] {
  const expected = parseReach(loaded.page.expected);
  const placed = placeCase(loaded);
  const firewalls = new Map([...placed.placements].map(([node, placement]) => {
    const firewall = createFakeFirewall();
    firewall.load(loadSteps(emitRuleset(placed.program, placement).ruleset));
    return [node, firewall];
  }));
  const wrong: string[] = [];
  for (const [source, target] of pairsOfEnds(loaded)) {
    // Nothing in the kernel knows a name without the answers of DNS.
    if (target.domainName !== undefined) continue;
    const ports = expected.get(`${source.name} → ${target.name}`) ?? NO_PORTS;
    const connections = connectionsBetween(placed, source, target);
    if (connections === undefined) continue;
    for (const point of trafficPoints(loaded.cluster)) {
      const { protocol, port } = point;
      const packet = { protocol: protocol === 'other' ? ICMP : PROTOCOL_NUMBER[protocol], port };
      const isAllowed = connections.some(({ nodes, ...ends }) => nodes.every((node) => firewalls.get(node)!.decide({ ...ends, ...packet }) === 'accept'));
      if (isAllowed !== hasPoint(ports, linePoint(point))) wrong.push(describePoint(source, target, point, isAllowed));
    }
  }
  return wrong;
}
