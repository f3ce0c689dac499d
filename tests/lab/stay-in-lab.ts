// A program for the tests: runs a small lab until it is told to end, as root or in a user namespace of its own.
import { compileCluster } from '../../src/compile/compile.ts';
import { emitRuleset } from '../../src/emit/emit.ts';
import { loadSteps } from '../../src/emit/plan-change.ts';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import { detectNamespaceRight } from '../../src/kernel/namespace-right.ts';
import { enterUserNamespace } from '../../src/lab/enter-user-namespace.ts';
import { placementOf } from '../../src/lab/lab-placement.ts';
import { planLab, withLabAddresses } from '../../src/lab/lab-plan.ts';
import { startLab } from '../../src/lab/lab.ts';
import { cluster, pod, policy, service } from './example-cluster.ts';

const right = detectNamespaceRight();
if (right.kind === 'none') throw new Error(`${right.reason}; ${right.remedy}`);
if (right.kind === 'user-namespace') enterUserNamespace();

const input = cluster({
  pods: [pod('shop/db', { ports: ['TCP/3306'] }), pod('shop/web', { ports: ['TCP/80'] })],
  services: [service('shop/db', { ports: ['TCP/3306>3306'] })],
  policies: [policy('shop/db', { selector: { app: 'db' }, ingress: [] })],
});
const plan = planLab(input);
const lab = await startLab(plan);
const firewall = openFirewall({ namespace: lab.node });
firewall.load(loadSteps(emitRuleset(compileCluster(withLabAddresses(input, plan)), placementOf(plan)).ruleset));
const alive = setInterval(() => undefined, 1_000_000);
process.once('SIGTERM', async () => {
  firewall.close();
  await lab.close();
  clearInterval(alive);
  process.stdout.write('closed\n');
});
// After the way through a user namespace the right is a direct one; the mark tells.
process.stdout.write(`ready ${process.env['BULKHEAD_IN_USER_NAMESPACE'] === '1' ? 'user-namespace' : right.kind}\n`);
