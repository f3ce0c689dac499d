// What all nodes counted for a staged policy, out of the status that each wrote its part of.
import type { StoredObject } from '../kube/cluster-api.ts';
import type { RefusedFlow } from './staged-count.ts';

export interface StagedSum {
  /** That judged this very generation. */
  readonly nodes: number;
  readonly judged: number;
  readonly wouldRefuse: number;
  readonly wouldAllow: number;
  readonly unknown: number;
  /** The latest of their beginnings. */
  readonly since: string;
  /** Those of the most judgments. */
  readonly witnesses: readonly RefusedFlow[];
  readonly problems: readonly string[];
}

const WITNESSES_MAX = 10;

/** As an agent of any version wrote it: every field is looked at. */
type Part = Partial<Record<'generation' | 'judged' | 'wouldRefuse' | 'wouldAllow' | 'unknown', number>> & { readonly since?: string; readonly problem?: string | null; readonly witnesses?: readonly RefusedFlow[] };

export function sumStaged({ metadata, status }: StoredObject): StagedSum {
  const nodes = (status as { readonly nodes?: Readonly<Record<string, Part>> } | undefined)?.nodes ?? {};
  const parts = Object.values(nodes).filter(({ generation }) => generation === metadata.generation);
  const sum = (field: 'judged' | 'wouldRefuse' | 'wouldAllow' | 'unknown'): number => parts.reduce((total, part) => total + (part[field] ?? 0), 0);
  return {
    nodes: parts.length,
    judged: sum('judged'),
    wouldRefuse: sum('wouldRefuse'),
    wouldAllow: sum('wouldAllow'),
    unknown: sum('unknown'),
    since: parts.map(({ since }) => since ?? '').sort().at(-1) ?? '',
    witnesses: parts.flatMap(({ witnesses }) => witnesses ?? []).sort((a, b) => b.judged - a.judged).slice(0, WITNESSES_MAX),
    problems: [...new Set(parts.flatMap(({ problem }) => problem ?? []))],
  };
}

/** Maps without regard to the order of their keys; `policyTypes` that the server filled in count as left out. */
export function isSameSpec(held: unknown, wanted: unknown): boolean {
  const [a, b] = [sorted(held), sorted(wanted)] as [{ policyTypes?: unknown } | null, { policyTypes?: unknown } | null]; // looked at below
  if (JSON.stringify(a) === JSON.stringify(b)) return true;
  if (a === null || b === null || typeof a !== 'object' || b.policyTypes !== undefined) return false;
  const { policyTypes, ...rest } = a;
  const isDefault = JSON.stringify(policyTypes) === JSON.stringify('egress' in rest && Array.isArray(rest.egress) && rest.egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress']);
  return isDefault && JSON.stringify(rest) === JSON.stringify(b);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, sorted(one)]));
}
