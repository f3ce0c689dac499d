// What an agent pays for the ledger: 20,000 new flows a second over 5,000 different (source, target, port), half of them refused, each told with its rules; the flood comes from another process.
import { FLOWS_PER_SECOND, soak, TUPLES, type SoakPoint } from '../tests/kernel/flow-soak.ts';

const SECONDS = Number(process.env['BULKHEAD_SOAK_SECONDS'] ?? 90);
const PARTS = 6;

const points = await soak({ seconds: SECONDS, parts: PARTS });
process.stdout.write(`${FLOWS_PER_SECOND} flows a second wanted, over ${TUPLES}; the agent had ${(points[0]!.residentBytes / 2 ** 20).toFixed(0)} MB before the first\n\n`);
process.stdout.write('| seconds | flows/s | told of sent | lost | drains | CPU of a core | resident |\n|---|---|---|---|---|---|---|\n');
for (const [index, point] of points.entries()) if (index > 0) process.stdout.write(rowOf(points[index - 1]!, point));

function rowOf(before: SoakPoint, { seconds, sent, told, lost, drains, cpuMs, residentBytes }: SoakPoint): string {
  const span = seconds - before.seconds;
  const cpu = (cpuMs - before.cpuMs) / span / 10;
  return `| ${seconds.toFixed(0)} | ${((sent - before.sent) / span).toFixed(0)} | ${told} of ${sent} | ${lost} | ${drains} | ${cpu.toFixed(2)} % | ${(residentBytes / 2 ** 20).toFixed(0)} MB |\n`;
}
