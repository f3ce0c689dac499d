// Address translation of Services as nft text: one rule for each family and protocol, all Services are elements of maps.
import { formatIpAddress, type IpAddress, type IpFamily } from '../../base/ip-address.ts';
import type { LabPlan } from '../lab-plan.ts';

export const SERVICE_TABLE = 'bulkhead-lab';

/** A client's connection draws a number below this; back ends share the numbers in turn, so more than this many get nothing. */
export const SERVICE_SLOTS = 16;

/** Texts to load one after the other, each small enough for the buffer of a plain user's socket; none where nothing is to be translated. */
export function serviceTable(plan: LabPlan): string[] {
  const elements = plan.families.flatMap((family) => elementsOf(plan, family));
  if (elements.length === 0) return [];
  const texts = [skeleton(plan.families)];
  for (let start = 0; start < elements.length; start += ELEMENTS_PER_TEXT) {
    texts.push(elements.slice(start, start + ELEMENTS_PER_TEXT).join('\n'));
  }
  return texts;
}

/** Of 100 bytes each; the socket takes 200 KiB in one message. */
const ELEMENTS_PER_TEXT = 1000;

// A pod that reaches itself through its own Service would get a packet from its own address: the node's stands in.
function skeleton(families: readonly IpFamily[]): string {
  const ip = (family: IpFamily): string => (family === 4 ? 'ip' : 'ip6');
  const maps = families.flatMap((family) => [
    ` map backends${family} { typeof ${ip(family)} daddr . meta l4proto . th dport . numgen random mod ${SERVICE_SLOTS} : ${ip(family)} daddr . tcp dport; }`,
    ` set hairpin${family} { type ipv${family}_addr . ipv${family}_addr; }`,
  ]);
  const translate = families.flatMap((family) =>
    ['tcp', 'udp', 'sctp'].map(
      (protocol) => `  meta l4proto ${protocol} dnat ${ip(family)} to ${ip(family)} daddr . meta l4proto . ${protocol} dport . numgen random mod ${SERVICE_SLOTS} map @backends${family}`,
    ),
  );
  const hairpin = families.map((family) => `  ${ip(family)} saddr . ${ip(family)} daddr @hairpin${family} masquerade`);
  return [
    `table inet ${SERVICE_TABLE} {`,
    ...maps,
    ' chain prerouting { type nat hook prerouting priority dstnat; policy accept;',
    ...translate,
    ' }',
    ' chain postrouting { type nat hook postrouting priority srcnat; policy accept;',
    ...hairpin,
    ' }',
    '}',
    '',
  ].join('\n');
}

function elementsOf(plan: LabPlan, family: IpFamily): string[] {
  const backends: string[] = [];
  const hairpin = new Set<string>();
  for (const service of plan.services) {
    for (const address of ofFamily(service.addresses, family)) {
      for (const { protocol, port, backends: pods } of service.ports) {
        const targets = pods.flatMap(({ pod, port: podPort }) => ofFamily(plan.pods[pod]!.addresses, family).map((text) => ({ text, podPort })));
        if (targets.length === 0) continue;
        for (let slot = 0; slot < SERVICE_SLOTS; slot++) {
          const { text, podPort } = targets[slot % targets.length]!;
          backends.push(`add element inet ${SERVICE_TABLE} backends${family} { ${address} . ${protocol.toLowerCase()} . ${port} . ${slot} : ${text} . ${podPort} }`);
        }
        for (const { text } of targets) hairpin.add(`add element inet ${SERVICE_TABLE} hairpin${family} { ${text} . ${text} }`);
      }
    }
  }
  return [...backends, ...hairpin];
}

function ofFamily(addresses: readonly IpAddress[], family: IpFamily): string[] {
  return addresses.filter((address) => address.family === family).map(formatIpAddress);
}
