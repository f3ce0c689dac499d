// How soon a new pod may talk: from its address, and from its first instruction, to its allowed traffic, on two real nodes; as root, with what `npm run test:cluster` builds.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { cloneRoot } from '../tests/needs.ts';

/** One after another, some seconds each. */
const PODS = 60;

const words = [join(cloneRoot, 'scripts/test-cluster.ts'), 'tests/cluster/nodes/pod-start.test.ts'];
const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, BULKHEAD_POD_STARTS: `${PODS}`, BULKHEAD_REQUIRE: '1' } });
const figures = stdout.split('\n').filter((line) => /connections, \d+ leaked|from (a pod's address|its first instruction)/.test(line));
console.log([...figures, '(goals: none leaked, none refused 1 s and more after the first instruction)'].join('\n'));
if (status !== 0 || figures.length === 0) {
  console.log(stdout.split('\n').slice(-30).join('\n'));
  process.exitCode = 1;
}
