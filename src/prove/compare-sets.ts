// Whether two sets of policies allow the same, or one all that the other does; where not, connections that differ and the rules behind them.
import { parseIpAddress } from '../base/ip-address.ts';
import { rangeLabel } from '../base/range-label.ts';
import type { Program } from '../compile/program.ts';
import type { EndpointRef } from '../analyze/endpoint.ts';
import type { Endpoint } from '../analyze/endpoints.ts';
import { comparePrograms, type Change } from '../compare/compare.ts';
import type { ProgramPair } from '../compare/program-pair.ts';
import { exampleOf, type AssertionResult, type ConnectionExample, type ExampleEnd } from './check-assertion.ts';

export type SetQuestion = 'equal' | 'contained';

/** Counterexamples listed; the search goes no further. */
const EXAMPLES_MAX = 20;

/** `contained`: every connection of `before` is one of `after`. Each counterexample is explained in the set that allows it. */
export function compareSets(pair: ProgramPair, question: SetQuestion): AssertionResult {
  const { endpoints, changes, exampleOf: examplePair } = comparePrograms(pair);
  const found: ConnectionExample[] = [];
  const exampleIn = (program: Program, side: keyof ProgramPair, change: Change): ConnectionExample => {
    const { source, target, ports } = examplePair(change, side);
    const labelled = (end: number, ref: EndpointRef): ExampleEnd => ({ label: labelOf(endpoints[end]!), ref });
    return exampleOf(program, { source: labelled(change.source, source), target: labelled(change.target, target), ports });
  };
  for (const change of changes()) {
    const isLost = change.lost.length > 0;
    if (!isLost && question === 'contained') continue;
    if (found.length === EXAMPLES_MAX) return { holds: false, counterexamples: found, hasMore: true };
    found.push(isLost ? exampleIn(pair.before, 'before', change) : exampleIn(pair.after, 'after', change));
  }
  return { holds: found.length === 0, counterexamples: found, hasMore: false };
}

function labelOf(endpoint: Endpoint): string {
  if (!('first' in endpoint)) return endpoint.id;
  const [first, last] = [parseIpAddress(endpoint.first)!, parseIpAddress(endpoint.last)!]; // an endpoint's ends are addresses that we formatted
  return rangeLabel({ family: first.family, first: first.value, last: last.value });
}
