// `bulkhead serve`: flows of all nodes kept in one file, asked over HTTPS by whoever the cluster lets read them.
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { Option } from 'commander';
import { sleep } from '../../base/sleep.ts';
import { ReviewedAdmission } from '../../history/serve/admission.ts';
import { exportDays } from '../../history/store/export-days.ts';
import type { FlowStore } from '../../history/store/flow-store.ts';
import { openHistory } from '../../history/history.ts';
import { keepDays } from '../../history/store/keep-days.ts';
import { serveHistory } from '../../history/serve/serve-history.ts';
import { dayText } from '../../history/store/store-schema.ts';
import { openKubeApi } from '../../kube/kube-api.ts';
import { isLocalAddress } from '../../server/host-name.ts';
import type { Certificate, RunningServer } from '../../server/listener.ts';
import { RememberedReviews } from '../../server/remembered-reviews.ts';
import { UsageError } from '../../terminal/failures.ts';
import { listenForInterruption } from '../../terminal/interruption.ts';
import { createLog, LOG_FORMATS, LOG_LEVELS, type Log, type LogOptions } from './agent-log.ts';
import { readLength, readSize } from '../options/size-words.ts';
import { systemClock } from '../system-clock.ts';

interface ServeOptions {
  readonly database: string;
  readonly listen: string;
  readonly cert?: string;
  readonly key?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly keep: number;
  readonly keepSize: number;
  readonly memory: number;
  readonly export?: string;
  readonly redactOutside?: boolean;
  readonly logFormat: LogOptions['format'];
  readonly logLevel: LogOptions['level'];
}

export function defineServe(command: Command): void {
  command
    .option('--database <FILE>', 'where flows are kept', 'flows.duckdb')
    .option('--listen <HOST:PORT>', 'where agents send and people ask', '127.0.0.1:9643')
    .option('--cert <FILE>', 'certificate for it, which other hosts need; read again when it changes')
    .option('--key <FILE>', 'key of the certificate')
    .option('--context <NAME>', 'another context of the kubeconfig')
    .option('--kubeconfig <FILE>', "another kubeconfig (default: $KUBECONFIG, then ~/.kube/config, then the pod's service account)")
    .addOption(new Option('--keep <TIME>', 'how long flows are kept').argParser(readLength).default(30 * 86_400_000, '30d'))
    .addOption(new Option('--keep-size <SIZE>', 'the most that the file holds; the oldest days go first').argParser(readSize).default(10 * 2 ** 30, '10GiB'))
    .addOption(new Option('--memory <SIZE>', 'for the database; the process takes some 300 MiB besides').argParser(readSize).default(2 ** 30, '1GiB'))
    .option('--export <DIR>', 'days that are over, as Parquet files, a folder day=YYYY-MM-DD each')
    .option('--redact-outside', 'keep hosts outside without their names, and as their network: /24, or /48 of IPv6')
    .addOption(new Option('--log-format <FORMAT>', 'of the lines on stderr').choices(LOG_FORMATS).default('text'))
    .addOption(new Option('--log-level <LEVEL>', 'the least weight of lines that are written').choices(LOG_LEVELS).default('info'))
    .addHelpText('after', `
The API alone, so far: the web UI does not exist yet.
With a certificate every request needs a token of the cluster, which decides who may send and read: create of
flowbatches for agents, get, delete and update of flows in a namespace for people, in the group bulkhead.dev.
Without one it is open to this host alone, and to everybody on it.

Exit status: 0 it was told to end; 2 the words are wrong; 3 the file, the address or the database cannot be had.

Examples:
  bulkhead serve --database flows.duckdb
  bulkhead serve --listen 0.0.0.0:9643 --cert tls.crt --key tls.key --keep 90d --export parquet`)
    .action(async (options: ServeOptions) => {
      process.exitCode = await runServe(options);
    });
}

async function runServe(options: ServeOptions): Promise<number> {
  const { database, keep, memory, redactOutside = false, logFormat, logLevel } = options;
  const address = addressOf(options);
  const files = certificateFiles(options);
  const certificate = files === undefined ? undefined : readCertificate(files);
  if (certificate === undefined && !isLocalAddress(address.host)) throw new UsageError(`${address.host} is not of this host alone, and tokens must not go over the network in the clear`, 'name --cert and --key, or listen on 127.0.0.1');
  const log = createLog({ format: logFormat, level: logLevel });
  const reviews = certificate === undefined ? undefined : new RememberedReviews(await openKubeApi(clusterOf(options)), () => systemClock.elapsedMs());
  const store = await openHistory({ file: database, nowMs: () => systemClock.now().getTime(), keepMs: keep, memoryBytesMax: memory, redactsOutside: redactOutside });
  const interruption = listenForInterruption();
  const stop = new AbortController();
  void interruption.come.then(() => stop.abort());
  try {
    const door = certificate === undefined || reviews === undefined ? undefined : { certificate, admission: new ReviewedAdmission(reviews) };
    const server = await serveHistory({ ...address, store, door, nowMs: () => systemClock.now().getTime(), onFailure: (error) => log('warn', error.message) });
    log('info', `takes and answers flows on ${address.host}:${server.port}`);
    await Promise.all([keepHouse(store, options, log, stop.signal), ...(files === undefined ? [] : [renewCertificate(server, files, log, stop.signal)])]);
    await server.close();
  } finally {
    interruption.stopListening();
    await store.close();
  }
  return 0;
}

function clusterOf({ context, kubeconfig }: ServeOptions): Parameters<typeof openKubeApi>[0] {
  return { ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) };
}

function addressOf({ listen }: ServeOptions): { readonly host: string; readonly port: number } {
  const [, host, port] = /^\[?([0-9a-fA-F.:]+?)\]?:([0-9]{1,5})$/.exec(listen) ?? [];
  if (host === undefined || Number(port) > 65_535) throw new UsageError(`\`${listen}\` is no address and port`, 'write --listen 127.0.0.1:9643');
  return { host, port: Number(port) };
}

interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

function certificateFiles({ cert, key }: ServeOptions): CertificateFiles | undefined {
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('a certificate and its key belong together', 'write both --cert and --key');
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

function readCertificate({ cert, key }: CertificateFiles): Certificate {
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

const RENEW_MS = 5_000;

/** A certificate that cannot be read, or is half written, leaves the old one. */
async function renewCertificate(server: RunningServer, files: CertificateFiles, log: Log, signal: AbortSignal): Promise<void> {
  let known = '';
  while (!signal.aborted) {
    try {
      const fresh = readCertificate(files);
      const text = fresh.cert + fresh.key;
      if (known !== '' && text !== known) {
        server.renew(fresh);
        log('info', 'the certificate has been renewed');
      }
      known = text;
    } catch (error) {
      log('warn', `the certificate stays what it was: ${(error as Error).message}`);
    }
    await sleep(systemClock, RENEW_MS, signal);
  }
}

const HOUSE_MS = 5 * 60_000;

/** Days are exported before they go; they go in any case, for the disk is bounded. */
async function keepHouse(store: FlowStore, { keepSize, export: folder }: ServeOptions, log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const exported = folder === undefined ? [] : await exportDays(store, folder);
      if (exported.length > 0) log('info', `exported ${exported.join(', ')}`);
    } catch (error) {
      log('warn', `days could not be exported: ${(error as Error).message}`);
    }
    try {
      const { folded, dropped } = await keepDays(store, { bytesMax: keepSize });
      if (folded.length > 0) log('info', `folded ${folded.map(dayText).join(', ')}`);
      if (dropped.length > 0) log('info', `no longer kept: ${dropped.map(dayText).join(', ')}`);
    } catch (error) {
      log('warn', `days could not be kept in order: ${(error as Error).message}`);
    }
    await sleep(systemClock, HOUSE_MS, signal);
  }
}
