// The page that leads from a cluster where everything talks to everything to enforced least privilege: each command of it is run on a real one, and prints what the page says.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { needs } from '../../needs.ts';
import { clusterPageFolder, runPage } from '../shown-page.ts';
import { buildAgentImage } from './agent-image.ts';
import { runnableBoutique } from './boutique.ts';
import { startNodes, type NodeCluster } from './node-cluster.ts';
import { makeNamespace } from './world.ts';

/** As the page names it. */
const AGENT_IMAGE = 'registry.example/bulkhead:0.1.0';

describe('a roll-out by the page', needs('nodes', 'shared'), () => {
  test('every command prints what docs/guide/roll-out.md says', { timeout: 600_000 }, async (t) => {
    const image = buildAgentImage([AGENT_IMAGE]);
    t.after(() => image.remove());
    const cluster = await startNodes({ cni: 'bridge', nodes: 2, isDualStack: false, proxy: 'nftables' }, { IMAGES: image.file });
    t.after(() => cluster.close());
    await openShop(cluster);
    const folder = clusterPageFolder(cluster.place.kubeconfig);
    t.after(() => folder.remove());
    writeFileSync(join(folder.path, 'boutique.yaml'), runnableBoutique());
    runPage('docs/guide/roll-out.md', folder, (text) => plain(text, cluster));
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
