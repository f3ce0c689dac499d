// Addresses that pods were told for names, through random changes of a live emission: each pod may do with each what a fresh Program says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIpAddress, parseIpAddress, type IpAddress } from '../../src/base/ip-address.ts';
import { hasPoint, NO_PORTS, pointOf, type PortSet } from '../../src/base/port-set.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { coversDomainName } from '../../src/compile/domain-pattern.ts';
import { portsOfNames } from '../../src/compile/name-ports.ts';
import type { Program } from '../../src/compile/program.ts';
import type { LiveEmission } from '../../src/emit/live-emission.ts';
import { walkChains, type Flow } from '../../src/kernel/internal/walk-skeleton.ts';
import type { Cluster, Pod } from '../../src/model/cluster.ts';
import { checkWith, type PropertyOptions } from '../clusters/check-property.ts';
import { NODE, play, sortedElements, stories, type Turn } from './live-story.ts';

/** Outside of what pods have; in and out of the blocks that random rules name. */
const ADDRESSES: readonly IpAddress[] = ['192.168.7.7', '10.200.0.77', '203.0.113.1', 'fd02::77', '2001:db8::1'].map((text) => parseIpAddress(text)!);
const names = fc.uniqueArray(fc.constantFrom('example.org', 'www.example.org', 'a.b.example.org', 'a.www.example.org', 'example.net'), { minLength: 1, maxLength: 2 });
const told = fc.tuple(...ADDRESSES.map(() => names));
/** Whose clusters have many; others may have none. */
const SEED = 1;
const PORTS = [1, 53, 77, 80, 81, 8080, 65535];

interface Telling {
  readonly emission: LiveEmission;
  readonly pods: ReadonlySet<string>;
}

test('what pods were told for names is open as a fresh Program says, after each change', () => {
  holdNames({ share: 0.4 });
});

test('among them there are connections that a name opens', () => {
  const { opened, compared } = holdNames({ share: 0.4, seed: SEED });
  assert.ok(opened > 100 && compared > opened, `${opened} of ${compared} connections are open by a name`);
});

function holdNames(options: PropertyOptions): { readonly opened: number; readonly compared: number } {
  let [opened, compared] = [0, 0];
  checkWith(fc.record({ story: stories, told }), (raw, { story, told: namesOf }) => {
    let telling: Telling | undefined;
    for (const turn of play(raw, story)) {
      if (!turn.isBroken) {
        assert.deepEqual(sortedElements(turn.emission.elements()), sortedElements(turn.table.elements));
        for (const { wanted, found, text } of verdictsOf(turn, telling, namesOf)) {
          compared++;
          opened += Number(wanted);
          assert.equal(found, wanted, text);
        }
      }
      telling = tell(turn, namesOf);
    }
  }, options);
  return { opened, compared };
}

/** Every local pod is told every address. */
function tell({ emission, cluster }: Turn, namesOf: readonly (readonly string[])[]): Telling {
  const pods = localAddresses(cluster);
  for (const pod of pods) for (const [index, address] of ADDRESSES.entries()) if (address.family === pod.family) emission.name({ pod, address, names: namesOf[index]! });
  return { emission, pods: new Set(pods.map(formatIpAddress)) };
}

function* verdictsOf({ table, emission, cluster }: Turn, telling: Telling | undefined, namesOf: readonly (readonly string[])[]): Generator<{ readonly wanted: boolean; readonly found: boolean; readonly text: string }> {
  const program = compileCluster(cluster);
  const look = (...words: Parameters<typeof table.look>): number | undefined => table.look(...words);
  for (const pod of localAddresses(cluster)) {
    const [owner, ...others] = cluster.pods.flatMap((one, index) => (one.addresses.some((own) => isSame(own, pod)) ? [index] : []));
    if (others.length > 0) continue;
    for (const [index, address] of ADDRESSES.entries()) {
      if (address.family !== pod.family) continue;
      const isTold = telling?.emission === emission && telling.pods.has(formatIpAddress(pod));
      const ports = isTold ? portsByName(program, owner!, { address, names: namesOf[index]! }) : NO_PORTS;
      for (const port of PORTS) {
        const flow: Flow = { source: pod, target: address, protocol: 6, port };
        const isOpenAnyway = walkChains(flow, look).kind === 'allow';
        if (isOpenAnyway) continue;
        yield { wanted: hasPoint(ports, pointOf('TCP', port)), found: walkChains({ ...flow, isByName: true }, look).kind === 'allow', text: `${formatIpAddress(pod)} → ${formatIpAddress(address)} TCP ${port}` };
      }
    }
  }
}

function portsByName({ egress, domainNames, groupOfPod, ...program }: Program, pod: number, { address, names: known }: { readonly address: IpAddress; readonly names: readonly string[] }): PortSet {
  const subject = egress.subjectOfGroup[groupOfPod[pod]!]!;
  if (!egress.isGoverned(subject) || program.cluster.podRanges.some(({ family, first, last }) => family === address.family && first <= address.value && address.value <= last)) return NO_PORTS;
  const nameClasses = domainNames.flatMap((pattern, place) => (known.some((name) => coversDomainName(pattern, name)) ? [egress.classOfDomainName[address.family][place]!] : []));
  return portsOfNames(egress, { subject, peerClass: egress.classOfAtom[program.findAtom(address)]!, nameClasses });
}

function localAddresses({ pods }: Cluster): readonly IpAddress[] {
  const isLocal = ({ nodeName, hostNetwork }: Pod): boolean => nodeName === NODE && !hostNetwork;
  return pods.flatMap((pod) => (isLocal(pod) ? pod.addresses : []));
}

function isSame(a: IpAddress, b: IpAddress): boolean {
  return a.family === b.family && a.value === b.value;
}
