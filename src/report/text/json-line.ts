// A value as one line of JSON that is also a line of YAML, and that no terminal takes for a command.

/** JSON lets these stand as they are; to YAML 1.1 some of them are line breaks (YAML 1.1, section 4.1.4), to a terminal some are commands (ECMA-48). */
const SIGNS_BEYOND_TEXT = /[\u007f-\u009f\u2028\u2029\ufeff]/g;

export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(SIGNS_BEYOND_TEXT, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
