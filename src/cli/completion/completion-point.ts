// What may stand at the end of a command line that is being typed, as the commands themselves declare it: subcommands, options, words of a closed list, or names of some kind.
import type { Argument, Command, Option } from 'commander';
import { collect } from '../../input/input-options.ts';

export interface CompletionPoint {
  readonly offers: readonly Offer[];
  /** What else may stand there; undefined: nothing. */
  readonly names: NameKind | undefined;
  /** Stands before each word that is completed: `--from=`. */
  readonly lead: string;
  /** The beginning that has been typed, without the lead. */
  readonly begun: string;
  /** Values given so far, by the option's long name or the argument's: `--file`, `PATH`. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  /** Names of the commands that were typed. */
  readonly verb: string;
}

export interface Offer {
  readonly word: string;
  /** Empty: it says itself what it is. */
  readonly says: string;
}

export type NameKind = 'file' | 'end' | 'target' | 'pod' | 'namespace' | 'context';

/** `words` stand behind the name of the program; the last is being typed, and may be empty. */
export function completionPoint(program: Command, words: readonly string[]): CompletionPoint {
  const state: Walked = { command: program, places: 0, given: new Map(), pending: undefined, isOpen: true };
  for (const word of words.slice(0, -1)) step(state, word);
  const word = words.at(-1) ?? '';
  const common = { given: state.given, verb: state.command.name(), lead: '', begun: word };
  if (state.pending !== undefined) return { ...common, ...valuesOf(state.pending) };
  const equals = word.indexOf('=');
  const option = word.startsWith('--') && equals > 0 ? optionNamed(state.command, word.slice(0, equals)) : undefined;
  if (option !== undefined && state.isOpen) return { ...common, lead: word.slice(0, equals + 1), begun: word.slice(equals + 1), ...valuesOf(option) };
  if (word.startsWith('-') && state.isOpen) return { ...common, offers: optionOffers(state), names: undefined };
  return { ...common, ...placeOffers(state) };
}

interface Walked {
  command: Command;
  /** Arguments that have been given. */
  places: number;
  readonly given: Map<string, string[]>;
  /** Wants the next word as its value. */
  pending: Option | undefined;
  /** false behind `--`. */
  isOpen: boolean;
}

function step(state: Walked, word: string): void {
  const { pending } = state;
  state.pending = undefined;
  if (pending !== undefined && (pending.required || !word.startsWith('-'))) return keep(state, nameOf(pending), word);
  if (word === '--') state.isOpen = false;
  else if (state.isOpen && word.startsWith('-') && word !== '-') stepOption(state, word);
  else stepPlace(state, word);
}

function stepOption(state: Walked, word: string): void {
  const equals = word.indexOf('=');
  const option = optionNamed(state.command, equals < 0 ? word : word.slice(0, equals));
  if (option === undefined) return;
  if (equals >= 0) keep(state, nameOf(option), word.slice(equals + 1));
  else if (option.required || option.optional) state.pending = option;
  else keep(state, nameOf(option), '');
}

function stepPlace(state: Walked, word: string): void {
  const subcommand = state.places === 0 ? state.command.commands.find((command) => command.name() === word) : undefined;
  if (subcommand !== undefined) {
    state.command = subcommand;
    return;
  }
  const argument = argumentAt(state);
  state.places++;
  if (argument !== undefined) keep(state, argument.name(), word);
}

function keep({ given }: Walked, name: string, value: string): void {
  given.set(name, [...(given.get(name) ?? []), value]);
}

function argumentAt({ command, places }: Walked): Argument | undefined {
  const all = command.registeredArguments;
  const last = all.at(-1);
  return all[places] ?? (last?.variadic === true ? last : undefined);
}

function optionNamed(command: Command, flag: string): Option | undefined {
  return command.options.find(({ long, short }) => long === flag || short === flag);
}

function nameOf({ long, short }: Option): string {
  return long ?? short ?? '';
}

/** Those that take several values stay; others are offered once. */
function optionOffers({ command, given }: Walked): readonly Offer[] {
  const open = command.options.filter((option) => !option.hidden && (option.parseArg === collect || !given.has(nameOf(option))));
  return [...open.map((option) => ({ word: nameOf(option), says: option.description })), { word: '--help', says: 'print this help' }];
}

function placeOffers(state: Walked): Pick<CompletionPoint, 'offers' | 'names'> {
  const subcommands = state.places === 0 && state.isOpen ? state.command.commands.map((command) => ({ word: command.name(), says: command.summary() || command.description() })) : [];
  const argument = argumentAt(state);
  if (argument === undefined) return { offers: subcommands, names: undefined };
  const { offers, names } = valuesOf(argument);
  return { offers: [...subcommands, ...offers], names };
}

function valuesOf(taker: Option | Argument): Pick<CompletionPoint, 'offers' | 'names'> {
  const { words } = (taker.parseArg ?? {}) as { readonly words?: readonly string[] }; // a `Choice` has them
  if (words !== undefined) return { offers: words.map((word) => ({ word, says: '' })), names: undefined };
  return { offers: [], names: 'flags' in taker ? kindOfOption(taker) : kindOfPlaceholder(taker.name()) };
}

function kindOfOption(option: Option): NameKind | undefined {
  const { long } = option;
  if (long === '--namespace' || long === '--keep-in') return 'namespace';
  if (long === '--context') return 'context';
  const kind = kindOfPlaceholder(/[<[](.+)[>\]]/.exec(option.flags)?.[1] ?? '');
  return kind === 'end' && long === '--to' ? 'target' : kind;
}

/** The words that stand for a value in the help say what it is. */
function kindOfPlaceholder(placeholder: string): NameKind | undefined {
  const [first = ''] = placeholder.replace(/\.+$/, '').split('|');
  return KINDS[first];
}

const KINDS: Readonly<Record<string, NameKind>> = {
  FILE: 'file', DIR: 'file', PATH: 'file', FLOWS: 'file', OLD: 'file', NEW: 'file', REPORT: 'file',
  END: 'end', SOURCE: 'end', TARGET: 'target', WORD: 'end', POD: 'pod', NAMESPACE: 'namespace',
};
