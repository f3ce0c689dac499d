// A process that loads and changes our table without end in the namespace behind descriptor 3, to be killed at any moment.
import { randomInt } from 'node:crypto';
import { loadSteps } from '../../src/emit/plan-change.ts';
import { openFirewall, type NftFirewallOptions } from '../../src/kernel/nft-firewall.ts';
import { LARGE_RULESETS } from './large-rulesets.ts';
import { changeTo } from './whole-ruleset.ts';

const options = JSON.parse(process.argv[2]!) as NftFirewallOptions; // written by the test that starts it
const firewall = openFirewall({ ...options, namespace: 3 });

process.stdout.write('.');
let isKnown = firewall.takeOver() !== undefined;
for (let turn = randomInt(2); ; turn++) {
  const wanted = LARGE_RULESETS[turn % 2]!;
  if (isKnown && randomInt(3) === 0) changeTo(firewall, wanted);
  else firewall.load(loadSteps(wanted));
  isKnown = true;
}
