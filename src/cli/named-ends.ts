// What a word for an end of a connection stands for.
import type { PortSet } from '../base/port-set.ts';
import type { Pod } from '../model/cluster.ts';
import type { EndpointRef } from '../analyze/endpoint.ts';

/** What a word stands for. */
export interface NamedEnds {
  /** One end for each way in which policies treat what the word names. */
  readonly ends: readonly NamedEnd[];
  /** The pods behind the word; empty for addresses. */
  readonly pods: readonly Pod[];
  /** Target ports that the word itself names, as a Service does. */
  readonly ports: PortSet | undefined;
}

export interface NamedEnd {
  readonly label: string;
  readonly ref: EndpointRef;
}
