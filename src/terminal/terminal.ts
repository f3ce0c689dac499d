// What the two output streams can show: colors, width, and whether a person is watching.
import { PLAIN_STYLE, TERMINAL_STYLE, type Style } from '../report/text/style.ts';

export interface Terminal {
  readonly isInteractive: boolean;
  readonly style: Style;
  readonly widthColumns: number;
}

const WIDTH_DEFAULT_COLUMNS = 100;
const WIDTH_MIN_COLUMNS = 20;

export function terminalOf(stream: NodeJS.WriteStream): Terminal {
  const isInteractive = stream.isTTY === true;
  const given = Number(process.env['COLUMNS'] ?? '');
  const width = stream.columns || (Number.isInteger(given) && given > 0 ? given : WIDTH_DEFAULT_COLUMNS);
  return {
    isInteractive,
    style: wantsColor(isInteractive) ? TERMINAL_STYLE : PLAIN_STYLE,
    widthColumns: Math.max(width, WIDTH_MIN_COLUMNS),
  };
}

// NO_COLOR: no-color.org; FORCE_COLOR as Node itself reads it (Node, "Command-line API", FORCE_COLOR). NO_COLOR wins.
function wantsColor(isInteractive: boolean): boolean {
  const { NO_COLOR: refused = '', FORCE_COLOR: forced, TERM: terminal } = process.env;
  if (refused !== '') return false;
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return isInteractive && terminal !== 'dumb';
}
