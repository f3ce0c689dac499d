// All verdicts of a compiled cluster by the names of the ends, so that two Programs can be held against each other.
import { allowedPorts } from '../../src/analyze/decide.ts';
import type { EndpointRef } from '../../src/analyze/endpoint.ts';
import { formatIpAddress, type IpAddress, type IpFamily } from '../../src/base/ip-address.ts';
import type { PortSet } from '../../src/base/port-set.ts';
import type { Program } from '../../src/compile/program.ts';
import { podKey } from './settle.ts';

const FAMILIES: readonly IpFamily[] = [4, 6];

/** Ports by `source → target over IPv4`, for every pair of pods and every pod with every address. */
export function verdictsOf(program: Program, outside: readonly IpAddress[]): ReadonlyMap<string, PortSet> {
  const pods = program.cluster.pods.map((pod, index): Named => ({ name: podKey(pod), ref: { kind: 'pod', pod: index } }));
  const addresses = outside.map((address): Named => ({ name: formatIpAddress(address), ref: { kind: 'address', address } }));
  const verdicts = new Map<string, PortSet>();
  const ask = (source: Named, target: Named): void => {
    for (const family of FAMILIES) {
      verdicts.set(`${source.name} → ${target.name} over IPv${family}`, allowedPorts(program, source.ref, target.ref, family));
    }
  };
  for (const pod of pods) {
    for (const other of pods) ask(pod, other);
    for (const address of addresses) {
      ask(pod, address);
      ask(address, pod);
    }
  }
  return verdicts;
}

interface Named {
  readonly name: string;
  readonly ref: EndpointRef;
}
