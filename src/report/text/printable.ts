// Text from manifests made safe for a terminal: control and direction characters become visible escapes.

// C0 and C1 controls, line and paragraph separators, and the Unicode bidirectional controls
// (Unicode Technical Report 36, section 3.2) that can make a line read otherwise than it is.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A tab becomes one blank, so that columns keep their numbers; everything else unsafe becomes `\u001b` and the like. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === '\t' ? ' ' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
