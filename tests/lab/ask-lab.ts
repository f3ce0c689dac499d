// A program for the tests: what another process sees of the lab that runs; `list`, `shell PID POD COMMAND…` or `probe PID SOURCE TARGET PORT`.
import { enterLabUserNamespace } from '../../src/lab/enter-user-namespace.ts';
import { openShell } from '../../src/lab/lab-shell.ts';
import { findLab, readLabs } from '../../src/lab/lab-state.ts';
import { probeOnce } from '../../src/lab/probe-once.ts';

// Other tests run labs too, so the one that is meant is named.
const [verb, pid, ...words] = process.argv.slice(2);
if (verb === 'list') {
  process.stdout.write(`${readLabs().map(({ pid }) => pid).join()}\n`);
} else if (verb === 'shell') {
  process.exitCode = await openShell(findLab(Number(pid)), words[0]!, words.slice(1));
} else {
  const state = findLab(Number(pid));
  enterLabUserNamespace(state);
  const verdicts = await probeOnce(state, { source: words[0]!, target: words[1]!, protocol: 'TCP', port: Number(words[2]) });
  process.stdout.write(`${verdicts.map(({ verdict, evidence, refusal }) => `${verdict} ${evidence} ${refusal ?? '-'}`).join('\n')}\n`);
}
