// What a Program says about each probe of a plan.
import { allowedPorts } from '../analyze/decide.ts';
import { hasPoint, pointOf, type PortSet } from '../base/port-set.ts';
import type { Program } from '../compile/program.ts';
import type { ProbePlan } from './plan-probes.ts';

export type Verdict = 'allowed' | 'denied';

/** By position of the probe. The Program must be of the very cluster whose pods the endpoints name, with their addresses. */
export function expectedVerdicts(program: Program, { endpoints, probes }: ProbePlan): Verdict[] {
  let pair = '';
  let ports: PortSet = [];
  return probes.map(({ source, target, family, protocol, port }) => {
    const key = `${source} ${target} ${family}`;
    // Probes of one pair and family stand together.
    if (key !== pair) ports = allowedPorts(program, endpoints[source]!.subject, endpoints[target]!.subject, family);
    pair = key;
    return hasPoint(ports, pointOf(protocol, port)) ? 'allowed' : 'denied';
  });
}
