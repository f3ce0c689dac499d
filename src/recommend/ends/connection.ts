// A connection that the application needs: who opens it, to whom, on which ports, and what shows it.
import { compareText, type Finding } from '../../base/finding.ts';
import type { IpRange } from '../../base/ip-address.ts';
import { unionPorts, type PortSet } from '../../base/port-set.ts';
import type { Selector } from '../../model/selector.ts';
import type { Seen } from './seen.ts';
import type { Subject } from './subjects.ts';
import type { Witness } from '../words/witness.ts';

/** One end; at least one end of each connection is a subject. */
export type End =
  | { readonly kind: 'subject'; readonly subject: Subject }
  /** Pods known by their labels alone, in one namespace or in whichever. */
  | { readonly kind: 'pods'; readonly name: string; readonly namespace: string | undefined; readonly selectors: readonly Selector[] }
  /** Addresses; `name` says whose. With `dnsName` a rule names that, and they are what it had when it was looked up. */
  | { readonly kind: 'addresses'; readonly name: string; readonly blocks: readonly Block[]; readonly dnsName?: string };

/** What an ipBlock says. */
export interface Block {
  readonly cidr: IpRange;
  readonly except: readonly IpRange[];
}

export interface Connection {
  readonly source: End;
  readonly target: End;
  readonly ports: PortSet;
  /** Sorted by place. */
  readonly witnesses: readonly Witness[];
  /** The source finds the target by its name. */
  readonly isByName: boolean;
  /** Why somebody has to look at it: what is opened is wider than what was seen. */
  readonly decision: string | undefined;
  /** The recorded flows that it lets through; missing: none. */
  readonly seen?: Seen;
  /** By what it is known to be a scrape of metrics, where flows alone show it. */
  readonly scrape?: string;
  /** false: nothing in the manifests shows it, flows alone do. */
  readonly isDeclared?: false;
}

export type Standing = 'declared and seen' | 'declared, not seen' | 'seen, not declared';

export function standingOf({ seen, isDeclared }: Pick<Connection, 'seen' | 'isDeclared'>): Standing {
  if (isDeclared === false) return 'seen, not declared';
  return seen === undefined ? 'declared, not seen' : 'declared and seen';
}

/** What one kind of place in the manifests shows. */
export interface Shown {
  readonly connections: readonly Connection[];
  readonly findings: readonly Finding[];
}

export function endKey(end: End): string {
  switch (end.kind) {
    case 'subject':
      return `0 ${end.subject.namespace}/${end.subject.name}`;
    case 'pods':
      return `1 ${end.namespace ?? ''} ${end.name}`;
    case 'addresses':
      return `2 ${end.name}`;
  }
}

export function endName(end: End): string {
  return end.kind === 'subject' ? `${end.subject.namespace}/${end.subject.name}` : end.name;
}

export function pairKey({ source, target }: Pick<Connection, 'source' | 'target'>): string {
  return `${endKey(source)}\n${endKey(target)}`;
}

/** Those between the same two ends are one; of flows nothing is known yet. Sorted by source, then target. */
export function joinConnections(found: readonly Connection[]): readonly Connection[] {
  const groups = Map.groupBy(found, pairKey);
  return [...groups]
    .sort(([a], [b]) => compareText(a, b))
    .map(([, same]) => ({ ...same[0]!, isByName: same.some(({ isByName }) => isByName), ports: same.reduce<PortSet>((ports, connection) => unionPorts(ports, connection.ports), []), witnesses: sortWitnesses(same.flatMap(({ witnesses }) => witnesses)) }));
}

export function sortWitnesses(witnesses: readonly Witness[]): readonly Witness[] {
  const distinct = new Map(witnesses.map((witness) => [`${witness.file}\n${witness.range.start.line}\n${witness.says}`, witness]));
  return [...distinct.values()].sort((a, b) => compareText(a.file, b.file) || a.range.start.line - b.range.start.line || a.range.start.column - b.range.start.column || compareText(a.says, b.says));
}
