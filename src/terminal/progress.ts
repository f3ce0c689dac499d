// One line on stderr that says how far things are; only where a person watches.

export interface Progress {
  show(text: string): void;
  /** Wipes the line, before anything else is printed. */
  clear(): void;
}

export function createProgress(stream: NodeJS.WriteStream): Progress {
  if (stream.isTTY !== true || process.env['TERM'] === 'dumb') return { show: () => undefined, clear: () => undefined };
  let isShown = false;
  return {
    show: (text) => {
      isShown = true;
      // CSI K wipes to the end of the line (ECMA-48, section 8.3.41).
      stream.write(`\r${text.slice(0, Math.max(1, (stream.columns || 80) - 1))}\u001b[K`);
    },
    clear: () => {
      if (isShown) stream.write('\r\u001b[K');
      isShown = false;
    },
  };
}
