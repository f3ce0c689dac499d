// Who else owns fields of an object, in the words of the server's conflict, and what to do about it.

export interface FieldConflict {
  readonly manager: string;
  /** `.spec.ingress`. */
  readonly field: string;
}

/** Under these names we write ourselves. */
export const FIELD_MANAGER = 'bulkhead';
const OWN_MANAGERS: ReadonlySet<string> = new Set([FIELD_MANAGER, 'bulkhead-promote']);

/** Of the message of a refused server-side apply; ours are left out. Empty: it was another conflict. */
export function readConflicts(message: string): readonly FieldConflict[] {
  const conflicts: FieldConflict[] = [];
  let manager: string | undefined;
  for (const line of message.split('\n')) {
    const start = /conflicts? with "([^"]+)"[^:]*:\s*(.*)$/.exec(line);
    if (start !== null) manager = start[1];
    const fields = start === null ? /^\s*- (.*)$/.exec(line)?.[1] : start[2];
    for (const field of (fields ?? '').split(/,\s*|\s+/)) if (manager !== undefined && field.startsWith('.')) conflicts.push({ manager, field });
  }
  return conflicts.filter((conflict) => !OWN_MANAGERS.has(conflict.manager));
}

interface Owner {
  readonly pattern: RegExp;
  readonly advice: string;
}

/** The names under which well-known programs write (each project's source). */
const OWNERS: readonly Owner[] = [
  { pattern: /^argocd-/, advice: 'Argo CD writes it back from its repository: change it there, and let `bulkhead apply --dry-run=server` judge the change' },
  { pattern: /^(kustomize-controller|helm-controller|flux)/, advice: 'Flux writes it back from its source: change it there, and let `bulkhead apply --dry-run=server` judge the change' },
  { pattern: /^helm$/i, advice: 'the next `helm upgrade` of its chart writes it back' },
  { pattern: /^kubectl/, advice: 'somebody wrote it with kubectl: from now on leave it to one of the two' },
];

export function adviceOf(manager: string): string {
  return OWNERS.find(({ pattern }) => pattern.test(manager))?.advice ?? 'see who that is before you take it over';
}

interface ManagedFields {
  readonly manager?: unknown;
  readonly operation?: unknown;
}

/** Whoever has written it, by the server's own book; ourselves left out. */
export function otherManagers(metadata: { readonly [field: string]: unknown }): readonly string[] {
  return [...new Set(managersOf(metadata).filter((manager) => !OWN_MANAGERS.has(manager)))];
}

export function isOurs(metadata: { readonly [field: string]: unknown }): boolean {
  return managersOf(metadata).some((manager) => OWN_MANAGERS.has(manager));
}

function managersOf({ managedFields }: { readonly [field: string]: unknown }): readonly string[] {
  if (!Array.isArray(managedFields)) return [];
  return (managedFields as readonly ManagedFields[]).flatMap(({ manager }) => (typeof manager === 'string' ? [manager] : []));
}
