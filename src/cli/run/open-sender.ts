// What an agent sends its flows with, where a server is named.
import { randomBytes } from 'node:crypto';
import { FlowSender } from '../../history/send/flow-sender.ts';
import { FlowSpool } from '../../history/send/flow-spool.ts';
import { HistoryError } from '../../history/batch/history-error.ts';
import type { Log } from './agent-log.ts';
import { serverPlaceOf, type ServerOptions } from '../options/server-place.ts';
import { systemClock } from '../system-clock.ts';

export interface SenderOptions extends ServerOptions {
  readonly spool: string;
  readonly spoolSize: number;
}

const GATHER_MS = 10_000;

/** Throws UsageError for words, HistoryError for a folder that cannot be had. */
export function openSender(options: SenderOptions, node: string, log: Log, signal: AbortSignal): FlowSender | undefined {
  const server = serverPlaceOf(options);
  if (server === undefined) return undefined;
  const run = `${systemClock.now().getTime().toString(36).padStart(9, '0')}-${randomBytes(6).toString('hex')}`;
  return new FlowSender({ node, run, server, spool: openSpool(options.spool), spoolBytesMax: options.spoolSize, gatherMs: GATHER_MS, clock: systemClock, onFailure: (error) => log('warn', error.message), signal });
}

function openSpool(folder: string): FlowSpool {
  try {
    return new FlowSpool(folder);
  } catch (cause) {
    throw new HistoryError('store-failed', `flows cannot wait in ${folder}: ${(cause as Error).message}`, cause);
  }
}
