// Started by a test in a network namespace of its own: an API server, `bulkhead agent` on the kernel of the namespace, and what each says; prints it as JSON.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { linkUp, LOOPBACK_INDEX, Rtnetlink } from '../../src/kernel/rtnetlink.ts';
import { cloneRoot } from '../needs.ts';
import { bringUp, newPlace, runKubectl, takeDown } from './run-script.ts';

const namespace = openSync('/proc/self/ns/net', 'r');
const rtnetlink = new Rtnetlink(namespace);
rtnetlink.apply([linkUp(LOOPBACK_INDEX)]);
rtnetlink.close();
closeSync(namespace);

const place = newPlace();
const { kubeconfig } = place;
const kubectl = (words: readonly string[], input?: string): string => runKubectl(place, words, input);
const bulkhead = join(cloneRoot, 'bin/bulkhead');
const run = (...words: string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } => spawnSync(bulkhead, words, { encoding: 'utf8' });
const tables = (): string => spawnSync('nft', ['list', 'tables'], { encoding: 'utf8', env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` } }).stdout;

function ask(path: string): Promise<string> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port: 9641, path, agent: false }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      resolve(`${answer.statusCode} ${Buffer.concat(chunks).toString()}`);
    }).on('error', (error) => resolve(error.message));
  });
}

const seen: Record<string, unknown> = {};
let agent: ReturnType<typeof spawn> | undefined;
try {
  bringUp(place, { NODES: '0', API_PORT: '0', ETCD_PORT: '0', ETCD_PEER_PORT: '0' });
  kubectl(['apply', '-f', '-'], run('agent', '--manifests').stdout);
  kubectl(['create', 'namespace', 'shop']);
  kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24'] } }));
  kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'web', namespace: 'shop', annotations: { note: 'hunter2' } }, spec: { podSelector: {} } }));
  seen['before'] = run('status', '--kubeconfig', kubeconfig).status;
  const lines: Buffer[] = [];
  agent = spawn(bulkhead, ['agent', '--node', 'n1', '--kubeconfig', kubeconfig, '--log-format', 'json'], { stdio: ['ignore', 'ignore', 'pipe'] });
  agent.stderr!.on('data', (chunk: Buffer) => lines.push(chunk));
  seen['waited'] = run('status', '--kubeconfig', kubeconfig, '--wait', '100', '-o', 'json', 'shop/web');
  while (!(await ask('/readyz')).startsWith('200')) await sleep(100);
  seen['answers'] = [await ask('/readyz'), await ask('/healthz'), await ask('/metrics')];
  seen['rights'] = readFileSync(`/proc/${agent.pid}/status`, 'utf8');
  seen['bundle'] = run('bundle', '--kubeconfig', kubeconfig);
  seen['uninstalledAlive'] = run('agent', '--uninstall');
  const ended = new Promise((resolve) => agent!.once('close', resolve));
  agent.kill('SIGTERM');
  seen['ended'] = await ended;
  seen['log'] = Buffer.concat(lines).toString();
  seen['tablesLeft'] = tables();
  seen['uninstalled'] = run('agent', '--uninstall');
  seen['tablesAfter'] = tables();
} finally {
  agent?.kill('SIGKILL');
  takeDown(place, ['--purge']);
}
process.stdout.write(JSON.stringify(seen));
