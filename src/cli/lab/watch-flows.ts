// Flows of a running lab, a line for each as it happens, until somebody stops it.
import { sleep } from '../../base/sleep.ts';
import { FlowLog } from '../../flow/flow-log.ts';
import { endsByAddress, ledgerFlow } from '../../flow/ledger-flows.ts';
import type { FlowRecord } from '../../flow/flow-record.ts';
import type { LedgerEntry } from '../../kernel/firewall.ts';
import { writeLabFlows } from '../../lab/lab-records.ts';
import { nameLedgerEntry, type NamedLedgerEntry } from '../../lab/name-ledger-entry.ts';
import { reasonText } from '../../flow/reason-text.ts';
import { printable } from '../../report/text/printable.ts';
import type { Style } from '../../report/text/style.ts';
import type { Interruption } from '../../terminal/interruption.ts';
import { writeAnswer } from '../../terminal/output.ts';
import { systemClock } from '../system-clock.ts';
import type { RunningLab } from './run-lab.ts';

/** Design, "Flows": while somebody follows. */
export const LOOK_MS = 500;
/** Lines for one look; a flood is counted rather than printed. */
const LINES_MAX = 40;

export interface FlowWatch {
  readonly running: Pick<RunningLab, 'firewall' | 'plan' | 'program' | 'lab'>;
  readonly style: Style;
  readonly interruption: Interruption;
}

/** Reads the ledger without draining it: `lab probe` of another process reads the same one. What it saw it writes down for `flows` of another process. */
export async function watchFlows({ running: { firewall, plan, program, lab }, style, interruption }: FlowWatch): Promise<void> {
  const log = new FlowLog(program.cluster);
  const endOf = endsByAddress(program.cluster);
  let known = packetsByKey(firewall.readLedger());
  while (!interruption.hasCome()) {
    await sleep(systemClock, LOOK_MS, interruption.signal);
    const entries = firewall.readLedger();
    const grown = entries.filter((entry) => entry.packets > (known.get(keyOf(entry)) ?? 0));
    const more = grown.map((entry) => nameLedgerEntry({ ...entry, packets: entry.packets - (known.get(keyOf(entry)) ?? 0) }, plan));
    known = packetsByKey(entries);
    if (grown.length === 0) continue;
    const judged = log.add(more.map((entry) => ({ ...ledgerFlow(entry, endOf, { timeMs: Date.now(), node: plan.node.name }), service: entry.service })));
    writeLabFlows(lab.node, log.lines());
    const lines = more.slice(0, LINES_MAX).map((entry, index) => flowLine(entry, judged[index]!, style));
    if (grown.length > lines.length) lines.push(style.dim(`  and ${grown.length - lines.length} more\n`));
    await writeAnswer(lines);
  }
}

function packetsByKey(entries: readonly LedgerEntry[]): Map<string, number> {
  return new Map(entries.map((entry) => [keyOf(entry), entry.packets]));
}

function keyOf({ verdict, source, target, protocol, port, asked, refusal, profile }: LedgerEntry): string {
  return `${verdict} ${source.family} ${source.value} ${target.value} ${protocol} ${port} ${asked?.address.value} ${asked?.port} ${refusal ?? ''} ${profile}`;
}

const PROTOCOL_NAMES: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6', 132: 'sctp' };

function flowLine({ verdict, sourceName, targetName, service, source, protocol, port, refusal }: NamedLedgerEntry, { reason }: FlowRecord, style: Style): string {
  const time = new Date().toTimeString().slice(0, 8);
  const word = PROTOCOL_NAMES[protocol] ?? `protocol ${protocol}`;
  const what = `${printable(sourceName)} → ${printable(targetName)}${service === undefined ? '' : ` by svc/${printable(service)}`} ${port === 0 ? word : `${word}/${port}`} over IPv${source.family}`;
  const how = verdict === 'allowed' ? style.green('allowed') : style.red(`denied${refusal === undefined ? '' : ` by ${refusal}`}`);
  const why = reason === undefined ? '' : `  ${style.dim(printable(reasonText(reason)))}`;
  return `  ${style.dim(time)}  ${what}  ${how}${why}\n`;
}
