// The manifests that are printed are those that are shipped, but for the image and the switch that are asked for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadAll } from 'js-yaml';
import { agentManifests, type ManifestOptions } from '../../src/cli/run/agent-manifests.ts';

interface Manifest {
  readonly kind: string;
  readonly spec?: { readonly template?: { readonly spec: { readonly containers: readonly { readonly image: string; readonly args: readonly string[] }[] } } };
}

function printed(options: ManifestOptions): readonly Manifest[] {
  return loadAll(agentManifests(options)) as readonly Manifest[];
}

/** Without what a container is told. */
function rest(manifests: readonly Manifest[]): string {
  return JSON.stringify(manifests, (key, value: unknown) => (key === 'image' || key === 'args' ? undefined : value));
}

test('the image and --allow-audit stand in the agent alone, and nothing else differs', () => {
  const [plain, asked] = [printed({}), printed({ image: 'registry.example/bulkhead:1', allowsAudit: true })];
  const containersOf = (manifests: readonly Manifest[]): readonly { readonly image: string; readonly args: readonly string[] }[] => manifests.flatMap(({ spec }) => spec?.template?.spec.containers ?? []);
  assert.deepEqual(containersOf(plain).map(({ args }) => args.includes('--allow-audit')), [false]);
  assert.deepEqual(containersOf(asked).map(({ image, args }) => [image, args]), [['registry.example/bulkhead:1', ['agent', '--allow-audit', ...containersOf(plain)[0]!.args.slice(1)]]]);
  assert.equal(rest(asked), rest(plain));
  const withProber = containersOf(printed({ allowsAudit: true, probing: true }));
  assert.deepEqual(withProber.map(({ args }) => args.includes('--allow-audit')), [true, false]);
});
