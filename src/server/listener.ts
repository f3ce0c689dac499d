// A socket that listens, bounded in connections, time and headers, plain or with a certificate that can be renewed.
import { createServer as createPlain, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createSecure, type Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { isLocalAddress } from './host-name.ts';

export interface ServerAddress {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
  /** For connections from now on. Throws for one that cannot be read; the old one stays. Does nothing to a plain server. */
  renew(certificate: Certificate): void;
}

export interface ListenerBounds {
  /** From the first byte of a request to its last. */
  readonly requestMsMax: number;
  readonly connectionsMax: number;
  /** Of one address of another host, so that one of them cannot keep all others out; the own host has no such bound. */
  readonly connectionsOfAddressMax: number;
  /** Of all other hosts together: what is left is the own host's, whose kubelet asks whether we live. */
  readonly connectionsOfOthersMax: number;
}

const BOUNDS: ListenerBounds = { requestMsMax: 10_000, connectionsMax: 64, connectionsOfAddressMax: 8, connectionsOfOthersMax: 48 };

/** Of a request's line and headers together. */
const HEADER_BYTES_MAX = 8 * 1024;
const HEADERS_MS_MAX = 5_000;
const IDLE_MS_MAX = 15_000;
const REQUESTS_OF_CONNECTION_MAX = 1_000;

export type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** Rejects where the address cannot be had. Without a certificate it is plain. */
export async function openListener({ host, port }: ServerAddress, handle: Handle, { certificate, bounds = BOUNDS }: { readonly certificate?: Certificate | undefined; readonly bounds?: ListenerBounds }): Promise<RunningServer> {
  const options: ServerOptions = { maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: HEADERS_MS_MAX, requestTimeout: bounds.requestMsMax, keepAliveTimeout: IDLE_MS_MAX, connectionsCheckingInterval: 1_000 };
  const secure: SecureServer | undefined = certificate === undefined ? undefined : createSecure({ ...options, ...certificate, handshakeTimeout: HEADERS_MS_MAX, minVersion: 'TLSv1.2' }, handle);
  const server = secure ?? createPlain(options, handle);
  server.maxConnections = bounds.connectionsMax;
  server.maxRequestsPerSocket = REQUESTS_OF_CONNECTION_MAX;
  boundAddresses(server, bounds);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server), renew: (fresh) => secure?.setSecureContext({ ...fresh, minVersion: 'TLSv1.2' }) };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function boundAddresses(server: Server, { connectionsOfAddressMax, connectionsOfOthersMax }: ListenerBounds): void {
  const counts = new Map<string, number>();
  let others = 0;
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    if (isLocalAddress(address)) return;
    const count = counts.get(address) ?? 0;
    if (count >= connectionsOfAddressMax || others >= connectionsOfOthersMax) {
      socket.destroy();
      return;
    }
    counts.set(address, count + 1);
    others++;
    socket.once('close', () => {
      others--;
      const left = counts.get(address)! - 1;
      if (left === 0) counts.delete(address);
      else counts.set(address, left);
    });
  });
}
