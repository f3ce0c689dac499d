// Random texts of policies, a word or a line of each changed: what a real API server takes and refuses is what reading takes and refuses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openConnection } from '../../src/kube/kube-config.ts';
import { needs } from '../needs.ts';
import { startApiServer } from './api-server.ts';
import { judge, NETWORK_POLICY, type Judged } from './judge-text.ts';
import { mutatedText } from './mutated-texts.ts';
import { applyObject } from './write-object.ts';

const wants = needs('apiserver');
const server = wants.skip === undefined ? startApiServer() : undefined;

const isNightly = process.env['BULKHEAD_NIGHTLY'] === '1';

/** Texts of one test: each has a seed of its own, so that a difference is found again without the texts of the others. */
const PART_TEXTS = isNightly ? 2_000 : 450;
const PARTS = isNightly ? 30 : 2;
const SEED = Number(process.env['BULKHEAD_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Requests on their way at one time. */
const AT_ONCE = 4;
/** Differences shown of one part. */
const SHOWN_MAX = 10;

for (let part = 0; part < PARTS; part++) {
  test(`random texts, as YAML: part ${part + 1} of ${PARTS}`, wants, async () => {
    const connection = await openConnection({ kubeconfig: server!.kubeconfig });
    await applyObject(connection, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    const seed = SEED + part;
    const texts = fc.sample(mutatedText, { numRuns: PART_TEXTS, seed });
    const judged = await judgeAll(texts, (text) => judge(connection, NETWORK_POLICY, text, 'shop'));
    const differences = judged.filter(({ text, verdicts }) => verdicts.server !== verdicts.read && !isPassedOver(text, verdicts)).map(({ text, verdicts }) => `${text}\n    ${verdicts.why}`);
    assert.ok(differences.length === 0, `BULKHEAD_SEED=${seed}, first part, ${differences.length} differences\n${differences.slice(0, SHOWN_MAX).join('\n')}`);
    const accepted = judged.filter(({ verdicts }) => verdicts.server === 'accepted').length;
    assert.ok(accepted > PART_TEXTS / 12 && PART_TEXTS - accepted > PART_TEXTS / 12, `${accepted} of ${PART_TEXTS} were accepted: they show little`);
  });
}

interface JudgedText {
  readonly text: string;
  readonly verdicts: Judged;
}

/** In the order of the texts. */
async function judgeAll(texts: readonly string[], judgeText: (text: string) => Promise<Judged>): Promise<readonly JudgedText[]> {
  const judged: JudgedText[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < texts.length; at = next++) judged[at] = { text: texts[at]!, verdicts: await judgeText(texts[at]!) };
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return judged;
}

/** The server takes such a text and reads its beginning alone, without a word; here that is an error, for what is passed over may be what protects. */
function isPassedOver(text: string, { server: verdict, why }: Judged): boolean {
  return verdict === 'accepted' && (/^(\.\.\.$|%)/m.test(text) || why.includes('kubectl would pass over it and all that follows'));
}
