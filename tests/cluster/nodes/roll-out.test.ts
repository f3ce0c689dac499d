// The page that leads from a cluster where everything talks to everything to enforced least privilege: each command of it is run on a real one, and prints what the page says.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { findConsoleBlocks, makePageFolder, matchesOutput, rewriteConsoleBlocks, statusOf } from '../../../scripts/console-blocks.ts';
import { cloneRoot, needs } from '../../needs.ts';
import { builtProgram } from '../run-script.ts';
import { buildAgentImage } from './agent-image.ts';
import { runnableBoutique } from './boutique.ts';
import { startNodes, type NodeCluster } from './node-cluster.ts';
import { makeNamespace } from './world.ts';

/** As the page names it. */
const AGENT_IMAGE = 'registry.example/bulkhead:0.1.0';

const PAGE = join(cloneRoot, 'docs/guide/roll-out.md');

/** Rewrites the page instead: `BULKHEAD_UPDATE=1 npm run test:cluster -- tests/cluster/nodes/roll-out.test.ts`. */
const IS_UPDATE = process.env['BULKHEAD_UPDATE'] === '1';

/** A file that the page shows whole, under its name. */
const SHOWN_FILE = /^```yaml (\S+)\n([\s\S]*?)^```$/gm;

describe('a roll-out by the page', needs('nodes', 'shared'), () => {
  test('every command prints what docs/guide/roll-out.md says', { timeout: 600_000 }, async (t) => {
    const image = buildAgentImage([AGENT_IMAGE]);
    t.after(() => image.remove());
    const cluster = await startNodes({ cni: 'bridge', nodes: 2, isDualStack: false, proxy: 'nftables' }, { IMAGES: image.file });
    t.after(() => cluster.close());
    await openShop(cluster);
    const folder = makePageFolder(cloneRoot, { KUBECONFIG: cluster.place.kubeconfig, PATH: `${dirname(builtProgram('kubectl'))}:${process.env['PATH']}` });
    t.after(() => folder.remove());
    const page = readFileSync(PAGE, 'utf8');
    writeFileSync(join(folder.path, 'boutique.yaml'), runnableBoutique());
    for (const [, name, text] of page.matchAll(SHOWN_FILE)) writeFileSync(join(folder.path, name!), text!);
    const outputs: string[] = [];
    for (const block of findConsoleBlocks(page)) {
      for (const [index, { command, output }] of block.commands.entries()) {
        const run = folder.run(command);
        outputs.push(plain(run.output, cluster));
        const isLast = index === block.commands.length - 1;
        if (isLast) assert.equal(run.status, statusOf(block), `${PAGE}:${block.line}: \`${command}\` printed\n${run.output}`);
        if (!IS_UPDATE && !matchesOutput(masked(output), masked(outputs.at(-1)!))) assert.equal(masked(outputs.at(-1)!), masked(output), `${PAGE}:${block.line}: \`${command}\``);
      }
    }
    if (IS_UPDATE) writeFileSync(PAGE, rewriteConsoleBlocks(page, outputs));
  });
});

async function openShop(cluster: NodeCluster): Promise<void> {
  await makeNamespace(cluster, 'boutique', {});
  cluster.kubectl(['apply', '-n', 'boutique', '-f', '-'], runnableBoutique());
  cluster.kubectl(['wait', '-n', 'boutique', '--for=condition=Available', '--timeout=90s', 'deployment', '--all']);
}

/** Names of nodes as a reader would have them; what follows stays in its column. */
function plain(text: string, { place }: NodeCluster): string {
  return text.replaceAll(new RegExp(`${place.name}-node([0-9])( *)`, 'g'), (_, number: string, room: string) => `node-${number}${room.length > 1 ? room + ' '.repeat(place.name.length) : room}`);
}

/** Less what differs from run to run: times, how long something took, addresses of pods, the ends of their names. */
function masked(text: string): string {
  return text
    .replaceAll(/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z?/g, 'TIME')
    .replaceAll(/\b[0-9]+(\.[0-9]+)? ?(ms|s|seconds?)\b/g, 'DURATION')
    .replaceAll(/\b10\.244\.[0-9]+\.[0-9]+\b/g, 'ADDRESS')
    .replaceAll(/-[0-9a-z]{8,10}-[0-9a-z]{5}\b/g, '-POD')
    .replaceAll(/ {2,}/g, '  ');
}
