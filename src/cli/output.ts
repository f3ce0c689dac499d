// Answers go to stdout and everything else to stderr; a reader who stops reading ends the writing at once.
import { ReaderGone } from './failures.ts';

/** Small pieces are gathered to this size before they are written, in UTF-16 units. */
const WRITE_SIZE = 65_536;

/** Rejects with ReaderGone when the reader closed the pipe. */
export async function writeAnswer(pieces: Iterable<string>): Promise<void> {
  let gathered = '';
  for (const piece of pieces) {
    gathered += piece;
    if (gathered.length >= WRITE_SIZE) {
      await write(process.stdout, gathered);
      gathered = '';
    }
  }
  if (gathered !== '') await write(process.stdout, gathered);
}

export async function writeNote(text: string): Promise<void> {
  await write(process.stderr, text);
}

function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error === undefined || error === null) resolve();
      else reject((error as NodeJS.ErrnoException).code === 'EPIPE' ? new ReaderGone() : error);
    });
  });
}
