// What a long run tells of itself on stderr: lines of text, or of JSON for collectors of logs.
import { writeNote } from '../../terminal/output.ts';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_FORMATS = ['text', 'json'] as const;

export interface LogOptions {
  readonly format: (typeof LOG_FORMATS)[number];
  /** Lines of less weight are left out. */
  readonly level: LogLevel;
}

export type Log = (level: LogLevel, message: string, fields?: { readonly [field: string]: string | number | boolean }) => void;

/** The same line again is left out for so long, and then comes with its count. */
const REPEAT_MS = 60_000;
/** Different lines that are remembered for it. */
const REMEMBERED_MAX = 200;

export function createLog({ format, level: least }: LogOptions, now: () => Date = () => new Date()): Log {
  const told = new Map<string, { readonly atMs: number; times: number }>();
  return (level, message, fields = {}) => {
    if (LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf(least)) return;
    const time = now();
    const known = told.get(message);
    if (known !== undefined && time.getTime() - known.atMs < REPEAT_MS && time.getTime() >= known.atMs) {
      known.times++;
      return;
    }
    if (told.size >= REMEMBERED_MAX) told.delete(told.keys().next().value!);
    told.set(message, { atMs: time.getTime(), times: 0 });
    const repeated = known === undefined || known.times === 0 ? {} : { repeated: known.times };
    void writeNote(lineOf(format, { time, level, message, fields: { ...fields, ...repeated } })).catch(() => undefined);
  };
}

interface LogLine {
  readonly time: Date;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: { readonly [field: string]: string | number | boolean };
}

function lineOf(format: LogOptions['format'], { time, level, message, fields }: LogLine): string {
  if (format === 'json') return `${JSON.stringify({ time: time.toISOString(), level, message, ...fields })}\n`;
  const more = Object.entries(fields).map(([field, value]) => ` ${field}=${value}`).join('');
  return `${time.toISOString()} ${level} ${message.replaceAll('\n', ' ')}${more}\n`;
}
