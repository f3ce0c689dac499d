// `bulkhead doctor --live`: pods of our own call one another under policies of our own, and all of it goes again, also after Ctrl-C.
import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { chooseNodes, type ChosenNodes } from '../../doctor/choose-nodes.ts';
import { casesNamed, longestRunMs, runConformance, type ConformanceResult } from '../../doctor/conformance.ts';
import { proveLive, type LiveOptions, type LiveResult } from '../../doctor/live.ts';
import type { GroundApi, GroundOptions } from '../../doctor/probe-ground.ts';
import type { ServedKind, StoredObject } from '../../kube/cluster-api.ts';
import { conformanceJson, conformanceJunit, conformanceMarkdown, conformanceText, type CONFORMANCE_FORMATS } from '../../report/state/conformance.ts';
import { liveJson, liveMarkdown, liveText } from '../../report/state/live-support.ts';
import type { SUPPORT_FORMATS } from '../../report/state/support.ts';
import { dataAnswer } from '../../terminal/data-answer.ts';
import { INTERRUPTED_STATUS, listenForInterruption } from '../../terminal/interruption.ts';
import { UsageError } from '../../terminal/failures.ts';
import { createProgress, type Progress } from '../../terminal/progress.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { terminalOf } from '../../terminal/terminal.ts';
import { systemClock } from '../system-clock.ts';

export interface LiveWords {
  readonly image: string;
  readonly node?: readonly string[];
  /** Seconds that a policy may take. */
  readonly within: number;
}

const NODES: ServedKind = { apiVersion: 'v1', kind: 'Node', resource: 'nodes', isNamespaced: false };
const PODS_READY_MS = 120_000;
/** Longer than any run: whoever is killed leaves it for so long. */
const LIVES_MS = 3_600_000;
const CASES_PER_LINE = 24;

export async function runLive(api: GroundApi, words: LiveWords, output: (typeof SUPPORT_FORMATS)[number]): Promise<number> {
  const chosen = await nodesOf(api, words);
  return whileNotInterrupted(async (signal) => {
    const options: LiveOptions = { ...groundOptions(words, signal), nodes: chosen.asked, effectMs: words.within * 1000 };
    const seen = await proveLive(api, options);
    const result: LiveResult = { ...seen, nodes: [...seen.nodes, ...chosen.unasked], isEnforced: seen.isEnforced && chosen.unasked.length === 0 };
    await writeAnswer(await formatted(result, output));
    return result.isEnforced ? 0 : 1;
  });
}

export async function nodesOf(api: GroundApi, { node = [] }: LiveWords): Promise<ChosenNodes> {
  let objects: StoredObject[] = [];
  for await (const event of api.listWhole(NODES)) {
    if (event.kind === 'restart') objects = [];
    else objects.push(event.object);
  }
  const chosen = chooseNodes(objects, node);
  if (chosen.leftOut > 0) await writeNote(`bulkhead: ${chosen.asked.length} nodes are asked, and ${chosen.leftOut} are not; name them with --node\n`);
  return chosen;
}

export function groundOptions({ image }: LiveWords, signal: AbortSignal): GroundOptions {
  return {
    clock: systemClock,
    image,
    owner: `${userInfo().username}@${hostname()} ${process.pid}`,
    secret: (digits) => randomBytes(digits).toString('hex').slice(0, digits),
    livesMs: LIVES_MS,
    podsReadyMs: PODS_READY_MS,
    signal,
    onNote: (note) => void writeNote(`bulkhead: ${note}\n`).catch(() => undefined),
  };
}

/** The first Ctrl-C ends the probing and leaves the cleaning; the second one ends at once. */
export async function whileNotInterrupted(act: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const interruption = listenForInterruption();
  const stop = new AbortController();
  void interruption.come.then(() => stop.abort());
  try {
    return await act(stop.signal);
  } catch (error) {
    if (interruption.hasCome()) return INTERRUPTED_STATUS;
    throw error;
  } finally {
    interruption.stopListening();
  }
}

export async function runConformanceCases(api: GroundApi, words: LiveWords & { readonly cases?: string }, output: (typeof CONFORMANCE_FORMATS)[number]): Promise<number> {
  const cases = casesNamed(words.cases);
  if (cases.length === 0) throw new UsageError(`no case has \`${words.cases}\` in its name`, `names are such as \`${casesNamed(undefined)[0]!.name}\``);
  const { asked } = await nodesOf(api, words);
  const progress = createProgress(process.stderr);
  const effectMs = words.within * 1000;
  return whileNotInterrupted(async (signal) => {
    const ground = groundOptions(words, signal);
    const livesMs = Math.max(ground.livesMs, longestRunMs(cases.length, effectMs));
    const result = await runConformance(api, { ...ground, livesMs, nodes: asked, effectMs, cases, onCase: showCases(progress) }).finally(() => progress.clear());
    await writeAnswer(await formattedCases(result, output));
    return result.isConformant ? 0 : 1;
  });
}

/** On a terminal each case; else a line now and then, for a log that somebody looks at. */
function showCases(progress: Progress): (done: number, count: number, name: string) => void {
  return (done, count, name) => {
    progress.show(`bulkhead: ${done} of ${count} cases: ${name}`);
    if (process.stderr.isTTY !== true && done % CASES_PER_LINE === 0) void writeNote(`bulkhead: ${done} of ${count} cases\n`).catch(() => undefined);
  };
}

async function formattedCases(result: ConformanceResult, output: (typeof CONFORMANCE_FORMATS)[number]): Promise<Iterable<string>> {
  switch (output) {
    case 'table':
    case 'wide':
      return [conformanceText(result, terminalOf(process.stdout).style, { isWide: output === 'wide' })];
    case 'md':
      return [conformanceMarkdown(result)];
    case 'junit':
      return [conformanceJunit(result)];
    case 'json':
    case 'yaml':
      return dataAnswer(output, [conformanceJson(result)]);
  }
}

async function formatted(result: LiveResult, output: (typeof SUPPORT_FORMATS)[number]): Promise<Iterable<string>> {
  switch (output) {
    case 'table':
    case 'wide':
      return [liveText(result, terminalOf(process.stdout).style)];
    case 'md':
      return [liveMarkdown(result)];
    case 'json':
    case 'yaml':
      return dataAnswer(output, [liveJson(result)]);
  }
}
