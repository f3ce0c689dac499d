// How long 10,000 policies in files take to be linted, as the command does it, and one keystroke in a policy of 300 lines, as an editor does it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lintManifests } from '../src/lint/lint-manifests.ts';
import { generateManifests, toYaml } from './generate-cluster.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const POLICIES = 10_000;
const PODS = 5_000;
const REPEATS = 3;
const KEYSTROKES = 200;
const POLICY_LINES = 300;

interface Run {
  readonly seconds: number;
  readonly megabytes: number;
  readonly summary: string;
}

if (process.argv[2] === 'lint') await lintFolder(process.argv[3]!, process.argv[4]!);
else reportAll();

function reportAll(): void {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-bench-'));
  try {
    for (const pods of [0, PODS]) {
      const name = join(folder, `${pods}`);
      writeFiles(name, pods);
      reportFolder(name, `${POLICIES} policies in as many files, ${pods === 0 ? 'nothing else' : `${PODS} pods of ${PODS / 5} Deployments beside them`}`);
    }
    reportKeystroke();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One document a file; the same namespaces and policies whether or not the pods are there. */
function writeFiles(folder: string, pods: number): void {
  mkdirSync(folder);
  const manifests = generateManifests({ mode: 'deployments', pods: PODS, policies: POLICIES });
  const kept = manifests.filter(({ kind }) => kind === 'NetworkPolicy' || (pods > 0 && kind !== 'NetworkPolicy'));
  for (const [index, manifest] of kept.entries()) writeFileSync(join(folder, `${index}.yaml`), toYaml(manifest));
}

function reportFolder(folder: string, what: string): void {
  const runs = Array.from({ length: REPEATS }, () => lintApart(folder));
  const least = (pick: (run: Run) => number): number => Math.min(...runs.map(pick));
  console.log(`${what}: ${least(({ seconds }) => seconds).toFixed(2)} s CPU, ${least(({ megabytes }) => megabytes).toFixed(0)} MB resident, least of ${REPEATS} (goal 8 s, 700 MB); ${runs[0]!.summary}`);
}

/** In a process of its own, started as the command line starts. */
function lintApart(folder: string): Run {
  const usage = `${folder}.json`;
  const child = spawnSync(join(ROOT, 'bin/node'), [fileURLToPath(import.meta.url), 'lint', folder, usage], { encoding: 'utf8', maxBuffer: 1 << 29 });
  if (child.status === 2 || child.status === 3) throw new Error(child.stderr);
  return { ...(JSON.parse(readFileSync(usage, 'utf8')) as Omit<Run, 'summary'>), summary: child.stderr.trim() }; // written by lintFolder below
}

async function lintFolder(folder: string, usageFile: string): Promise<void> {
  const { runCommandLine } = await import('../src/cli/cli.ts');
  process.exitCode = await runCommandLine(['lint', folder]);
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  writeFileSync(usageFile, JSON.stringify({ seconds: (userCPUTime + systemCPUTime) / 1e6, megabytes: maxRSS / 1024 }));
}

/** Each keystroke makes another text, so nothing that was kept of the last one fits. */
function reportKeystroke(): void {
  const policy = longPolicy();
  const cluster = generateManifests({ mode: 'deployments', pods: 500, policies: 50 }).map((manifest) => `---\n${toYaml(manifest)}`).join('');
  for (const [what, others] of [['alone', []], ['beside 100 Deployments and 50 policies', [{ name: 'cluster.yaml', text: cluster }]]] as const) {
    const type = (index: number): number => {
      const text = policy.replace('label-7-value', `label-7-value${index}`);
      const start = performance.now();
      lintManifests([...others, { name: 'policy.yaml', text }]);
      return performance.now() - start;
    };
    for (let index = 0; index < KEYSTROKES; index++) type(index);
    const times = Array.from({ length: KEYSTROKES }, (_, index) => type(KEYSTROKES + index)).sort((a, b) => a - b);
    console.log(`One keystroke in a policy of ${policy.split('\n').length - 1} lines, ${what}: ${times[0]!.toFixed(1)} ms least, ${times[KEYSTROKES >> 1]!.toFixed(1)} ms median of ${KEYSTROKES} (goal 15 ms alone)`);
  }
}

function longPolicy(): string {
  const head = ['apiVersion: networking.k8s.io/v1', 'kind: NetworkPolicy', 'metadata:', '  name: long', '  namespace: ns-000', 'spec:', '  podSelector:', '    matchLabels:', '      app: long', '  policyTypes:', '  - Ingress', '  ingress:'];
  const rules: string[] = [];
  for (let index = 0; head.length + rules.length + 9 <= POLICY_LINES; index++) {
    rules.push('  - from:', '    - namespaceSelector:', '        matchLabels:', `          team: team-${index % 8}`, '      podSelector:', '        matchLabels:', `          app: label-${index}-value`, '    ports:', `    - port: ${8000 + index}`);
  }
  return `${[...head, ...rules].join('\n')}\n`;
}
