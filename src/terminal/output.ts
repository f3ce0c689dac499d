// Answers go to stdout and everything else to stderr; a reader who stops reading ends the writing at once.
import { ReaderGone } from './failures.ts';

/** Small pieces are gathered to this size before they are written, in UTF-16 units. */
const WRITE_SIZE = 65_536;

/** Rejects with ReaderGone when the reader closed the pipe. */
export async function writeAnswer(pieces: Iterable<string | Uint8Array>): Promise<void> {
  let gathered = '';
  for (const piece of pieces) {
    const isText = typeof piece === 'string';
    if (isText) gathered += piece;
    if (gathered.length >= WRITE_SIZE || (!isText && gathered !== '')) {
      await write(process.stdout, gathered);
      gathered = '';
    }
    // Written before the next piece is asked for, which may take the same place in memory.
    if (!isText) await write(process.stdout, piece);
  }
  if (gathered !== '') await write(process.stdout, gathered);
}

export async function writeNote(text: string): Promise<void> {
  await write(process.stderr, text);
}

function write(stream: NodeJS.WriteStream, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error === undefined || error === null) resolve();
      else reject((error as NodeJS.ErrnoException).code === 'EPIPE' ? new ReaderGone() : error);
    });
  });
}
