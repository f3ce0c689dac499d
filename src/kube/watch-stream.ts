// One request that watches: its lines as events, until the server ends it, or something goes wrong.
import type { ClusterObject, ServedKind } from './cluster-api.ts';
import { ClusterError } from './cluster-error.ts';
import type { Connection } from './kube-config.ts';
import { describeServer, openAnswer } from './kube-request.ts';
import { readLines } from './read-lines.ts';
import { watchedObject } from './watched-object.ts';

export type StreamEvent =
  | { readonly kind: 'put' | 'remove'; readonly object: ClusterObject; readonly version: string }
  /** The server has told everything up to this version. `isInitialEnd`: all that was there when the stream began has come. */
  | { readonly kind: 'bookmark'; readonly version: string; readonly isInitialEnd: boolean };

export interface StreamRequest {
  readonly path: string;
  readonly signal: AbortSignal;
  /** Until anything else is said. */
  readonly silenceMsMax: number;
}

export interface OpenStream {
  /** Ends when the server does. Fails with ClusterError: `expired` where the server has forgotten the version, `malformed`. */
  readonly events: AsyncIterable<StreamEvent>;
  /** From now on silence is borne for so long. */
  bearSilence(ms: number): void;
}

/** Of one line. The API server takes requests of 3 MB, and etcd objects of 1.5 MB. */
const LINE_BYTES_MAX = 16 * 1024 * 1024;

/** Rejects with ClusterError where the server says no. Whoever opens it reads its events, or ends it by the signal. */
export async function openStream(connection: Connection, kind: ServedKind, { path, signal, silenceMsMax }: StreamRequest): Promise<OpenStream> {
  const { chunks, bearSilence } = await openAnswer(connection, { path, signal });
  bearSilence(silenceMsMax);
  return { events: readEvents(connection, kind, chunks), bearSilence };
}

async function* readEvents(connection: Connection, kind: ServedKind, chunks: AsyncIterable<Buffer>): AsyncGenerator<StreamEvent> {
  const onTooLong = (): Error => new ClusterError('too-large', `an event of ${describeServer(connection)} is larger than ${LINE_BYTES_MAX} bytes`);
  for await (const line of readLines(chunks, { bytesMax: LINE_BYTES_MAX, onTooLong })) {
    if (line !== '') yield readEvent(connection, kind, line);
  }
}

type Fields = { readonly [field: string]: unknown };

function readEvent(connection: Connection, kind: ServedKind, line: string): StreamEvent {
  const { type, object } = parseLine(connection, line);
  const metadata = fieldsOf(fieldsOf(object)['metadata']);
  const version = metadata['resourceVersion'];
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED': {
      const seen = watchedObject(kind, object);
      if (seen === undefined || typeof version !== 'string') throw malformed(connection, `an event \`${type}\` without an object`);
      return { kind: type === 'DELETED' ? 'remove' : 'put', object: seen, version };
    }
    case 'BOOKMARK':
      if (typeof version !== 'string') throw malformed(connection, 'a bookmark without a version');
      return { kind: 'bookmark', version, isInitialEnd: fieldsOf(metadata['annotations'])['k8s.io/initial-events-end'] === 'true' };
    case 'ERROR':
      throw errorOf(connection, fieldsOf(object));
    default:
      throw malformed(connection, `an event of the unknown type \`${String(type).slice(0, 40)}\``);
  }
}

function parseLine(connection: Connection, line: string): Fields {
  try {
    return fieldsOf(JSON.parse(line));
  } catch (cause) {
    throw malformed(connection, 'an event that is no JSON', cause);
  }
}

function malformed(connection: Connection, what: string, cause?: unknown): ClusterError {
  return new ClusterError('malformed', `${describeServer(connection)} sends ${what}`, cause === undefined ? {} : { cause });
}

/** 410 also comes as a Status inside the stream. */
function errorOf(connection: Connection, { code, message }: Fields): ClusterError {
  const said = typeof message === 'string' ? `: ${message.slice(0, 600)}` : '';
  return new ClusterError(code === 410 ? 'expired' : 'server-error', `${describeServer(connection)} ends a watch with ${typeof code === 'number' ? code : 'an error'}${said}`);
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
