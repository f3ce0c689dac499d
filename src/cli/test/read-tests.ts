// Test files that a command names, read as expectations.
import { readFileSync } from 'node:fs';
import { hasErrors } from '../../base/finding.ts';
import { readPolicyTests, type PolicyTest } from '../../probe/policy-test.ts';
import { listInputs, systemWords } from '../../input/list-inputs.ts';
import { UnreadableInput } from '../../terminal/failures.ts';
import { writeFindings } from '../../terminal/write-findings.ts';

/** undefined: a file is broken, which has been said. */
export async function readTests(words: readonly string[]): Promise<readonly PolicyTest[] | undefined> {
  const texts = new Map<string, string>();
  const read = listInputs(words).map((file) => {
    const text = readText(file.kind === 'stdin' ? 0 : file.name, file.name);
    texts.set(file.name, text);
    return readPolicyTests(file.name, text);
  });
  const findings = read.flatMap((one) => one.findings);
  await writeFindings(findings, { lineOf: (file, line) => texts.get(file)?.split(/\r?\n/)[line - 1] });
  return hasErrors(findings) ? undefined : read.flatMap(({ tests }) => tests);
}

function readText(path: string | 0, name: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UnreadableInput(name, systemWords(error));
  }
}
