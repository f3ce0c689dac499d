// A way to a server that a test can cut: connections on loopback, carried byte by byte.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface Way {
  readonly port: number;
  /** Connections that are open end at once. */
  cut(): void;
  /** The same, and new ones end as well, until it is opened. */
  close(): void;
  open(targetPort: number): void;
}

export async function openWay(test: TestContext, targetPort: number): Promise<Way> {
  let target: number | undefined = targetPort;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    if (target === undefined) return void near.destroy();
    const far = connect(target, '127.0.0.1');
    for (const [one, other] of [[near, far], [far, near]] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => void (sockets.delete(one), other.destroy()));
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  test.after(() => {
    cut();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    close: () => {
      target = undefined;
      cut();
    },
    open: (port) => {
      target = port;
    },
  };
}
