// Credentials that stand in a kubeconfig or in files: certificates, tokens, passwords. Files are read for each request, since what is in them rotates.
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import type { ConfigFields } from './kubeconfig-entries.ts';

const USER_FIELDS: ReadonlySet<string> = new Set(['client-certificate', 'client-certificate-data', 'client-key', 'client-key-data', 'token', 'tokenFile', 'username', 'password', 'extensions']);
const CLUSTER_FIELDS: ReadonlySet<string> = new Set(['server', 'certificate-authority', 'certificate-authority-data', 'insecure-skip-tls-verify', 'tls-server-name', 'disable-compression', 'extensions']);

/** Whether nothing stands in the two but what is understood here: no program, no provider, no proxy. */
export function isPlain(cluster: ConfigFields, user: ConfigFields): boolean {
  const isKnown = (fields: ConfigFields, known: ReadonlySet<string>): boolean => Object.entries(fields).every(([key, value]) => known.has(key) || value === null || value === undefined);
  return isKnown(cluster, CLUSTER_FIELDS) && isKnown(user, USER_FIELDS);
}

/** What it gives throws where a file cannot be read. */
export function plainCredentials(cluster: ConfigFields, user: ConfigFields, { isSecure }: { readonly isSecure: boolean }): () => RequestOptions {
  // Connections are kept; certificates go with each request, so one that rotates is taken up.
  const agent = isSecure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  return () => ({
    agent,
    headers: authorization(user),
    ...(isSecure ? { ...serverTrust(cluster), ...given({ cert: contentOf(user, 'client-certificate'), key: contentOf(user, 'client-key') }) } : {}),
  });
}

function authorization(user: ConfigFields): Readonly<Record<string, string>> {
  const { tokenFile, username, password } = user;
  // The file counts where both stand (client-go, `AuthInfo`).
  const token = typeof tokenFile === 'string' && tokenFile !== '' ? readFileSync(tokenFile, 'utf8').trim() : textOf(user['token']);
  if (token !== '') return { Authorization: `Bearer ${token}` };
  if (textOf(username) === '') return {};
  return { Authorization: `Basic ${Buffer.from(`${textOf(username)}:${textOf(password)}`).toString('base64')}` };
}

function serverTrust(cluster: ConfigFields): RequestOptions {
  const name = textOf(cluster['tls-server-name']);
  return { rejectUnauthorized: cluster['insecure-skip-tls-verify'] !== true, ...given({ ca: contentOf(cluster, 'certificate-authority') }), ...(name === '' ? {} : { servername: name }) };
}

/** `-data` counts where both stand. */
function contentOf(fields: ConfigFields, key: string): Buffer | undefined {
  const data = textOf(fields[`${key}-data`]);
  if (data !== '') return Buffer.from(data, 'base64');
  const file = textOf(fields[key]);
  return file === '' ? undefined : readFileSync(file);
}

function given(options: Readonly<Record<string, Buffer | undefined>>): RequestOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** YAML takes a token of digits for a number. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? `${value}` : '';
}
