// `bulkhead.yaml`: found in the working directory, or named by --config.
import { readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { Command } from 'commander';
import type { Settings } from '../lint/settings/settings.ts';
import { UnreadableInput } from '../terminal/failures.ts';

/** Its name; a file of this name in a folder of manifests is none of them. */
export const SETTINGS_NAME = 'bulkhead.yaml';

export interface SettingsOption {
  readonly config?: string;
}

export function addSettingsOption(command: Command): Command {
  return command.option('--config <FILE>', `inputs, engine, severities and suppressions (default: ${SETTINGS_NAME} of the working directory, where there is one)`);
}

/** undefined: there is none. Inputs and flows are given as they can be opened from here. Throws WordError where it cannot be understood. */
export async function openSettings({ config }: SettingsOption): Promise<Settings | undefined> {
  const file = config ?? SETTINGS_NAME;
  if (config === undefined && statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const text = readText(file);
  const { readSettings } = await import('../lint/settings/settings.ts');
  const settings = readSettings(file, text);
  const fromHere = (path: string): string => (isAbsolute(path) ? path : join(dirname(file), path));
  return { ...settings, inputs: settings.inputs.map(fromHere), flows: settings.flows.map(fromHere) };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UnreadableInput(file, error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'no such file' : String(error));
  }
}
