// Turns bytes into text and says where they are not UTF-8.

/** Text of the pieces in order; a sequence cut by the end of a piece is carried to the next. */
export function* decodePieces(chunks: Iterable<Uint8Array>): Generator<DecodedPiece> {
  let carried: Uint8Array = new Uint8Array(0);
  let offset = 0;
  for (const chunk of chunks) {
    const bytes = carried.length === 0 ? chunk : joinBytes([carried, chunk]);
    const end = completeEnd(bytes);
    const piece = decodePiece(bytes.subarray(0, end), offset);
    yield piece;
    if (piece.kind === 'invalid') return;
    offset += end;
    carried = bytes.slice(end);
  }
  if (carried.length > 0) yield { kind: 'invalid', textBefore: '', byteOffset: offset };
}

export type DecodedPiece =
  | { readonly kind: 'text'; readonly text: string }
  /** The bytes from `byteOffset` on are no UTF-8; what stands before them in this piece is `textBefore`. */
  | { readonly kind: 'invalid'; readonly textBefore: string; readonly byteOffset: number };

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodePiece(bytes: Uint8Array, offset: number): DecodedPiece {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return { kind: 'text', text };
  const at = findInvalidUtf8(bytes);
  return { kind: 'invalid', textBefore: decodeUtf8(bytes.subarray(0, at)) ?? '', byteOffset: offset + at };
}

/** undefined: not UTF-8. A byte order mark stays in the text. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The offset of the first byte that begins no valid sequence; the length when all are valid. */
export function findInvalidUtf8(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes[at]!);
    if (length === 0 || at + length > bytes.length) return at;
    if (length > 1 && decodeUtf8(bytes.subarray(at, at + length)) === undefined) return at;
    at += length;
  }
  return at;
}

function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/** Where the last sequence that is not yet complete begins. */
function completeEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    return sequenceLength(byte) > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
