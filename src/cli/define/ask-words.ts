// The questionnaire of `bulkhead new`: on a terminal, what a pattern must know is asked for, with the names of the input to choose from.
import { createInterface } from 'node:readline';
import { WordError } from '../../base/word-error.ts';
import type { Topic } from '../../pattern/answers.ts';
import type { NamedInput } from '../../pattern/check-names.ts';
import type { Pattern, Take } from '../../pattern/pattern-shape.ts';
import { printable } from '../../report/text/printable.ts';
import { checkAnswers, missingTopics, settleAnswers, type TopicWords } from './new-answers.ts';
import { offersFor } from './new-offers.ts';
import { writeNote } from '../../terminal/output.ts';
import { terminalOf } from '../../terminal/terminal.ts';

const QUESTIONS: Readonly<Record<Topic, string>> = {
  'namespace': 'In which namespace?',
  'selector': 'Which pods shall it govern?',
  'direction': 'What shall it govern?',
  'from-namespace': 'From which namespace do they connect?',
  'from-selector': 'Which pods connect?',
  'to-namespace': 'Which namespace is reached?',
  'to-selector': 'Which pods are reached?',
  'port': 'On which port?',
  'cidr': 'Which addresses, as a CIDR?',
  'except': 'Which of these addresses stay closed?',
  'provider': 'Whose load balancers?',
  'node-local': 'Does a DNS cache run on each node? (yes or no)',
  'without-dns': 'Shall DNS stay closed? (yes or no)',
  'except-namespace': 'Which namespace shall be left alone?',
  'priority': 'Which priority?',
  'name': 'What shall the policy be called?',
};

/** What Enter alone means where nothing is required. */
const DEFAULTS: Partial<Readonly<Record<Topic, string>>> = {
  'selector': 'every pod',
  'direction': 'both',
  'from-selector': 'every pod there',
  'to-selector': 'every pod there',
  'from-namespace': 'the same namespace',
  'port': 'every port',
  'except': 'none',
  'except-namespace': 'those of the cluster itself',
};

/** Not worth a question: whoever needs them knows the option. */
const UNASKED: ReadonlySet<Topic> = new Set(['name', 'priority', 'node-local', 'without-dns', 'except']);

function isUnasked({ place }: Pattern, topic: Topic): boolean {
  return UNASKED.has(topic) || (place === 'dns' && topic.startsWith('to-'));
}

/** Names of the input listed by number; the rest can be typed. */
const OFFERS_MAX = 20;

export interface Questionnaire {
  readonly pattern: Pattern;
  readonly given: TopicWords;
  readonly input: NamedInput | undefined;
  /** Whether names may be of what is not there yet. */
  readonly isAhead: boolean;
}

/** Asks what was not given, in the order of the pattern. Ctrl-C and the end of input are an interruption. */
export async function askWords(questionnaire: Questionnaire): Promise<TopicWords | 'interrupted'> {
  const lines = createInterface({ input: process.stdin, output: process.stderr, prompt: '> ' });
  lines.on('SIGINT', () => lines.close());
  // Keeps what is typed ahead, or pasted at once.
  const typed = lines[Symbol.asyncIterator]();
  try {
    return await askEach(questionnaire, async () => {
      lines.prompt();
      const { value, done } = await typed.next();
      if (done === true) throw new Interrupted();
      return value;
    });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    await writeNote('\n');
    return 'interrupted';
  } finally {
    lines.close();
  }
}

class Interrupted extends Error {}

type NextLine = () => Promise<string>;

async function askEach(questionnaire: Questionnaire, nextLine: NextLine): Promise<TopicWords> {
  const { pattern, given, input } = questionnaire;
  const words = new Map(given);
  const required = missingTopics(pattern, given, input?.cluster);
  for (const take of pattern.takes) {
    const isRequired = required.includes(take.topic);
    if (words.has(take.topic) || (!isRequired && (take.need === 'place' || isUnasked(pattern, take.topic)))) continue;
    const answer = await askOne(nextLine, take, { isRequired, offers: offersFor(pattern, take.topic, { words, input: input?.cluster }), check: (word) => checkWord(questionnaire, new Map([...words, [take.topic, [word]]]), take.topic) });
    if (answer !== '') words.set(take.topic, [answer]);
  }
  return words;
}

interface Question {
  readonly isRequired: boolean;
  readonly offers: readonly string[];
  /** Why the word will not do; undefined: it will. */
  readonly check: (word: string) => string | undefined;
}

/** `''`: nothing, where nothing is required. */
async function askOne(nextLine: NextLine, { topic }: Take, { isRequired, offers, check }: Question): Promise<string> {
  const { style } = terminalOf(process.stderr);
  const shown = offers.slice(0, OFFERS_MAX);
  const choices = shown.map((offer, index) => `  ${index + 1}  ${printable(offer)}\n`).join('');
  const otherwise = isRequired ? '' : style.dim(` [${DEFAULTS[topic] ?? 'none'}]`);
  await writeNote(`${style.bold(QUESTIONS[topic])}${otherwise}\n${choices}`);
  for (;;) {
    const typed = (await nextLine()).trim();
    if (typed === '' && !isRequired) return '';
    const chosen = /^[0-9]+$/.test(typed) ? shown[Number(typed) - 1] : undefined;
    const word = (chosen ?? typed).replace(/ \(.*\)$/, '');
    const wrong = word === '' ? 'an answer is needed' : check(word);
    if (wrong === undefined) return word;
    await writeNote(`${style.red(printable(wrong))}\n`);
  }
}

function checkWord({ pattern, input, isAhead }: Questionnaire, words: TopicWords, topic: Topic): string | undefined {
  try {
    const answers = settleAnswers(pattern, words, input?.cluster);
    if (input === undefined || isAhead) return undefined;
    const missing = checkAnswers(pattern, words, answers, input).find((problem) => problem.topic === topic && problem.severity === 'missing');
    return missing === undefined ? undefined : `${missing.message}; ${missing.help}`;
  } catch (error) {
    if (error instanceof WordError) return [error.message, error.help].filter((part) => part !== undefined).join('; ');
    throw error;
  }
}
