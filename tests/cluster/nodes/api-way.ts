// A way from a node to the API server that a test can cut, close and stall: a forwarder that listens on the node's loopback.
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import { inNamespace } from '../../../src/kernel/network-namespace.ts';
import { openListener } from '../../../src/lab/internal/listener-socket.ts';
import type { NodeCluster, RunningNode } from './node-cluster.ts';

export class ApiWay {
  /** For an agent on that node. */
  readonly kubeconfig: string;
  readonly #server: Server;
  readonly #apiPort: number;
  readonly #connections = new Set<Socket>();
  #state: 'open' | 'closed' | 'stalled' = 'open';
  /** Connections that were let through. */
  served = 0;

  constructor(cluster: NodeCluster, node: RunningNode, port = 9443) {
    const own = readFileSync(cluster.place.kubeconfig, 'utf8');
    this.#apiPort = Number(/https:\/\/127\.0\.0\.1:([0-9]+)/.exec(own)![1]);
    this.kubeconfig = join(cluster.place.state, `kubeconfig/way-${node.number}-${port}.conf`);
    writeFileSync(this.kubeconfig, own.replace(`127.0.0.1:${this.#apiPort}`, `127.0.0.1:${port}`), { mode: 0o600 });
    const fd = inNamespace(node.namespace, () => openListener({ protocol: 'TCP', port, address: parseIpAddress('127.0.0.1')!, families: [4] }));
    if (fd < 0) throw new Error(`cannot listen on ${port}: errno ${-fd}`);
    this.#server = createServer((client) => this.#serve(client)).listen({ fd });
  }

  /** What is open ends with a reset; new connections go on. */
  cut(): void {
    for (const socket of this.#connections) socket.resetAndDestroy();
    this.#connections.clear();
  }

  /** Nobody comes through any more: everything ends with a reset, at once. */
  close(): void {
    this.#state = 'closed';
    this.cut();
  }

  /** Nothing passes, and nobody is told: as behind a cable that was pulled. */
  stall(): void {
    this.#state = 'stalled';
    for (const socket of this.#connections) socket.pause();
  }

  /** Connections that were stalled are cut. */
  open(): void {
    this.#state = 'open';
    this.cut();
  }

  end(): void {
    this.#server.close();
    this.cut();
  }

  #serve(client: Socket): void {
    client.on('error', () => undefined);
    if (this.#state === 'closed') return void client.resetAndDestroy();
    this.#keep(client);
    if (this.#state === 'stalled') return void client.pause();
    this.served++;
    const server = connect(this.#apiPort, '127.0.0.1');
    this.#keep(server);
    client.pipe(server);
    server.pipe(client);
    for (const [one, other] of [[client, server], [server, client]] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  }

  #keep(socket: Socket): void {
    this.#connections.add(socket);
    socket.on('close', () => this.#connections.delete(socket));
  }
}
