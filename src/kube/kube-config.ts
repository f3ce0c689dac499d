// From kubeconfig, or the service account of a pod, to the way to a server: whom to call, and with what credentials.
import { existsSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { nearestWord } from '../base/near-miss.ts';
import { WordError } from '../base/word-error.ts';
import { ClusterError } from './cluster-error.ts';

export interface ClusterChoice {
  /** `--context`; the current one when missing. */
  readonly context?: string;
  /** `--kubeconfig`; `$KUBECONFIG`, then `~/.kube/config`, then the pod's own service account when missing. */
  readonly kubeconfig?: string;
}

export interface Connection {
  /** The context's name. */
  readonly name: string;
  readonly server: URL;
  /** What goes into each request: certificates, token, agent. Asked anew each time, since credentials rotate. */
  credentials(): Promise<RequestOptions>;
}

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** A program that gives credentials and does not come back is given up. */
const CREDENTIALS_TIMEOUT_MS = 60_000;

/** Throws ClusterError where there is no usable configuration, WordError for a context that does not exist. */
export async function openConnection(choice: ClusterChoice): Promise<Connection> {
  // Loaded here and nowhere else: it takes 130 MB and a second.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = loadConfig(() => new KubeConfig(), choice);
  chooseContext(config, choice);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new ClusterError('no-cluster', `the context \`${config.getCurrentContext()}\` names a cluster that the kubeconfig does not have`);
  settleUser(config);
  const server = serverOf(cluster.server);
  // The library refuses plain http, which `kubectl proxy` speaks, unless nothing is to be verified; there is nothing to verify.
  if (server.protocol === 'http:') (cluster as { skipTLSVerify: boolean }).skipTLSVerify = true;
  return { name: config.getCurrentContext(), server, credentials: credentialsOf(config, { isProxied: cluster.proxyUrl !== undefined, isPlain: server.protocol === 'http:' }) };
}

// --- Loading

function loadConfig(create: () => KubeConfig, { kubeconfig }: ClusterChoice): KubeConfig {
  if (kubeconfig !== undefined) return loadFile(create, kubeconfig);
  const listed = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  const files = (listed.length > 0 ? listed : [join(homedir(), '.kube', 'config')]).filter((file) => existsSync(file));
  if (files.length > 0) return files.map((file) => loadFile(create, file)).reduce(merge);
  if (listed.length === 0 && existsSync(SERVICE_ACCOUNT_TOKEN)) return loadServiceAccount(create());
  const where = listed.length > 0 ? `\`${listed.join('` and `')}\`, which KUBECONFIG names, ${listed.length === 1 ? 'does' : 'do'} not exist` : 'there is no ~/.kube/config, and KUBECONFIG names no file';
  throw new ClusterError('no-cluster', `no cluster is known: ${where}`, { help: 'name a configuration with --kubeconfig FILE' });
}

function loadFile(create: () => KubeConfig, file: string): KubeConfig {
  const config = create();
  try {
    // One entry that nobody asks for must not be in the way.
    config.loadFromFile(file, { onInvalidEntry: 'filter' });
  } catch (cause) {
    throw new ClusterError('no-cluster', `the kubeconfig \`${file}\` cannot be read: ${firstLine(cause)}`, { cause });
  }
  return config;
}

function loadServiceAccount(config: KubeConfig): KubeConfig {
  config.loadFromCluster();
  return config;
}

/** As kubectl does: of two entries of one name the first counts, and so does the first current context. */
function merge(first: KubeConfig, next: KubeConfig): KubeConfig {
  const names = (entries: readonly { readonly name: string }[]): ReadonlySet<string> => new Set(entries.map(({ name }) => name));
  const known = { clusters: names(first.clusters), users: names(first.users), contexts: names(first.contexts) };
  first.clusters.push(...next.clusters.filter(({ name }) => !known.clusters.has(name)));
  first.users.push(...next.users.filter(({ name }) => !known.users.has(name)));
  first.contexts.push(...next.contexts.filter(({ name }) => !known.contexts.has(name)));
  if (!first.currentContext) first.setCurrentContext(next.currentContext);
  return first;
}

function chooseContext(config: KubeConfig, { context }: ClusterChoice): void {
  const names = config.getContexts().map(({ name }) => name);
  if (context !== undefined) {
    if (!names.includes(context)) {
      const near = nearestWord(context, names);
      throw new WordError(`there is no context \`${context}\` in the kubeconfig`, near === undefined ? `the contexts are: ${names.join(', ') || 'none'}` : `did you mean \`${near}\`?`);
    }
    config.setCurrentContext(context);
  }
  const current: string | undefined = config.getCurrentContext();
  if (!current) throw new ClusterError('no-cluster', 'no cluster is chosen: the kubeconfig has no current context', { help: `name one with --context: ${names.join(', ') || 'it has none'}` });
  if (!names.includes(current)) throw new ClusterError('no-cluster', `the current context \`${current}\` is not in the kubeconfig`, { help: `name one with --context: ${names.join(', ') || 'it has none'}` });
}

/** Without a user the library would leave out even the server's certificate. Programs that give credentials want to know in which version. */
function settleUser(config: KubeConfig): void {
  const user = config.getCurrentUser();
  if (user === null) {
    const name = 'anonymous of bulkhead';
    config.users.push({ name });
    config.contexts = config.contexts.map((context) => (context.name === config.getCurrentContext() ? { ...context, user: name } : context));
    return;
  }
  const exec: { apiVersion?: string; env?: { name: string; value: string }[] | null } | null | undefined = user.exec;
  if (exec === null || exec === undefined) return;
  const info = { apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1', kind: 'ExecCredential', spec: { interactive: false } };
  exec.env = [...(exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
}

function serverOf(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw new ClusterError('no-cluster', `the server \`${text}\` of the kubeconfig is no address of https`);
}

// --- Credentials

function credentialsOf(config: KubeConfig, { isProxied, isPlain }: { readonly isProxied: boolean; readonly isPlain: boolean }): () => Promise<RequestOptions> {
  // An agent of our own keeps connections; certificates go with each request, so one that rotates is taken up.
  const agent = isProxied ? undefined : isPlain ? new HttpAgent({ keepAlive: true }) : new HttpsAgent({ keepAlive: true });
  return async () => {
    const options: RequestOptions = {};
    try {
      await withinTime(config.applyToHTTPSOptions(options));
    } catch (cause) {
      throw new ClusterError('unauthorized', `no credentials for the context \`${config.getCurrentContext()}\`: ${firstLine(cause)}`, { cause });
    }
    return agent === undefined ? options : { ...options, agent };
  };
}

async function withinTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the program that gives them did not come back within ${CREDENTIALS_TIMEOUT_MS / 1000} s`)), CREDENTIALS_TIMEOUT_MS);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function firstLine(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.trim().split('\n')[0] || 'no reason is given';
}
