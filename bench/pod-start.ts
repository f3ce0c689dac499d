// How soon a new pod may talk: from its address, and from its first instruction, to its allowed traffic, on two real nodes; as root, with what `npm run test:cluster` builds.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { cloneRoot } from '../tests/needs.ts';

/** One after another, some seconds each; the nightly setting of the test starts 500. */
const PODS = Number(process.env['BULKHEAD_POD_STARTS'] ?? 60);

const words = [join(cloneRoot, 'scripts/test-cluster.ts'), 'tests/cluster/nodes/pod-start.test.ts'];
const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, BULKHEAD_POD_STARTS: `${PODS}`, BULKHEAD_REQUIRE: '1' } });
// It is told as it goes: the last three lines are of all of them.
const figures = stdout.split('\n').filter((line) => /connections, \d+ leaked|from (a pod's address|its first instruction)/.test(line)).slice(-3);
console.log([...figures, '(goals: none leaked, none refused 1 s and more after the first instruction)'].join('\n'));
if (status !== 0 || figures.length === 0) {
  console.log(stdout.split('\n').slice(-30).join('\n'));
  process.exitCode = 1;
}
