// Flows of a running lab, a line for each as it happens, until somebody stops it.
import type { Firewall, LedgerEntry } from '../kernel/firewall.ts';
import { nameLedgerEntry, type NamedLedgerEntry } from '../lab/name-ledger-entry.ts';
import type { LabPlan } from '../lab/lab-plan.ts';
import { printable } from '../report/printable.ts';
import type { Style } from '../report/style.ts';
import type { Interruption } from '../terminal/interruption.ts';
import { writeAnswer } from '../terminal/output.ts';

/** Design, "Flows": while somebody follows. */
const LOOK_MS = 500;
/** Lines for one look; a flood is counted rather than printed. */
const LINES_MAX = 40;

export interface FlowWatch {
  readonly firewall: Firewall;
  readonly plan: LabPlan;
  readonly style: Style;
  readonly interruption: Interruption;
}

/** Reads the ledger without draining it: `lab probe` of another process reads the same one. */
export async function watchFlows({ firewall, plan, style, interruption }: FlowWatch): Promise<void> {
  let known = packetsByKey(firewall.readLedger());
  while (!interruption.hasCome()) {
    await waitFor(LOOK_MS, interruption);
    const entries = firewall.readLedger();
    const grown = entries.filter((entry) => entry.packets > (known.get(keyOf(entry)) ?? 0));
    known = packetsByKey(entries);
    const lines = grown.slice(0, LINES_MAX).map((entry) => flowLine(nameLedgerEntry(entry, plan), style));
    if (grown.length > lines.length) lines.push(style.dim(`  and ${grown.length - lines.length} more\n`));
    await writeAnswer(lines);
  }
}

async function waitFor(waitMs: number, { come }: Interruption): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => (timer = setTimeout(resolve, waitMs)));
  await Promise.race([passed, come]);
  clearTimeout(timer);
}

function packetsByKey(entries: readonly LedgerEntry[]): Map<string, number> {
  return new Map(entries.map((entry) => [keyOf(entry), entry.packets]));
}

function keyOf({ verdict, source, target, protocol, port, refusal, profile }: LedgerEntry): string {
  return `${verdict} ${source.family} ${source.value} ${target.value} ${protocol} ${port} ${refusal ?? ''} ${profile}`;
}

const PROTOCOL_NAMES: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6', 132: 'sctp' };

function flowLine({ verdict, sourceName, targetName, source, protocol, port, refusal }: NamedLedgerEntry, style: Style): string {
  const time = new Date().toTimeString().slice(0, 8);
  const word = PROTOCOL_NAMES[protocol] ?? `protocol ${protocol}`;
  const what = `${printable(sourceName)} → ${printable(targetName)} ${port === 0 ? word : `${word}/${port}`} over IPv${source.family}`;
  const how = verdict === 'allowed' ? style.green('allowed') : style.red(`denied${refusal === undefined ? '' : ` by ${refusal}`}`);
  return `  ${style.dim(time)}  ${what}  ${how}\n`;
}
