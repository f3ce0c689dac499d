// The server of flows as it is shipped, in a pod of a cluster with nodes: a disk of one node, a certificate of its own, and a person who may read all of it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { cloneRoot } from '../../needs.ts';
import type { Ran } from '../run-script.ts';
import { beginOnNode, meanwhileOnNode, onNode, type NodeCluster } from './node-cluster.ts';

const MANIFEST = readFileSync(join(cloneRoot, 'deploy/server.yaml'), 'utf8');
/** `up.sh` gives each node its own. */
const DISK = '/var/lib/bulkhead/disk';
const NAMESPACE = 'bulkhead-system';

/** Lives until the cluster goes; `remove` takes its files away. */
export class ServerPod {
  readonly #cluster: NodeCluster;
  readonly #folder: string;
  readonly #address: string;

  /** Puts the manifest into the cluster, where the agents' namespace is. */
  constructor(cluster: NodeCluster, image: string) {
    this.#cluster = cluster;
    this.#folder = mkdtempSync(join(cluster.place.state, 'server-'));
    const objects = parseAllDocuments(MANIFEST).map((document) => document.toJS() as Manifest);
    this.#kubectl(['apply', '-f', '-'], JSON.stringify(objects.find(({ kind }) => kind === 'Service')));
    this.#address = this.#kubectl(['get', 'service', 'bulkhead-server', '-o', 'jsonpath={.spec.clusterIP}']);
    this.#certify();
    this.#prepareDisk();
    const [words, count] = [MANIFEST.replace(/^( +image:) bulkhead$/m, `$1 ${image}`), MANIFEST.match(/^ +image: bulkhead$/gm)!.length];
    assert.equal(count, 1);
    this.#kubectl(['apply', '-f', '-'], words);
    this.#kubectl(['create', 'serviceaccount', 'auditor']);
    this.#kubectl(['create', 'clusterrolebinding', 'auditor', '--clusterrole=bulkhead-flow-reader', `--serviceaccount=${NAMESPACE}:auditor`]);
    writeFileSync(this.#file('token'), this.#kubectl(['create', 'token', 'auditor']));
  }

  /** The patch at the end of the manifest, as it stands there. */
  patchOfAgents(): object {
    const [, ...lines] = MANIFEST.slice(MANIFEST.indexOf('# What the DaemonSet of the agents needs')).trim().split('\n');
    return parseAllDocuments(lines.map((line) => line.replace(/^# ?/, '')).join('\n'))[0]!.toJS() as object;
  }

  ready(): void {
    this.#kubectl(['rollout', 'status', 'deployment/bulkhead-server', '--timeout=100s']);
  }

  /** Of a process on the first node, by the Service. */
  ask(words: readonly string[]): Promise<Ran> {
    return meanwhileOnNode(this.#cluster.nodes[0]!, this.#asking(words));
  }

  /** The same while it runs. */
  follow(words: readonly string[]): ReturnType<typeof beginOnNode> {
    return beginOnNode(this.#cluster.nodes[0]!, this.#asking(words));
  }

  /** Of this cluster alone: its pods' groups are below those of its nodes. */
  processes(): readonly number[] {
    return readdirSync('/proc').filter((pid) => /^[0-9]+$/.test(pid)).map(Number).filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('/app/dist/cli/main.js\0serve') && readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`/${this.#cluster.place.name}-node`);
      } catch {
        return false; // it has ended meanwhile
      }
    });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #asking(words: readonly string[]): readonly string[] {
    return [join(cloneRoot, 'bin/bulkhead'), ...words, '--server', `https://${this.#address}:9643`, '--server-ca', this.#file('tls.crt'), '--server-token', this.#file('token')];
  }

  #certify(): void {
    const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=bulkhead-server', '-addext', `subjectAltName=DNS:bulkhead-server.${NAMESPACE}.svc,IP:${this.#address}`, '-keyout', this.#file('tls.key'), '-out', this.#file('tls.crt')], { encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
    this.#kubectl(['create', 'secret', 'tls', 'bulkhead-server', `--cert=${this.#file('tls.crt')}`, `--key=${this.#file('tls.key')}`]);
    this.#kubectl(['create', 'configmap', 'bulkhead-server-ca', `--from-file=ca.crt=${this.#file('tls.crt')}`]);
  }

  /** Nobody provisions claims here. */
  #prepareDisk(): void {
    const [node] = this.#cluster.nodes;
    assert.equal(onNode(node!, ['mkdir', '-p', DISK]).status, 0);
    const onFirst = { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node!.name] }] }] };
    this.#kubectl(['apply', '-f', '-'], JSON.stringify({
      apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'flows' },
      spec: { capacity: { storage: '20Gi' }, accessModes: ['ReadWriteOnce'], local: { path: DISK }, nodeAffinity: { required: onFirst } },
    }));
  }

  #kubectl(words: readonly string[], input?: string): string {
    return this.#cluster.kubectl(['-n', NAMESPACE, ...words], input);
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }
}

interface Manifest {
  readonly kind: string;
}
