// Credentials that programs and providers give, and ways through proxies: what the official client knows and nobody should write twice.
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { isFields, type ConfigFields } from './kubeconfig-entries.ts';

export interface LibraryCredentials {
  credentials(): Promise<RequestOptions>;
  /** What has been kept is asked for anew. */
  renew(): void;
}

interface ConfigOfOne {
  readonly context: string;
  readonly cluster: ConfigFields;
  readonly user: ConfigFields;
  readonly isSecure: boolean;
}

/** A program that gives credentials and does not come back is given up. */
const CREDENTIALS_TIMEOUT_MS = 60_000;

export async function libraryCredentials({ context, cluster, user, isSecure }: ConfigOfOne): Promise<LibraryCredentials> {
  // Loaded here and nowhere else: it takes 130 MB and a second.
  const { KubeConfig } = await import('@kubernetes/client-node');
  let renewals = 0;
  // What it keeps of a user it keeps by the user's name.
  const configure = (): KubeConfig => {
    const name = `${context} ${renewals++}`;
    const config = new KubeConfig();
    config.loadFromString(JSON.stringify(kubeconfigOf({ context, cluster: { ...cluster, ...(isSecure ? {} : PLAIN) }, user: withExecInfo(user), isSecure }, name)));
    return config;
  };
  let config = configure();
  const isProxied = cluster['proxy-url'] !== undefined;
  const agent = isProxied ? undefined : isSecure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  const credentials = async (): Promise<RequestOptions> => {
    const options: RequestOptions = {};
    await withinTime(config.applyToHTTPSOptions(options));
    return agent === undefined ? options : { ...options, agent };
  };
  return { credentials, renew: () => void (config = configure()) };
}

/** The library refuses plain http, which `kubectl proxy` speaks, unless nothing is to be verified; there is nothing to verify. */
const PLAIN: ConfigFields = { 'insecure-skip-tls-verify': true };

function kubeconfigOf({ cluster, user }: ConfigOfOne, name: string): ConfigFields {
  return { 'current-context': name, clusters: [{ name, cluster }], users: [{ name, user }], contexts: [{ name, context: { cluster: name, user: name } }] };
}

/** Programs that give credentials want to know in which version. */
function withExecInfo(user: ConfigFields): ConfigFields {
  const { exec } = user;
  if (!isFields(exec)) return user;
  const info = { apiVersion: exec['apiVersion'] ?? 'client.authentication.k8s.io/v1', kind: 'ExecCredential', spec: { interactive: false } };
  const env = Array.isArray(exec['env']) ? exec['env'] : [];
  return { ...user, exec: { ...exec, env: [...env, { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }] } };
}

async function withinTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the program that gives them did not come back within ${CREDENTIALS_TIMEOUT_MS / 1000} s`)), CREDENTIALS_TIMEOUT_MS);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
