// Signs that come from HTML or from an input method for Chinese and Japanese, and what they stand for in YAML.
import type { FindingCode } from '../base/finding-code.ts';

export interface ForeignSign {
  readonly code: FindingCode;
  /** What stands there, for messages. */
  readonly name: string;
  readonly message: string;
  /** Offset in the line behind it. */
  readonly end: number;
  /** The sign to write; empty for a tag. */
  readonly sign: string;
}

/** The usual ones, with the numbers that some pages write in their place. */
const ENTITIES: Readonly<Record<string, string>> = {
  quot: '"', ldquo: '"', rdquo: '"', apos: "'", lsquo: "'", rsquo: "'", amp: '&', lt: '<', gt: '>',
  nbsp: ' ', ensp: ' ', emsp: ' ', thinsp: ' ', ndash: '-', mdash: '-', minus: '-', hyphen: '-', colon: ':', lbrace: '{', rbrace: '}', lbrack: '[', rbrack: ']', sol: '/', lowbar: '_', period: '.', num: '#',
  '#160': ' ', '#8211': '-', '#8212': '-', '#8216': "'", '#8217': "'", '#8220': '"', '#8221': '"',
};

const ENTITY = /&(#?[A-Za-z0-9]{2,8});/y;
const TAG = /<\/?(?:a|b|br|code|div|em|font|i|mark|p|pre|span|strong)(?:\s[^<>]*)?\/?>/iy;

/** The sign of another world that begins at an offset of a line, where one does. */
export function readForeignSign(line: string, at: number): ForeignSign | undefined {
  const sign = line[at]!;
  if (sign === '&') return readEntity(line, at);
  if (sign === '<') return readTag(line, at);
  return sign >= '\uff01' && sign <= '\uff5e' ? readFullWidth(line, at) : undefined;
}

function readEntity(line: string, at: number): ForeignSign | undefined {
  ENTITY.lastIndex = at;
  const match = ENTITY.exec(line);
  const sign = match === null ? undefined : signOf(match[1]!);
  if (match === null || sign === undefined) return undefined;
  const name = `\`${match[0]}\` of HTML`;
  return { code: 'yaml-html-sign', name, message: `${name} stands for \`${sign}\``, end: at + match[0].length, sign };
}

function signOf(name: string): string | undefined {
  if (Object.hasOwn(ENTITIES, name.toLowerCase())) return ENTITIES[name.toLowerCase()];
  const number = /^#(?:x([0-9a-f]{1,4})|([0-9]{1,5}))$/i.exec(name);
  if (number === null) return undefined;
  const code = number[1] === undefined ? Number(number[2]) : Number.parseInt(number[1], 16);
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : ENTITIES[`#${code}`];
}

function readTag(line: string, at: number): ForeignSign | undefined {
  TAG.lastIndex = at;
  const match = TAG.exec(line);
  if (match === null) return undefined;
  const name = `the tag \`${match[0]}\` of HTML`;
  return { code: 'yaml-html-sign', name, message: `${name} stands in the text`, end: at + match[0].length, sign: '' };
}

/** A text in such a script keeps its own signs; what stands before its colon is a word of YAML all the same. */
function readFullWidth(line: string, at: number): ForeignSign | undefined {
  const isKey = !/[:\uff1a]/.test(line.slice(0, at));
  if (!isKey && /[^\x00-\x7f\uff01-\uff5e\u00a0\u3000\u2018-\u201f]/.test(line.slice(at).replace(/\s#.*$/, ''))) return undefined;
  const sign = String.fromCharCode(line.charCodeAt(at) - FULL_WIDTH_DISTANCE);
  const name = `U+${line.charCodeAt(at).toString(16).toUpperCase()}`;
  return { code: 'yaml-full-width-sign', name, message: `a sign of full width (${name}) stands where YAML needs \`${sign}\``, end: at + 1, sign };
}

/** From the forms of full width to the plain signs (Unicode, "Halfwidth and Fullwidth Forms"). */
const FULL_WIDTH_DISTANCE = 0xfee0;
