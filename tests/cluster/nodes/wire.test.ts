// Without an agent every pod of a real cluster reaches every other: what the suite sees elsewhere is the agent's doing.
import { test } from 'node:test';
import { holdTruth } from './hold-truth.ts';
import { describeOnNodes } from './world.ts';

describeOnNodes('a cluster where nothing is enforced', { combination: { cni: 'bridge', nodes: 2, isDualStack: true, proxy: 'iptables' }, agent: 'none' }, (world) => {
  test('everything comes through', async () => {
    const { probed, settledMs } = await holdTruth(world().cluster, world().fleet, { isEnforced: false });
    console.log(`${probed} connections, all of them came through, after ${Math.round(settledMs)} ms`);
  });
});
