// What libcni keeps of each network that a CNI made on this node (/var/lib/cni/results of containerd and CRI-O): the addresses of pods by uid, as soon as the files come.
import { readdirSync, readFileSync, statSync, watch, type FSWatcher } from 'node:fs';
import { basename, join } from 'node:path';
import { formatIpAddress, parseIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { GivenAddresses } from './given-addresses.ts';

export interface CniResult {
  readonly uid: string;
  readonly addresses: readonly IpAddress[];
}

/** More than a node has pods; what is beyond is not looked at. */
const FILES_MAX = 4096;
/** A file has the whole configuration of the network in it. */
const SIZE_BYTES_MAX = 1 << 20;

/** The interface that Kubernetes means; others of a pod are of further networks. */
const INTERFACE = 'eth0';

/** Between two looks at whether the folder is there, and still the same one: some microseconds each. */
const LOOK_MS = 2_000;

/** As long as there is no such folder, or nobody may read it, nothing is known. It may come, go and be made anew at any time. */
export function openCniResults(folder: string): GivenAddresses {
  return new CniResults(folder);
}

class CniResults implements GivenAddresses {
  readonly #folder: string;
  readonly #byFile = new Map<string, CniResult>();
  readonly #listeners = new Set<(uid: string) => void>();
  readonly #timer: NodeJS.Timeout;
  #watcher: FSWatcher | undefined;
  /** Of the folder that is watched; undefined: none is. */
  #identity: string | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    this.#open();
    // A watch of a folder that was moved, mounted over or not there at first tells nothing of the one that is there now.
    this.#timer = setInterval(() => identityOf(folder) === this.#identity || this.#open(), LOOK_MS).unref();
  }

  of(uid: string): readonly IpAddress[] | undefined {
    const results = [...this.#byFile.values()];
    const found = results.find((result) => result.uid === uid);
    // Two networks of one pod, or two pods of one address: one of them is going, and nobody says which.
    const isCertain = found !== undefined && results.every((other) => (other.uid === uid ? textOf(other) === textOf(found) : !sharesAddress(other, found)));
    return isCertain ? found.addresses : undefined;
  }

  watch(listener: (uid: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** From now on nothing is known. */
  close(): void {
    clearInterval(this.#timer);
    this.#tellAll(this.#forget());
  }

  #open(): void {
    const before = this.#forget();
    try {
      this.#identity = identityOf(this.#folder);
      // First watched, then read: nothing comes in between unseen.
      this.#watcher = watch(this.#folder, { persistent: false }, (_, file) => this.#look(file));
      this.#watcher.on('error', () => this.#tellAll(this.#forget()));
      for (const file of readdirSync(this.#folder)) this.#read(file);
    } catch {
      this.#forget();
    }
    this.#tellAll([...before, ...this.#byFile.values()]);
  }

  /** Gives what was known. */
  #forget(): readonly CniResult[] {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#identity = undefined;
    const known = [...this.#byFile.values()];
    this.#byFile.clear();
    return known;
  }

  #look(file: string | null): void {
    // Named itself, it was deleted or moved; another may stand in its place, even with its number.
    if (file === null || file === basename(this.#folder)) return this.#open();
    const before = this.#byFile.get(file);
    this.#read(file);
    const after = this.#byFile.get(file);
    const changed = [before, after].filter((result) => result !== undefined);
    const touched = [...this.#byFile.values()].filter((other) => changed.some((result) => sharesAddress(other, result)));
    this.#tellAll([...changed, ...touched]);
  }

  #read(file: string): void {
    this.#byFile.delete(file);
    if (!file.endsWith(`-${INTERFACE}`) || this.#byFile.size >= FILES_MAX) return;
    try {
      const path = join(this.#folder, file);
      if (statSync(path).size > SIZE_BYTES_MAX) return;
      const result = readCniResult(readFileSync(path, 'utf8'));
      if (result !== undefined) this.#byFile.set(file, result);
    } catch {
      // It has gone meanwhile.
    }
  }

  #tellAll(results: readonly CniResult[]): void {
    for (const uid of new Set(results.map((result) => result.uid))) for (const listener of this.#listeners) listener(uid);
  }
}

/** undefined: it is not there, or out of reach. */
function identityOf(folder: string): string | undefined {
  try {
    const { dev, ino } = statSync(folder);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/** undefined: it is of no pod, of another interface, or not written to its end. Source: libcni `cachedInfo`, kind `cniCacheV1`. */
export function readCniResult(text: string): CniResult | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { kind, ifName, cniArgs, result } = fieldsOf(value);
  if (kind !== 'cniCacheV1' || ifName !== INTERFACE) return undefined;
  const uid = listOf(cniArgs).map(listOf).find(([name]) => name === 'K8S_POD_UID')?.[1];
  const addresses = listOf(fieldsOf(result)['ips']).map((ip) => addressOf(fieldsOf(ip)['address']));
  if (typeof uid !== 'string' || uid === '' || addresses.length === 0 || addresses.includes(undefined)) return undefined;
  return { uid, addresses: addresses.filter((address) => address !== undefined) };
}

/** `10.0.0.5/24` */
function addressOf(text: unknown): IpAddress | undefined {
  return typeof text === 'string' ? parseIpAddress(text.replace(/\/[0-9]+$/, '')) : undefined;
}

function textOf({ addresses }: CniResult): string {
  return addresses.map(formatIpAddress).join();
}

function sharesAddress(one: CniResult, other: CniResult): boolean {
  return one.addresses.some((a) => other.addresses.some((b) => a.family === b.family && a.value === b.value));
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {}; // an object of JSON
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
