// A question to a server of flows, and its answer as lines: the contract's records.
import { createInterface } from 'node:readline';
import { HistoryError } from '../batch/history-error.ts';
import { askPlace, textOf, type ServerPlace } from './post-batch.ts';

/** Words as a person types them; the server reads them. */
export interface HistoryWords {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly port?: string | undefined;
  readonly verdict?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly newSince?: string | undefined;
  readonly groupBy?: string | undefined;
  readonly limit?: number | undefined;
  /** Only flows with an end in one of them; undefined: all that the reader may read. */
  readonly namespaces?: readonly string[] | undefined;
  /** What is written from now on, until the signal comes. */
  readonly follow?: boolean | undefined;
}

/** Last lines may be of `unknown_end` and `lost_events`. Throws HistoryError `server-refused` or `server-gone`. */
export async function* askHistory(server: ServerPlace, words: HistoryWords, signal?: AbortSignal): AsyncGenerator<string> {
  const answer = await askPlace(server, { method: 'GET', path: `/v1/flows?${queryOf(words)}`, signal }).catch((cause: Error) => {
    throw new HistoryError('server-gone', `the server of flows at ${server.url} cannot be asked: ${cause.message}`, cause);
  });
  if (answer.statusCode !== 200) throw new HistoryError('server-refused', `the server of flows at ${server.url} answers ${answer.statusCode}: ${await textOf(answer)}`);
  try {
    for await (const line of createInterface({ input: answer, crlfDelay: Number.POSITIVE_INFINITY })) if (line !== '') yield line;
  } catch (cause) {
    if (signal?.aborted === true) return;
    throw new HistoryError('server-gone', `the answer of ${server.url} broke off: ${(cause as Error).message}`, cause);
  }
  if (!answer.complete && signal?.aborted !== true) throw new HistoryError('server-gone', `the answer of ${server.url} broke off`);
}

function queryOf({ from, to, port, verdict, since, until, newSince, groupBy, limit, namespaces = [], follow }: HistoryWords): string {
  const query = new URLSearchParams();
  const words = { from, to, port, verdict, since, until, 'new-since': newSince, 'group-by': groupBy, limit, follow: follow === true ? true : undefined };
  for (const [name, value] of Object.entries(words)) if (value !== undefined) query.set(name, String(value));
  for (const namespace of namespaces) query.append('namespace', namespace);
  return query.toString();
}
