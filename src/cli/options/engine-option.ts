// `--engine NAME`: what enforces the policies, so that answers can say where it does otherwise.
import type { Command } from 'commander';
import { nearestWord } from '../../base/near-miss.ts';
import { ENGINE_NAMES, type Engine } from '../../lint/engines/engine.ts';
import { UsageError } from '../../terminal/failures.ts';
import { openSettings, type SettingsOption } from '../../input/settings-file.ts';

export interface EngineOption {
  readonly engine?: string | undefined;
}

export function addEngineOption(command: Command): Command {
  return command.option('--engine <NAME>', `note where what enforces the policies departs from the answer; one of: ${ENGINE_NAMES.join(', ')}, or a product that has it inside`);
}

/** Of the words, else of the settings file; undefined: none was asked for. What is known of engines is loaded only then. */
export async function engineOf(options: EngineOption & SettingsOption): Promise<Engine | undefined> {
  const engine = options.engine ?? (await openSettings(options))?.engine;
  if (engine === undefined) return undefined;
  const { ENGINE_WORDS, findEngine } = await import('../../lint/engines/list.ts');
  const found = findEngine(engine);
  if (found !== undefined) return found;
  const near = nearestWord(engine, ENGINE_WORDS);
  throw new UsageError(`\`${engine}\` is no engine that is known here`, `${near === undefined ? '' : `did you mean ${near}? `}one of: ${ENGINE_WORDS.join(', ')}`);
}
