// Reads a command line as assignments: options with their values, and words that stand alone; a script line by line.
import type { Assignment, TextPlace } from './assignment.ts';
import { namesAddress, wordsOf } from './key-words.ts';

export interface CommandWord {
  readonly text: string;
  readonly place: TextPlace;
}

/** Options and their values are neighbors; a word of several lines is a script, each command of it a group of its own. */
export function readCommand(words: readonly CommandWord[], group: string): Assignment[] {
  const isScript = words.some(({ text }) => /[\n;|]|&&/.test(text) || (/\s/.test(text) && !/:\/\//.test(text)));
  if (!isScript) return readWords(words, group);
  return words.flatMap(({ text, place }) =>
    text.split('\n').flatMap((line, lineIndex) => {
      if (/^\s*#/.test(line)) return [];
      const commands = line.split(/&&|\|\|?|;|\bdo\b|\bthen\b/);
      return commands.flatMap((command, index) => readWords(splitWords(command).map((word) => ({ text: word, place: { ...place, line: lineIndex } })), `${group} ${place.path.at(-1)} ${lineIndex} ${index}`));
    }),
  );
}

function splitWords(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|[^\s"']+(?:"[^"]*"|'[^']*')?/g)].map((match) => (match[1] ?? match[2] ?? match[0]).replace(/^[()`{}]+|[)`}]+$/g, ''));
}

const OPTION = /^(-{1,2}[A-Za-z][\w.-]*)(?:=(.*))?$/s;

function readWords(words: readonly CommandWord[], group: string): Assignment[] {
  const assignments: Assignment[] = [];
  for (let index = 0; index < words.length; index++) {
    const { text, place } = words[index]!;
    const next = words[index + 1]?.text;
    const option = OPTION.exec(text);
    if (option === null) {
      assignments.push({ ...readWord(text, next), group, place });
    } else if (option[2] !== undefined || next === undefined || next.startsWith('-') || standsAlone(text, next, words[index + 2]?.text)) {
      // Java's `-Dspring.redis.host=cache` names a property.
      assignments.push({ key: option[1]!.replace(/^-D(?=[a-z])/, ''), value: option[2] ?? '', group, place });
    } else {
      // `--replicaof db 6379` names both.
      const port = isPort(next) ? undefined : words.slice(index + 2, index + 3).find(({ text: word }) => isPort(word));
      assignments.push({ key: text, value: port === undefined ? next : `${next}:${port.text}`, group, place: words[index + 1]!.place });
      index += port === undefined ? 1 : 2;
    }
  }
  return assignments;
}

/** A URL behind an option that names no address, and a host with its port behind it, as in `nc -z db 5432`, are words of their own. */
function standsAlone(option: string, next: string, afterNext: string | undefined): boolean {
  const namesIt = namesAddress(wordsOf(option).slice(-1));
  return !namesIt && (next.includes('://') || (isPort(afterNext) && !isPort(next)));
}

function isPort(word: string | undefined): boolean {
  return word !== undefined && /^\d{2,5}$/.test(word);
}

/** `name=value`, a host before its port, or bash's `/dev/tcp/db/5432`. */
function readWord(text: string, next: string | undefined): Pick<Assignment, 'key' | 'value'> {
  const named = /^([A-Za-z_][\w.-]*)=(?!=)(.*)$/s.exec(text);
  if (named !== null) return { key: named[1]!, value: named[2]! };
  return { key: '', value: isPort(next) ? `${text}:${next}` : text.replace(/^.*\/dev\/(?:tcp|udp)\/([^/]+)\/(\d+).*$/, '$1:$2') };
}
