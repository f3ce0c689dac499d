// Files of recorded flows, a line of JSON each, read piece by piece: ours and Hubble's.
import type { Finding } from '../base/finding.ts';
import { FlowGathering, type BrokenLine, type GatherOptions } from '../flow/gather-flows.ts';
import { writeFindings } from '../terminal/write-findings.ts';
import { writeNote } from '../terminal/output.ts';
import { fileChunks } from './file-chunks.ts';
import { listInputs, type InputFile } from './list-inputs.ts';

/** No flow of any tool comes near it. */
const LINE_LENGTH_MAX = 1 << 20;

export interface FlowFilesOptions extends GatherOptions {
  /** Goes on without lines that cannot be read. */
  readonly lenient?: boolean | undefined;
}

/** undefined: a line could not be read, which has been said. Throws UnreadableInput for a file. */
export async function readFlowFiles(words: readonly string[], { lenient, ...options }: FlowFilesOptions): Promise<FlowGathering | undefined> {
  const gathering = new FlowGathering(options);
  for (const file of listInputs(words)) addFile(gathering, file);
  if (gathering.brokenLines === 0) return gathering;
  await writeFindings(gathering.broken.map((broken) => findingOf(broken, lenient === true)), { lineOf: () => undefined });
  const more = gathering.brokenLines - gathering.broken.length;
  if (more > 0) await writeNote(`and ${more} more lines that cannot be read\n`);
  return lenient === true ? gathering : undefined;
}

/** Of a file that is still being written, the last line may not be whole yet: it is no error. */
function addFile(gathering: FlowGathering, file: InputFile): void {
  const decoder = new TextDecoder();
  let rest = '';
  let line = 1;
  let isTooLong = false;
  const end = (text: string): void => {
    if (isTooLong) gathering.addBroken({ file: file.name, line, message: `the line is longer than ${LINE_LENGTH_MAX} signs` });
    else gathering.addLine(text, file.name, line);
    isTooLong = false;
    line++;
  };
  for (const chunk of fileChunks(file)) {
    const text = rest + decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', start)) {
      end(text.slice(start, at));
      start = at + 1;
    }
    rest = isTooLong ? '' : text.slice(start);
    if (rest.length > LINE_LENGTH_MAX) [isTooLong, rest] = [true, ''];
  }
  const last = rest + decoder.decode();
  if (isTooLong || isWhole(last)) end(last);
  else gathering.cutOff.push(file.name);
}

function isWhole(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return text.trim() === '';
  }
}

function findingOf({ file, line, message }: BrokenLine, isLenient: boolean): Finding {
  return {
    code: 'flow-not-readable',
    severity: isLenient ? 'warning' : 'error',
    message: isLenient ? `${message}: the answer leaves it out` : message,
    file,
    range: { start: { line, column: 1 }, end: { line, column: 1 } },
    help: isLenient ? 'mend the file' : 'mend the file, or read on without such lines by `--lenient`',
  };
}
