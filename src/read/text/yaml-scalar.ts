// What a plain scalar of YAML means to kubectl: the rules of go.yaml.in/yaml v2 (`resolve.go`), YAML 1.1 with its own turns.

/** A resolved scalar. Integers and floats are kept apart: they differ as keys. */
export type Scalar =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number };

const WORDS: ReadonlyMap<string, Scalar> = new Map([
  ...words({ kind: 'boolean', value: true }, 'y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'),
  ...words({ kind: 'boolean', value: false }, 'n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'),
  ...words({ kind: 'null' }, '', '~', 'null', 'Null', 'NULL'),
  ...words({ kind: 'float', value: Number.NaN }, '.nan', '.NaN', '.NAN'),
  ...words({ kind: 'float', value: Infinity }, '.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'),
  ...words({ kind: 'float', value: -Infinity }, '-.inf', '-.Inf', '-.INF'),
]);

const INT64_MIN = -(1n << 63n);
const INT64_MAX = (1n << 63n) - 1n;
const UINT64_MAX = (1n << 64n) - 1n;

const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
// Go's ParseFloat for a text that starts with a point; an underscore must stand between digits.
const POINT_FLOAT = /^\.[0-9](_?[0-9])*([eE][-+]?[0-9](_?[0-9])*)?$/;
const SIGNS_AND_DIGITS = '+-0123456789';
const FIRST_OF_WORDS = 'yYnNtTfFoO~';

/** Whether a plain text can be anything but a string; most texts cannot, and need no more work. */
export function mayBeWord(text: string): boolean {
  return MAY_BE_WORD[text.charCodeAt(0)] === 1 || text === '';
}

const MAY_BE_WORD = new Uint8Array(128);
for (const sign of `${SIGNS_AND_DIGITS}${FIRST_OF_WORDS}.`) MAY_BE_WORD[sign.charCodeAt(0)] = 1;

/** Resolves a plain scalar. Dates are strings, and so is everything in base 60. */
export function resolvePlain(text: string): Scalar {
  if (!mayBeWord(text)) return { kind: 'string', value: text };
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  return resolveNumber(text) ?? { kind: 'string', value: text };
}

export function resolveNumber(text: string): Scalar | undefined {
  const first = text.charAt(0);
  if (first === '.') return POINT_FLOAT.test(text) ? finiteFloat(text.replaceAll('_', '')) : undefined;
  if (!SIGNS_AND_DIGITS.includes(first)) return undefined;
  const plain = text.replaceAll('_', '');
  return integerOf(plain) ?? (FLOAT.test(plain) ? finiteFloat(plain) : undefined) ?? oldBinary(plain);
}

/** `strconv.ParseInt` and `ParseUint` with base 0: a leading 0 is octal, so 08 is none and falls to the floats. */
function integerOf(plain: string): Scalar | undefined {
  const match = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/.exec(plain);
  if (match === null) return undefined;
  const [, sign, hexadecimal, binary, octal, decimal] = match;
  const size =
    hexadecimal !== undefined ? BigInt(`0x${hexadecimal}`)
    : binary !== undefined ? BigInt(`0b${binary}`)
    : octal !== undefined ? BigInt(`0o${octal}`)
    : BigInt(decimal ?? '0');
  return integerWithin(sign === '-' ? -size : size, sign === '' ? UINT64_MAX : INT64_MAX);
}

/** What go-yaml tries last: a sign between `0b` and the digits. */
function oldBinary(plain: string): Scalar | undefined {
  const match = /^0b([-+])([01]+)$/.exec(plain);
  if (match === null) return undefined;
  const size = BigInt(`0b${match[2]}`);
  return integerWithin(match[1] === '-' ? -size : size, INT64_MAX);
}

function integerWithin(value: bigint, max: bigint): Scalar | undefined {
  return value >= INT64_MIN && value <= max ? { kind: 'integer', value } : undefined;
}

function finiteFloat(text: string): Scalar | undefined {
  const value = Number(text);
  return Number.isFinite(value) ? { kind: 'float', value } : undefined;
}

/** The text of a scalar used as a key, as sigs.k8s.io/yaml writes it; undefined where it refuses the key. */
export function keyText(scalar: Scalar): string | undefined {
  switch (scalar.kind) {
    case 'string':
      return scalar.value;
    case 'boolean':
      return String(scalar.value);
    case 'integer':
      return scalar.value > INT64_MAX ? undefined : scalar.value.toString();
    case 'float':
      return floatKeyText(scalar.value);
    case 'null':
      return undefined;
  }
}

/** Go's `FormatFloat(value, 'g', -1, 32)`: the shortest digits of the nearest 32-bit float, with an exponent outside 1e-4 to 1e6. */
function floatKeyText(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return single > 0 ? '.inf' : '-.inf';
  if (single === 0) return Object.is(single, -0) ? '-0' : '0';
  const [digits, exponentText] = shortestDigits(single).split('e') as [string, string];
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 6) {
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${digits}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  return plainDecimal(digits, exponent);
}

function shortestDigits(single: number): string {
  for (let places = 0; places < 8; places++) {
    const text = single.toExponential(places);
    if (Math.fround(Number(text)) === single) return text;
  }
  return single.toExponential(8);
}

function plainDecimal(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '');
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return `${sign}${digits}${'0'.repeat(exponent + 1 - digits.length)}`;
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

function words(scalar: Scalar, ...texts: readonly string[]): [string, Scalar][] {
  return texts.map((text) => [text, scalar]);
}
