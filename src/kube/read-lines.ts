// Cuts a stream of bytes into lines, none longer than a bound.

const NEWLINE = 0x0a;

/** Without their ends; a last line that has no end is left out, for it was cut. `onTooLong` gives what is thrown for a line beyond the bound. */
export async function* readLines(chunks: AsyncIterable<Buffer>, { bytesMax, onTooLong }: { readonly bytesMax: number; readonly onTooLong: () => Error }): AsyncGenerator<string> {
  let pieces: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      if (size + end - start > bytesMax) throw onTooLong();
      pieces.push(chunk.subarray(start, end));
      yield (pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)).toString('utf8');
      pieces = [];
      size = 0;
      start = end + 1;
    }
    if (start === chunk.length) continue;
    pieces.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > bytesMax) throw onTooLong();
  }
}
