// What other processes must know of a running lab: a folder that only its user can read, with the process and its namespaces.
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { NamespaceFd } from '../kernel/network-namespace.ts';
import { CLUSTER_DOMAIN, searchDomains } from './dns-zone.ts';
import { outerUid } from './internal/user-namespace.ts';
import { LabError } from './lab-error.ts';
import type { LabPlan } from './lab-plan.ts';

/** Plain data. `fd`s are of the process `pid`, to be opened through /proc. */
export interface LabState {
  readonly pid: number;
  /** In clock ticks since boot: tells the process from a later one of the same number. */
  readonly startTime: string;
  readonly node: number;
  readonly ends: readonly LabStateEnd[];
  readonly services: readonly LabStateService[];
  /** The folder of this lab. */
  readonly folder: string;
}

export interface LabStateEnd {
  /** A pod's `namespace/name`, or an outside host's range. */
  readonly name: string;
  readonly isPod: boolean;
  readonly fd: number;
  readonly addresses: readonly string[];
}

export interface LabStateService {
  /** `namespace/name`. */
  readonly name: string;
  readonly addresses: readonly string[];
  /** Names of the pods behind it. */
  readonly pods: readonly string[];
}

export interface LabNamespaces {
  readonly node: NamespaceFd;
  readonly namespaces: readonly NamespaceFd[];
}

/** Writes the state of this process's lab and takes away what dead ones left; gives the function that takes it back. */
export function publishLab(plan: LabPlan, { node, namespaces }: LabNamespaces): () => void {
  removeStaleLabs();
  const startTime = processStartTime(process.pid);
  const { place, folder } = makeLabFolder(node);
  const state: LabState = {
    pid: process.pid,
    startTime: startTime ?? '',
    node,
    ends: plan.endpoints.map(({ name, subject, addresses }, index) => ({
      name, isPod: subject.kind === 'pod', fd: namespaces[index]!, addresses: addresses.map(formatIpAddress),
    })),
    services: plan.services.map(({ namespace, name, addresses, pods }) => ({
      name: `${namespace}/${name}`, addresses: addresses.map(formatIpAddress), pods: pods.map((pod) => plan.pods[pod]!.name),
    })),
    folder,
  };
  for (const namespace of new Set(plan.pods.map(({ name }) => namespaceOf(name)))) {
    writeFileSync(resolverFile(state, namespace), resolverText(namespace, plan.dnsAddresses));
  }
  writeFileSync(nameSwitchFile(state), 'passwd: files\ngroup: files\nhosts: files dns\n');
  // Readers see the whole file or none.
  writeFileSync(join(folder, 'state.new'), JSON.stringify(state));
  renameSync(join(folder, 'state.new'), join(folder, STATE_FILE));
  const unpublish = (): void => {
    process.off('exit', unpublish);
    rmSync(folder, { recursive: true, force: true });
    removeIfEmpty(place);
  };
  process.on('exit', unpublish);
  return unpublish;
}

const FOLDER_TRIES_MAX = 10;

/** Another lab that ends takes the empty place away, also between the two steps here: then both are done again. */
function makeLabFolder(node: NamespaceFd): { readonly place: string; readonly folder: string } {
  for (let tries = 1; ; tries++) {
    const place = makeStateFolder();
    const folder = join(place, `${FOLDER_PREFIX}${process.pid}-${node}`);
    // Of a process with this one's number that died while it wrote.
    rmSync(folder, { recursive: true, force: true });
    try {
      mkdirSync(folder, { mode: 0o700 });
      return { place, folder };
    } catch (error) {
      if (tries === FOLDER_TRIES_MAX || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** The labs of this user that run now, the youngest first. */
export function readLabs(): LabState[] {
  const labs = listFolders().flatMap((folder) => readState(folder) ?? []);
  return labs.filter(isAlive).sort((a, b) => Number(b.startTime) - Number(a.startTime) || b.pid - a.pid);
}

/** The one lab that runs, or the one of the process; throws where there is none or a choice. */
export function findLab(pid?: number): LabState {
  const labs = readLabs().filter((lab) => pid === undefined || lab.pid === pid);
  if (labs.length > 1 && pid === undefined) {
    throw new LabError('several-labs', `several labs run here: processes ${labs.map((lab) => lab.pid).join(', ')}`, { help: 'say which one with `--pid`' });
  }
  if (labs[0] === undefined) {
    throw new LabError('no-lab', pid === undefined ? 'no lab of yours runs here' : `process ${pid} runs no lab of yours`, { help: 'start one with `bulkhead demo`' });
  }
  return labs[0];
}

/** The resolver configuration of the pods of a Kubernetes namespace. */
export function resolverFile(state: LabState, namespace: string): string {
  return join(state.folder, `resolv.conf-${namespace}`);
}

/** Names are asked of the lab alone: not of a resolver of the host that listens on a local socket. */
export function nameSwitchFile(state: LabState): string {
  return join(state.folder, 'nsswitch.conf');
}

export function namespaceOf(podName: string): string {
  return podName.slice(0, podName.indexOf('/'));
}

function resolverText(namespace: string, dnsAddresses: readonly IpAddress[]): string {
  const servers = dnsAddresses.map((address) => `nameserver ${formatIpAddress(address)}\n`).join('');
  return `${servers}search ${searchDomains(namespace).join(' ')}\noptions ndots:5 timeout:1 attempts:2\n# names end in ${CLUSTER_DOMAIN}\n`;
}

/** Another lab may have its state beside this one's. */
function removeIfEmpty(place: string): void {
  try {
    rmdirSync(place);
  } catch {
    // Not empty, or gone.
  }
}

function removeStaleLabs(): void {
  for (const folder of listFolders()) {
    const state = readState(folder);
    if (state === undefined ? !isBeingMade(folder) : !isAlive(state)) rmSync(folder, { recursive: true, force: true });
  }
}

/** Without a state file the folder is dead, or its process is just writing it. */
function isBeingMade(folder: string): boolean {
  const pid = /\/lab-(\d+)-\d+$/.exec(folder)?.[1];
  return pid !== undefined && processStartTime(Number(pid)) !== undefined;
}

function isAlive({ pid, startTime }: LabState): boolean {
  return processStartTime(pid) === startTime;
}

function readState(folder: string): LabState | undefined {
  try {
    // Written by `publishLab` into a folder that nobody else can write.
    return JSON.parse(readFileSync(join(folder, STATE_FILE), 'utf8')) as LabState;
  } catch {
    return undefined;
  }
}

/** Of all places: the lab may have been started with another environment. */
function listFolders(): string[] {
  return statePlaces().filter(isOwnFolder).flatMap((place) =>
    namesIn(place).filter((name) => name.startsWith(FOLDER_PREFIX)).map((name) => join(place, name)));
}

function namesIn(place: string): string[] {
  try {
    return readdirSync(place);
  } catch {
    // Taken away in between by a lab that ended.
    return [];
  }
}

const FOLDER_PREFIX = 'lab-';
const STATE_FILE = 'state.json';

/** proc_pid_stat(5), field 22; undefined when there is no such process, or only what is left of one until it is waited for. */
function processStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in field 2 may hold blanks and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The usual places, the best first. */
function statePlaces(): string[] {
  const uid = outerUid();
  const runtime = process.env['XDG_RUNTIME_DIR'];
  return [
    ...(runtime === undefined || runtime === '' ? [] : [join(runtime, 'bulkhead')]),
    ...(uid === 0 ? ['/run/bulkhead'] : []),
    `/tmp/bulkhead-${uid}`,
  ];
}

/** The first place that is this user's alone; made when missing. */
function makeStateFolder(): string {
  const places = statePlaces();
  const place = places.find((path) => isOwnFolder(path) || canMakeFolder(path));
  if (place === undefined) {
    throw new LabError('no-namespaces', `cannot keep the state of the lab in ${places.join(' or ')}`, { help: 'set XDG_RUNTIME_DIR to a folder that is yours alone' });
  }
  return place;
}

function canMakeFolder(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch {
    return false;
  }
}

/** In /tmp anybody could have made it, with anything in it. */
function isOwnFolder(path: string): boolean {
  try {
    const found = lstatSync(path);
    if (!found.isDirectory() || found.uid !== process.getuid?.()) return false;
    if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700);
    return true;
  } catch {
    return false;
  }
}
