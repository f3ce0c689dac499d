// What an agent pays for the ledger: 20,000 new flows a second over 5,000 different (source, target, port), half of them refused, each told with its rules, straight to pods and by the addresses of Services; the flood comes from another process.
import { FLOWS_PER_SECOND, soak, soakTable, TUPLES } from '../tests/kernel/flow-soak.ts';

const SECONDS = Number(process.env['BULKHEAD_SOAK_SECONDS'] ?? 90);
const PARTS = 6;

for (const partsByServices of [0, PARTS]) {
  const points = await soak({ seconds: SECONDS, parts: PARTS, partsByServices });
  const named = partsByServices > 0 ? `, ${points.at(-1)!.named} judgments with their Service` : '';
  process.stdout.write(`${FLOWS_PER_SECOND} flows a second wanted, over ${TUPLES}, ${partsByServices > 0 ? 'by Services' : 'straight to pods'}; the agent had ${(points[0]!.residentBytes / 2 ** 20).toFixed(0)} MB before the first${named}\n\n${soakTable(points)}\n`);
}
