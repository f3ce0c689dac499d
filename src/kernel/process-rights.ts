// Takes from this process every right that it does not need: all threads, the bounding set, and what its children could regain.
import { readdirSync, readFileSync } from 'node:fs';
import { FirewallError } from './firewall-error.ts';
import { loadLibc } from './libc.ts';

/** Bits of linux/capability.h. */
const CAPABILITY_BITS = { NET_BIND_SERVICE: 10, NET_ADMIN: 12, SYS_ADMIN: 21 } as const;

export type Capability = keyof typeof CAPABILITY_BITS;

/** Of a thread, as /proc says it; the sets are masks of capability bits. */
export interface ThreadRights {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly bounding: bigint;
  readonly ambient: bigint;
  readonly isNoNewPrivileges: boolean;
}

/** One for each thread of this process. */
export function readThreadRights(): readonly ThreadRights[] {
  return readdirSync('/proc/self/task').flatMap((thread) => {
    try {
      return [parseRights(readFileSync(`/proc/self/task/${thread}/status`, 'utf8'))];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

/**
 * Returns when no thread holds, or can get back, a capability beside those of `kept`, nor may an exec give any.
 * Rights belong to threads, and Node has started some before this runs; so where there is something to drop this drops it
 * and executes the same program anew, in the same process, with its words and environment. Fails with FirewallError.
 */
export function dropRights(kept: readonly Capability[]): void {
  const wanted = maskOf(kept);
  const { permitted } = parseRights(readFileSync('/proc/thread-self/status', 'utf8'));
  const missing = kept.find((name) => (permitted & maskOf([name])) === 0n);
  if (missing !== undefined) throw refusal(`work without the capability ${missing}`, 'run it as root, or give it the capability (in a container: securityContext.capabilities.add)');
  if (readThreadRights().every((rights) => isDropped(rights, wanted))) return;
  if (process.env[EXECUTED_MARK] !== undefined) throw refusal('drop the capabilities that are not needed', 'they are still there after a new start');
  dropOwn(kept, wanted);
  process.execve!(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], { ...process.env, [EXECUTED_MARK]: '1' });
}

/** Keeps a kernel that behaves otherwise from being asked for ever. */
const EXECUTED_MARK = 'BULKHEAD_RIGHTS_DROPPED';

function isDropped({ effective, permitted, inheritable, bounding, ambient, isNoNewPrivileges }: ThreadRights, wanted: bigint): boolean {
  return isNoNewPrivileges && ((effective | permitted | inheritable | bounding | ambient) & ~wanted) === 0n;
}

// prctl(2), capabilities(7).
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const CAPABILITY_VERSION_3 = 0x20080522;

function dropOwn(kept: readonly Capability[], wanted: bigint): void {
  const libc = loadLibc();
  const last = Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8'));
  const { bounding, permitted } = parseRights(readFileSync('/proc/thread-self/status', 'utf8'));
  for (let bit = 0; bit <= last; bit++) {
    const isKept = (wanted >> BigInt(bit)) & 1n;
    if (!isKept && (bounding >> BigInt(bit)) & 1n) check(libc.prctl(PR_CAPBSET_DROP, bit, 0, 0, 0), 'drop a capability from the bounding set');
  }
  setCapabilities(wanted & permitted);
  // An exec of a plain user keeps only what is ambient; the program `nft` needs NET_ADMIN.
  for (const name of kept) {
    const bit = CAPABILITY_BITS[name];
    if ((permitted >> BigInt(bit)) & 1n) check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, bit, 0, 0), `keep ${name}`);
  }
  check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 'refuse new privileges');
}

/** struct __user_cap_header_struct, and two of __user_cap_data_struct (effective, permitted, inheritable). */
function setCapabilities(mask: bigint): void {
  const header = new Uint8Array(8);
  new DataView(header.buffer).setUint32(0, CAPABILITY_VERSION_3, true);
  const data = new Uint8Array(24);
  const view = new DataView(data.buffer);
  for (const [index, half] of [Number(mask & 0xffffffffn), Number(mask >> 32n)].entries()) {
    for (const field of [0, 4, 8]) view.setUint32(index * 12 + field, half, true);
  }
  check(loadLibc().capset(header, data), 'set the capabilities of this process');
}

function check(result: number, doing: string): void {
  if (result !== 0) throw refusal(doing, undefined, loadLibc().errno());
}

function refusal(doing: string, said: string | undefined, errno?: number): FirewallError {
  return new FirewallError({ code: 'not-permitted', doing, ...(said === undefined ? {} : { said }), ...(errno === undefined ? {} : { errno }) });
}

function maskOf(names: readonly Capability[]): bigint {
  return names.reduce((mask, name) => mask | (1n << BigInt(CAPABILITY_BITS[name])), 0n);
}

function parseRights(status: string): ThreadRights {
  const mask = (field: string): bigint => BigInt(`0x${new RegExp(`^${field}:\\s*([0-9a-f]+)$`, 'm').exec(status)![1]!}`);
  return {
    effective: mask('CapEff'),
    permitted: mask('CapPrm'),
    inheritable: mask('CapInh'),
    bounding: mask('CapBnd'),
    ambient: mask('CapAmb'),
    isNoNewPrivileges: /^NoNewPrivs:\s*1$/m.test(status),
  };
}
