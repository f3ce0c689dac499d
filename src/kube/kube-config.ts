// From kubeconfig, or the service account of a pod, to the way to a server: whom to call, and with what credentials.
import { existsSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { nearestWord } from '../base/near-miss.ts';
import { WordError } from '../base/word-error.ts';
import { ClusterError } from './cluster-error.ts';
import { firstLine, readConfigFiles, type ConfigEntries, type ConfigFields } from './kubeconfig-entries.ts';
import { libraryCredentials } from './library-credentials.ts';
import { isPlain, plainCredentials } from './plain-credentials.ts';

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
  /** What goes into each request: certificates, token, agent. Asked anew each time, since credentials rotate. Rejects with ClusterError. */
  credentials(): Promise<RequestOptions>;
  /** The server does not know who asked: what is kept of credentials is no longer good. */
  renew?(): void;
}

/** Throws ClusterError where there is no usable configuration, WordError for a context that does not exist. */
export async function openConnection(choice: ClusterChoice): Promise<Connection> {
  const entries = loadEntries(choice);
  const name = chooseContext(entries, choice);
  const context = entries.contexts.get(name)!; // it was chosen among them
  const cluster = entries.clusters.get(`${context['cluster']}`);
  if (typeof cluster?.['server'] !== 'string' || cluster['server'] === '') throw new ClusterError('no-cluster', `the context \`${name}\` names a cluster that the kubeconfig does not have`);
  const server = serverOf(cluster['server']);
  const user = entries.users.get(`${context['user']}`) ?? {};
  return { name, server, ...(await credentialsOf({ context: name, cluster, user, isSecure: server.protocol === 'https:' })) };
}

/** Of the contexts that may be chosen. Throws ClusterError where there is no usable configuration. */
export function contextNames(choice: Pick<ClusterChoice, 'kubeconfig'>): readonly string[] {
  return [...loadEntries(choice).contexts.keys()];
}

// --- Loading

function loadEntries({ kubeconfig }: ClusterChoice): ConfigEntries {
  if (kubeconfig !== undefined) return readConfigFiles([kubeconfig]);
  const listed = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  const files = (listed.length > 0 ? listed : [join(homedir(), '.kube', 'config')]).filter((file) => existsSync(file));
  if (files.length > 0) return readConfigFiles(files);
  if (listed.length === 0 && existsSync(join(SERVICE_ACCOUNT, 'token'))) return serviceAccountEntries(process.env);
  const where = listed.length > 0 ? `\`${listed.join('` and `')}\`, which KUBECONFIG names, ${listed.length === 1 ? 'does' : 'do'} not exist` : 'there is no ~/.kube/config, and KUBECONFIG names no file';
  throw new ClusterError('no-cluster', `no cluster is known: ${where}`, { help: 'name a configuration with --kubeconfig FILE' });
}

/** Where the kubelet puts it. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What a pod is given: an address in its environment, a token and a certificate in files that the kubelet renews. */
export function serviceAccountEntries(environment: Readonly<Record<string, string | undefined>>, folder: string = SERVICE_ACCOUNT): ConfigEntries {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = environment;
  if (host === '') throw new ClusterError('no-cluster', 'there is a service account, but KUBERNETES_SERVICE_HOST does not say where the API server is');
  const name = 'in-cluster';
  return {
    clusters: new Map([[name, { server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`, 'certificate-authority': join(folder, 'ca.crt') }]]),
    users: new Map([[name, { tokenFile: join(folder, 'token') }]]),
    contexts: new Map([[name, { cluster: name, user: name }]]),
    currentContext: name,
  };
}

function chooseContext({ contexts, currentContext }: ConfigEntries, { context }: ClusterChoice): string {
  const names = [...contexts.keys()];
  if (context !== undefined) {
    if (contexts.has(context)) return context;
    const near = nearestWord(context, names);
    throw new WordError(`there is no context \`${context}\` in the kubeconfig`, near === undefined ? `the contexts are: ${names.join(', ') || 'none'}` : `did you mean \`${near}\`?`);
  }
  if (currentContext === undefined) throw new ClusterError('no-cluster', 'no cluster is chosen: the kubeconfig has no current context', { help: `name one with --context: ${names.join(', ') || 'it has none'}` });
  if (!contexts.has(currentContext)) throw new ClusterError('no-cluster', `the current context \`${currentContext}\` is not in the kubeconfig`, { help: `name one with --context: ${names.join(', ') || 'it has none'}` });
  return currentContext;
}

function serverOf(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw new ClusterError('no-cluster', `the server \`${text}\` of the kubeconfig is no address of https`);
}

// --- Credentials

interface ChosenEntries {
  readonly context: string;
  readonly cluster: ConfigFields;
  readonly user: ConfigFields;
  readonly isSecure: boolean;
}

/** The library is loaded for what needs it: it takes more memory than all the rest of an agent. */
async function credentialsOf(chosen: ChosenEntries): Promise<Pick<Connection, 'credentials' | 'renew'>> {
  const { context, cluster, user, isSecure } = chosen;
  const guard = async (give: () => RequestOptions | Promise<RequestOptions>): Promise<RequestOptions> => {
    try {
      return await give();
    } catch (cause) {
      throw new ClusterError('unauthorized', `no credentials for the context \`${context}\`: ${firstLine(cause)}`, { cause });
    }
  };
  if (isPlain(cluster, user)) {
    const give = plainCredentials(cluster, user, { isSecure });
    return { credentials: () => guard(give) };
  }
  const { credentials, renew } = await libraryCredentials(chosen);
  return { credentials: () => guard(credentials), renew };
}
