// Port sets as the JSON of the contract writes them.
import { hasOtherProtocols, protocolRanges, type PortSet } from '../../base/port-set.ts';

export interface JsonPorts {
  readonly traffic: Readonly<Record<'TCP' | 'UDP' | 'SCTP', readonly (readonly [number, number])[]>>;
  /** Protocols beyond the three. */
  readonly other: boolean;
}

export function jsonPorts(ports: PortSet): JsonPorts {
  const [TCP, UDP, SCTP] = [protocolRanges(ports, 'TCP'), protocolRanges(ports, 'UDP'), protocolRanges(ports, 'SCTP')];
  return { traffic: { TCP, UDP, SCTP }, other: hasOtherProtocols(ports) };
}
