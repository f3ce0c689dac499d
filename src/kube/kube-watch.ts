// A watch of the real cluster that never ends by itself: told once whole, then change by change, and found again after whatever cuts it.
import type { ServedKind, WatchEvent, WatchOptions } from './cluster-api.ts';
import { ClusterError } from './cluster-error.ts';
import type { Connection } from './kube-config.ts';
import { AnswerError, askServer, retryIn, SILENCE_MS_MAX } from './kube-request.ts';
import { findOtherVersion } from './find-other-version.ts';
import { kindPath, watchedScope } from './kube-paths.ts';
import { listPages, type PageQuery } from './list-pages.ts';
import { delayMs, withRetries, type Pacing } from './retry.ts';
import { openStream, type OpenStream, type StreamEvent } from './watch-stream.ts';
import { watchedObject } from './watched-object.ts';

export interface WatchTimes {
  /** The server ends a watch after so long, and up to twice that: many watches shall not come back together. */
  readonly streamMs: number;
  /** After its first bookmark a server sends one each minute. */
  readonly bookmarkSilenceMsMax: number;
  /** Between two events of what is there when a streaming list begins: a server that does not know of them ends in silence. */
  readonly initialSilenceMsMax: number;
  /** A stream that went on for so long was no failure, whatever came. */
  readonly steadyMs: number;
  /** A kind that is not served is looked for so often. */
  readonly absentMs: number;
}

export const REAL_TIMES: WatchTimes = { streamMs: 240_000, bookmarkSilenceMsMax: 150_000, initialSilenceMsMax: 10_000, steadyMs: 5_000, absentMs: 30_000 };

export interface KubeWatchContext {
  readonly connection: Connection;
  readonly pacing: Pacing;
  readonly times: WatchTimes;
}

/** A class, for it lives in time. */
export class KubeWatch {
  readonly #context: KubeWatchContext;
  readonly #kind: ServedKind;
  readonly #options: WatchOptions;
  /** Up to which everything has been told; undefined: nothing has, or the server has forgotten it. */
  #version: string | undefined;
  /** Whether the server can begin a stream with what is there (`sendInitialEvents`), as far as is known. */
  #canStreamList = true;
  /** Of a kind that is not served. */
  #isToldEmpty = false;
  #isTroubled = false;
  #attempt = 0;
  /** How often the server has forgotten a version since something new came. */
  #forgotten = 0;

  constructor(context: KubeWatchContext, kind: ServedKind, options: WatchOptions) {
    this.#context = context;
    this.#kind = kind;
    this.#options = options;
  }

  async *events(): AsyncGenerator<WatchEvent> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      try {
        if (this.#version !== undefined) yield* this.#follow();
        else if (this.#canStreamList) yield* this.#streamList();
        else yield* this.#list();
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ClusterError)) throw error;
        yield* this.#recover(error);
      }
    }
  }

  // --- Telling

  /** A watch that begins with all that is there (Kubernetes 1.32 on by default), and goes on with what changes. */
  async *#streamList(): AsyncGenerator<WatchEvent> {
    const { times } = this.#context;
    let isOpen = false;
    try {
      const stream = await this.#open({ sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' });
      isOpen = true;
      stream.bearSilence(times.initialSilenceMsMax);
      yield { kind: 'restart' };
      for await (const event of stream.events) {
        if (this.#version !== undefined) yield* this.#tell(event);
        else if (event.kind !== 'bookmark') yield asWatchEvent(event);
        else if (event.isInitialEnd) {
          stream.bearSilence(times.bookmarkSilenceMsMax);
          this.#settle(event.version);
          yield { kind: 'synced' };
        }
      }
    } catch (error) {
      const isRefused = error instanceof ClusterError && error.code === 'invalid';
      if (this.#version !== undefined || !(isOpen || isRefused)) throw error;
    }
    // Old servers refuse the words, etcd 3.4 ends the stream with an error, and who does not know the words falls silent.
    if (this.#version === undefined) this.#canStreamList = false;
  }

  async *#list(): AsyncGenerator<WatchEvent> {
    const { connection, pacing } = this.#context;
    const { signal } = this.#options;
    const scope = watchedScope(this.#kind, this.#options);
    const ask = (query: PageQuery): Promise<unknown> => {
      const act = (): Promise<unknown> => askServer(connection, { path: kindPath(this.#kind, this.#options, { ...scope, ...query }), signal });
      // In the middle of a list a try is cheaper than all of it.
      return query.continue === undefined ? act() : withRetries(act, retryIn, pacing);
    };
    let version: string | undefined;
    for await (const page of listPages(ask)) {
      if (version === undefined || page.kind === 'restart') yield { kind: 'restart' };
      if (page.kind === 'restart') continue;
      yield* putsOf(this.#kind, page.items);
      version = page.version;
    }
    this.#settle(version!); // a list without a page is a failure
    yield { kind: 'synced' };
  }

  async *#follow(): AsyncGenerator<WatchEvent> {
    const { pacing, times } = this.#context;
    if (this.#isTroubled) await this.#checkContinuity();
    const start = pacing.now();
    const before = this.#version!; // only then is there something to follow
    const stream = await this.#open({ resourceVersion: before });
    if (this.#isTroubled) yield { kind: 'resumed' };
    this.#isTroubled = false;
    for await (const event of stream.events) {
      if (event.kind === 'bookmark') stream.bearSilence(times.bookmarkSilenceMsMax);
      yield* this.#tell(event);
    }
    // The server has ended it, as it was asked to, or because it goes away itself.
    if (this.#version !== before || pacing.now() - start >= times.steadyMs) this.#attempt = 0;
    else await pacing.wait(this.#nextDelayMs(0), this.#options.signal);
  }

  *#tell(event: StreamEvent): Generator<WatchEvent> {
    if (event.kind !== 'bookmark') yield asWatchEvent(event);
    // A server that was put back to an earlier state counts anew: what it had told us may not be.
    else if (isOlder(event.version, this.#version!)) throw new ClusterError('expired', 'the API server has gone back to an earlier state');
    if (this.#version !== event.version) this.#attempt = this.#forgotten = 0;
    this.#version = event.version;
  }

  /** Everything has been told up to the version. */
  #settle(version: string): void {
    this.#version = version;
    this.#attempt = 0;
    this.#isTroubled = false;
    this.#isToldEmpty = false;
  }

  // --- Asking

  #open(query: Readonly<Record<string, string>>): Promise<OpenStream> {
    const { connection, pacing, times } = this.#context;
    const timeoutSeconds = `${Math.ceil((times.streamMs * (1 + pacing.random())) / 1000)}`;
    const words = { watch: 'true', allowWatchBookmarks: 'true', timeoutSeconds, ...watchedScope(this.#kind, this.#options), ...query };
    return openStream(connection, this.#kind, { path: kindPath(this.#kind, this.#options, words), signal: this.#options.signal, silenceMsMax: 2 * times.streamMs + SILENCE_MS_MAX });
  }

  /** A watch from a version that is still to come is silent until it comes: after trouble, the server may be one that was put back. */
  async #checkContinuity(): Promise<void> {
    const { connection } = this.#context;
    const path = kindPath(this.#kind, this.#options, { ...watchedScope(this.#kind, this.#options), limit: '1' });
    const { metadata } = (await askServer(connection, { path, signal: this.#options.signal })) as { readonly metadata?: { readonly resourceVersion?: unknown } }; // looked at here
    const version = metadata?.resourceVersion;
    if (typeof version === 'string' && isOlder(version, this.#version!)) throw new ClusterError('expired', 'the API server has gone back to an earlier state');
  }

  // --- When it goes wrong

  async *#recover(failure: ClusterError): AsyncGenerator<WatchEvent> {
    const { pacing } = this.#context;
    const { signal } = this.#options;
    const error = failure.code === 'not-found' ? await this.#whyNotFound() : failure;
    if (error === undefined) return void (yield* this.#beAbsent());
    // Versions grow old, which is no trouble.
    const isForgotten = error.code === 'expired' && this.#version !== undefined;
    // Of what was garbled, nobody knows what it said.
    if (isForgotten || error.code === 'malformed') this.#version = undefined;
    if (isForgotten) return this.#forgotten++ === 0 ? undefined : pacing.wait(delayMs(this.#forgotten, 0, pacing.random()), signal);
    if (error.code === 'unreachable') this.#canStreamList = true; // whoever comes back may be another one
    const retryInMs = this.#nextDelayMs(error instanceof AnswerError ? (error.retryAfterMs ?? 0) : 0);
    this.#isTroubled = true;
    yield { kind: 'trouble', error, retryInMs };
    await pacing.wait(retryInMs, signal);
  }

  /** undefined: nobody serves the kind. Served in another version alone it may have objects, and nobody here can read them. */
  async #whyNotFound(): Promise<ClusterError | undefined> {
    const { connection } = this.#context;
    const { signal } = this.#options;
    const { apiVersion, kind } = this.#kind;
    try {
      const other = await findOtherVersion((path) => askServer(connection, { path, signal }), this.#kind);
      if (other === undefined) return undefined;
      return new ClusterError('server-error', `the cluster serves ${kind} as ${other}, and only ${apiVersion} is read here: what its objects say is not known`, { help: 'use a version of bulkhead that reads it' });
    } catch (error) {
      if (error instanceof ClusterError) return error;
      throw error;
    }
  }

  /** A kind that is not served has no objects; its CustomResourceDefinition may come. */
  async *#beAbsent(): AsyncGenerator<WatchEvent> {
    const { pacing, times } = this.#context;
    if (!this.#isToldEmpty || this.#isTroubled) {
      yield { kind: 'restart' };
      yield { kind: 'synced' };
    }
    this.#version = undefined;
    this.#isToldEmpty = true;
    this.#isTroubled = false;
    await pacing.wait(times.absentMs * (0.75 + pacing.random() / 2), this.#options.signal);
  }

  #nextDelayMs(leastMs: number): number {
    return delayMs(this.#attempt++, leastMs, this.#context.pacing.random());
  }
}

function asWatchEvent({ kind, object }: Exclude<StreamEvent, { readonly kind: 'bookmark' }>): WatchEvent {
  if (kind === 'put') return { kind, object };
  const { apiVersion, metadata } = object;
  return { kind, object: { apiVersion, kind: object.kind, metadata } };
}

function* putsOf(kind: ServedKind, items: readonly unknown[]): Generator<WatchEvent> {
  for (const item of items) {
    const object = watchedObject(kind, item);
    if (object !== undefined) yield { kind: 'put', object };
  }
}

/** Versions are decimal numbers (Kubernetes 1.35 says so of all of them); of others nothing is known. */
function isOlder(version: string, other: string): boolean {
  return /^\d+$/.test(version) && /^\d+$/.test(other) && BigInt(version) < BigInt(other);
}
