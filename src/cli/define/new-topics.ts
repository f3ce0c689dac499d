// The options of `bulkhead new` by which a pattern is told what it must know.
import type { Command } from 'commander';
import { nearestWord } from '../../base/near-miss.ts';
import type { Topic } from '../../pattern/answers.ts';
import type { Pattern } from '../../pattern/pattern-shape.ts';
import { UsageError } from '../../terminal/failures.ts';
import { collect } from '../../input/input-options.ts';
import type { TopicWords } from './new-answers.ts';

export interface TopicOption {
  readonly topic: Topic;
  readonly flags: string;
  readonly help: string;
  readonly isRepeatable: boolean;
}

const TOPIC_OPTIONS: readonly TopicOption[] = [
  one('namespace', '-n, --namespace <NAME>', 'namespace of the policy'),
  one('selector', '--selector <LABELS>', 'the pods that it governs, such as app=web; default: every pod of the namespace'),
  one('direction', '--direction <WORD>', 'ingress, egress or both'),
  many('from-namespace', '--from-namespace <NAME>', 'namespace of those who connect; * is every one; repeatable'),
  one('from-selector', '--from-selector <LABELS>', 'labels of those who connect'),
  many('to-namespace', '--to-namespace <NAME>', 'namespace of those who are reached; * is every one; repeatable'),
  one('to-selector', '--to-selector <LABELS>', 'labels of those who are reached'),
  many('port', '--port <PROTO/PORT>', 'tcp/80, tcp/8000-8999, tcp/http; repeatable; default, where a pattern lets it be missing: every port'),
  many('cidr', '--cidr <CIDR>', 'addresses outside the cluster; repeatable'),
  many('except', '--except <CIDR>', 'addresses that stay closed; repeatable'),
  many('except-namespace', '--except-namespace <NAME>', 'namespace that a policy of the whole cluster leaves alone; repeatable'),
  many('provider', '--provider <NAME>', 'whose load balancers: google, azure; repeatable'),
  { topic: 'node-local', flags: '--node-local', help: 'a DNS cache runs on each node, at 169.254.20.10', isRepeatable: false },
  { topic: 'without-dns', flags: '--without-dns', help: 'leave out the rule for DNS that policies for egress have', isRepeatable: false },
  one('priority', '--priority <NUMBER>', 'of a policy of the whole cluster, 0 to 1000; default: the first free one from 100'),
  one('name', '--name <NAME>', 'name of the policy; default: after what it does'),
];

function one(topic: Topic, flags: string, help: string): TopicOption {
  return { topic, flags, help, isRepeatable: false };
}

function many(topic: Topic, flags: string, help: string): TopicOption {
  return { topic, flags, help, isRepeatable: true };
}

export function addTopicOptions(command: Command): Command {
  for (const { flags, help, isRepeatable } of TOPIC_OPTIONS) {
    if (isRepeatable) command.option(flags, help, collect);
    else command.option(flags, help);
  }
  return command;
}


/** What was typed, as lists; a flag without a word is an empty word. */
export function topicWords(options: Readonly<Record<string, unknown>>): TopicWords {
  const words = new Map<Topic, readonly string[]>();
  for (const { topic } of TOPIC_OPTIONS) {
    const value = options[topic.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
    if (typeof value === 'string') words.set(topic, [value]);
    else if (Array.isArray(value)) words.set(topic, value.map(String));
    else if (value === true) words.set(topic, ['']);
  }
  return words;
}

/** A word that would be ignored is worse than one that is refused. */
export function refuseForeignTopics({ name, takes }: Pattern, words: TopicWords): void {
  const known: readonly Topic[] = ['name', ...takes.map(({ topic }) => topic)];
  for (const topic of words.keys()) {
    if (known.includes(topic)) continue;
    const near = nearestWord(topic, known);
    throw new UsageError(`${name} takes no --${topic}`, `${near === undefined ? '' : `did you mean --${near}? `}it takes ${known.map((one) => `--${one}`).join(', ')}`);
  }
}
