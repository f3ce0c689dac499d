// The syntax of names and labels (apimachinery `util/validation`): each function says what is wrong, or nothing.

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_WORD = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const DNS_LABEL_LENGTH_MAX = 63;
const DNS_SUBDOMAIN_LENGTH_MAX = 253;
const LABEL_LENGTH_MAX = 63;
const PORT_NAME_LENGTH_MAX = 15;

export function checkSubdomain(text: string): string | undefined {
  if (text.length > DNS_SUBDOMAIN_LENGTH_MAX) return `is longer than ${DNS_SUBDOMAIN_LENGTH_MAX} signs`;
  return DNS_SUBDOMAIN.test(text) ? undefined : 'takes only a-z, 0-9, `-` and `.`, and begins and ends with a letter or digit';
}

export function checkDnsLabel(text: string): string | undefined {
  if (text.length > DNS_LABEL_LENGTH_MAX) return `is longer than ${DNS_LABEL_LENGTH_MAX} signs`;
  return DNS_LABEL.test(text) ? undefined : 'takes only a-z, 0-9 and `-`, and begins and ends with a letter or digit';
}

export function checkLabelKey(key: string): string | undefined {
  const parts = key.split('/');
  if (parts.length > 2) return 'has more than one `/`';
  const name = parts[parts.length - 1]!;
  if (parts.length === 2) {
    const prefix = parts[0]!;
    if (prefix === '') return 'has nothing before its `/`';
    const wrong = checkSubdomain(prefix);
    if (wrong !== undefined) return `has a prefix that is no DNS name: it ${wrong}`;
  }
  if (name === '') return 'has no name';
  return checkLabelWord(name);
}

export function checkLabelValue(value: string): string | undefined {
  return value === '' ? undefined : checkLabelWord(value);
}

function checkLabelWord(word: string): string | undefined {
  if (word.length > LABEL_LENGTH_MAX) return `is longer than ${LABEL_LENGTH_MAX} signs`;
  return LABEL_WORD.test(word) ? undefined : 'takes only letters, digits, `-`, `_` and `.`, and begins and ends with a letter or digit';
}

export function checkPortName(name: string): string | undefined {
  if (name.length > PORT_NAME_LENGTH_MAX) return `is longer than ${PORT_NAME_LENGTH_MAX} signs`;
  if (!/^[-a-z0-9]+$/.test(name)) return 'takes only a-z, 0-9 and `-`';
  if (!/[a-z]/.test(name)) return 'needs at least one letter';
  if (name.includes('--')) return 'has two hyphens in a row';
  if (name.startsWith('-') || name.endsWith('-')) return 'begins or ends with a hyphen';
  return undefined;
}
