// Whose process this is when user namespaces are taken into account.
import { readFileSync, readlinkSync } from 'node:fs';

/** The uid outside: inside a user namespace of one's own everybody is 0. */
export function outerUid(): number {
  const own = process.getuid?.() ?? 0;
  for (const { inside, outside, count } of uidMap()) {
    if (own >= inside && own < inside + count) return outside + (own - inside);
  }
  return own;
}

export function isInsideUserNamespace(): boolean {
  const map = uidMap();
  return map.length > 0 && !(map.length === 1 && map[0]!.inside === 0 && map[0]!.outside === 0 && map[0]!.count >= ALL_UIDS);
}

/** Entering the one that this process is in already would be refused (setns(2), EINVAL). */
export function isInOtherUserNamespace(pid: number): boolean {
  return readlinkSync(`/proc/${pid}/ns/user`) !== readlinkSync('/proc/self/ns/user');
}

interface UidRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** user_namespaces(7) */
function uidMap(): UidRange[] {
  try {
    const lines = readFileSync('/proc/self/uid_map', 'utf8').trim().split('\n');
    return lines.map((line) => {
      const [inside, outside, count] = line.trim().split(/\s+/).map(Number);
      return { inside: inside!, outside: outside!, count: count! };
    });
  } catch {
    return [];
  }
}

const ALL_UIDS = 4294967295;
