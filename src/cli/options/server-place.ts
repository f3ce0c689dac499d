// The words for a server of flows: where it is, whom its certificate comes from, and with what token it is asked.
import type { Command } from 'commander';
import type { ServerPlace } from '../../history/send/post-batch.ts';
import { isLocalAddress } from '../../server/host-name.ts';
import { UsageError } from '../../terminal/failures.ts';

export interface ServerOptions {
  readonly server?: string;
  readonly serverCa?: string;
  readonly serverToken?: string;
}

export function addServerOptions(command: Command, purpose: string): Command {
  return command
    .option('--server <URL>', purpose)
    .option('--server-ca <FILE>', 'with --server: certificates (PEM) that vouch for it')
    .option('--server-token <FILE>', 'with --server: the token to ask with, such as `kubectl create token` prints');
}

/** undefined: none is named. Throws UsageError. */
export function serverPlaceOf({ server, serverCa, serverToken }: ServerOptions): ServerPlace | undefined {
  if (server === undefined) {
    if (serverCa !== undefined || serverToken !== undefined) throw new UsageError('--server-ca and --server-token belong to --server', 'name the server');
    return undefined;
  }
  const url = URL.parse(server);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.pathname !== '/' || url.search !== '' || url.username !== '') throw new UsageError(`\`${server}\` is no address of a server`, 'write https://HOST:PORT');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol === 'http:' && host !== 'localhost' && !isLocalAddress(host)) throw new UsageError(`${url.hostname} is not of this host alone, and tokens must not go over the network in the clear`, 'write https://');
  return { url: server, caFile: serverCa, tokenFile: serverToken };
}
