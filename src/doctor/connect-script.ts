// Connections to be tried from inside a pod as one script for its shell, and what the script printed, read back.
import type { IpAddress } from '../base/ip-address.ts';
import { formatIpAddress } from '../base/ip-address.ts';

export interface Attempt {
  readonly address: IpAddress;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
}

/** Silence for so long is a refusal. */
export const ATTEMPT_MS = 700;

/** All at once; each says its number and what came of it. `agnhost connect` waits for an answer over UDP. */
export function connectScript(attempts: readonly Attempt[]): string {
  const calls = attempts.map(({ address, port, protocol }, index) => `c ${index} ${endText(address, port)} ${protocol.toLowerCase()} &`);
  return [`c() { if /agnhost connect "$2" --protocol="$3" --timeout=${ATTEMPT_MS}ms >/dev/null 2>&1; then echo "$1 open"; else echo "$1 closed"; fi; }`, ...calls, 'wait'].join('\n');
}

/** By number; undefined where the script said nothing of it. */
export function readConnected(stdout: string, count: number): readonly (boolean | undefined)[] {
  const said = new Map([...stdout.matchAll(/^([0-9]+) (open|closed)$/gm)].map(([, number, word]) => [Number(number), word === 'open']));
  return Array.from({ length: count }, (_, index) => said.get(index));
}

export function endText(address: IpAddress, port: number): string {
  const text = formatIpAddress(address);
  return address.family === 6 ? `[${text}]:${port}` : `${text}:${port}`;
}
