// Puts one fuzzed input after the other through everything that lint does, saying each number before it begins; run by `fuzz.test.ts`.
import { writeSync } from 'node:fs';
import { compileCluster } from '../../src/compile/compile.ts';
import { applyEdits, editsOf } from '../../src/mend/apply-edits.ts';
import { lintCluster } from '../../src/lint/lint.ts';
import { repairText } from '../../src/mend/repair-text.ts';
import { readManifests } from '../../src/read/read.ts';
import { decodeUtf8 } from '../../src/read/text/utf8.ts';
import { FINDING_FORMATS, formatFindings } from '../../src/report/report.ts';
import { PLAIN_STYLE } from '../../src/report/text/style.ts';
import { fuzzInput } from './fuzz-inputs.ts';

const [seed, first, count] = process.argv.slice(2).map(Number) as [number, number, number];

/** Of the processor: other work on the host does not count. */
const SLOW_US = 1_000_000;

for (let index = first; index < first + count; index++) {
  say(`at ${index}`);
  const bytes = fuzzInput(seed, index);
  const start = process.cpuUsage();
  lint(bytes, index);
  const { user, system } = process.cpuUsage(start);
  if (user + system > SLOW_US) say(`slow ${index} ${Math.round((user + system) / 1000)}`);
}
say(`memory ${process.resourceUsage().maxRSS}`);

// At once, also when what follows never ends.
function say(line: string): void {
  writeSync(1, `${line}\n`);
}

function lint(bytes: Uint8Array, index: number): void {
  const file = index % 2 === 0 ? 'a.yaml' : 'a.md';
  const text = decodeUtf8(bytes);
  const repair = text === undefined ? undefined : repairText(file, text);
  const read = repair === undefined ? bytes : new TextEncoder().encode(repair.text);
  const { cluster, findings } = readManifests([{ name: file, chunks: () => [read] }], { lenient: index % 3 === 0 });
  const all = [...(repair?.findings ?? []), ...findings, ...lintCluster(cluster, compileCluster(cluster))];
  if (repair !== undefined) applyEdits(repair.text, editsOf(findings));
  const lines = text?.split('\n') ?? [];
  const layout = { style: PLAIN_STYLE, lineOf: (_: string, line: number) => lines[line - 1], widthColumns: 80, version: '0', files: [file] };
  for (const piece of formatFindings(FINDING_FORMATS[index % FINDING_FORMATS.length]!, all, layout)) void piece;
}
