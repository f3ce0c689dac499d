// The engine in a browser: built, served on the loopback, and asked in a page and in a worker of a fresh Chromium.
import { createServer, type Server } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import { CHROMIUM, cloneRoot } from '../needs.ts';
import type { Manifest } from './answer.ts';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

const WORKER = "import { answerOf } from '/engine.js';\nonmessage = ({ data }) => postMessage(answerOf(data));\n";
const PAGE = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>engine</title>';

/** One module with everything in it; `node:` modules stay imports, which no browser can load. */
export async function buildEngine(): Promise<string> {
  const build = await rolldown({ input: join(cloneRoot, 'tests/browser/answer.ts'), platform: 'browser', external: /^node:/, logLevel: 'silent' });
  try {
    const { output } = await build.generate({ format: 'esm', codeSplitting: false });
    return output[0].code;
  } finally {
    await build.close();
  }
}

export interface BrowserEngine {
  inPage(manifests: readonly Manifest[]): Promise<string>;
  inWorker(manifests: readonly Manifest[]): Promise<string>;
  /** What the page complained about so far. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

export async function openEngine(engine: string): Promise<BrowserEngine> {
  const profile = mkdtempSync(join(tmpdir(), 'bulkhead-chromium-'));
  const server = await serve({ '/': ['text/html', PAGE], '/engine.js': ['text/javascript', engine], '/worker.js': ['text/javascript', WORKER] });
  let context: BrowserContext | undefined;
  const close = async (): Promise<void> => {
    await context?.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(profile, { recursive: true, force: true });
  };
  try {
    context = await chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, args: FLAGS, headless: true, chromiumSandbox: false });
    return { ...(await openPage(context, server)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openPage(context: BrowserContext, server: Server): Promise<Omit<BrowserEngine, 'close'>> {
  const page: Page = context.pages()[0] ?? (await context.newPage());
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => complaints.push(message.text()));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`); // it listens on a port, not on a pipe
  const ask = (expression: string) => (manifests: readonly Manifest[]): Promise<string> => page.evaluate(`(${expression})(${JSON.stringify(manifests)})`);
  return {
    inPage: ask("async (manifests) => (await import('/engine.js')).answerOf(manifests)"),
    inWorker: ask(`(manifests) => new Promise((resolve, reject) => {
      const worker = new Worker('/worker.js', { type: 'module' });
      worker.onerror = (event) => reject(new Error(event.message));
      worker.onmessage = ({ data }) => { worker.terminate(); resolve(data); };
      worker.postMessage(manifests);
    })`),
    complaints,
  };
}

function serve(files: Readonly<Record<string, readonly [type: string, body: string]>>): Promise<Server> {
  const server = createServer(({ url }, response) => {
    const file = files[url ?? ''];
    if (file === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': file[0] }).end(file[1]);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
