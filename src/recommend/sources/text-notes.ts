// What is said of texts that name somebody and cannot be followed to their end.
import type { Finding } from '../../base/finding.ts';
import type { FindingCode } from '../../base/finding-code.ts';
import type { MissingText } from '../words/assignment.ts';
import { CONNECTS_TO } from '../ends/connects-to.ts';
import { maySecretlyNameAddress, wordsOf } from '../words/key-words.ts';
import { listed } from '../ends/listed.ts';
import type { Mention, MentionsOfTexts } from '../words/mentions.ts';
import type { Resolution } from '../words/resolve-host.ts';
import { noteAt } from '../words/witness.ts';

/** Never the text itself: a URL may hold a password. */
export function mentionText({ key, host, ports }: Mention): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return said(key, ports.length === 0 ? name : `${name}:${ports.join(':')}`);
}

function said(key: string, text: string): string {
  return key === '' ? `names ${text}` : `${key} names ${text}`;
}

const CLOSED_CODES: Readonly<Record<Extract<Resolution, { kind: 'closed' }>['reason'], FindingCode>> = {
  'host-not-in-input': 'witness-without-target',
  'port-not-known': 'witness-without-port',
  'api-server': 'witness-not-opened',
  metadata: 'witness-not-opened',
  'private-name': 'witness-not-opened',
};

export function noteClosed(mention: Mention, { reason, why, help }: Extract<Resolution, { kind: 'closed' }>): Finding {
  return noteAt(mention.place, CLOSED_CODES[reason], 'warning', `${mentionText(mention)}, which stays closed: ${why}`, help);
}

export function noteUnselectable(mention: Mention, workload: string): Finding {
  return noteAt(mention.place, 'witness-not-opened', 'warning', `${mentionText(mention)}, which stays closed: no policy can select the pods of \`${workload}\` behind it`, 'allow their addresses by an ipBlock');
}

/** What an optional ConfigMap would say is nothing that is missing. Those that are mounted are told together, whatever their number. */
export function noteMissing(missing: readonly MissingText[]): readonly Finding[] {
  const needed = missing.filter(({ kind, isOptional }) => kind !== 'secret' && !isOptional);
  const mounted = needed.filter(({ key, kind }) => key === '' && kind === 'config-map');
  return [
    ...missing.filter(({ kind, key }) => kind === 'secret' && (key === '' || maySecretlyNameAddress(wordsOf(key)))).map(noteSecret),
    ...needed.filter((one) => !mounted.includes(one)).map(noteMissingKey),
    ...(mounted.length === 0 ? [] : [noteAt(mounted[0]!.place, 'witness-not-understood', 'warning', `what mounted ConfigMaps name that are not in the input stays closed: ${listed(mounted.map(({ name }) => `\`${name}\``))}`, 'give their manifests as well')]),
  ];
}

function noteSecret({ key, name, keyThere, place }: MissingText): Finding {
  const what = `${key === '' ? 'variables come' : `\`${key}\` comes`} from the${keyThere === undefined ? '' : ` key \`${keyThere}\` of the`} Secret \`${name}\``;
  return noteAt(place, 'witness-in-secret', 'info', `${what}, whose values are not read`, `if an address is among them, say it with the annotation \`${CONNECTS_TO}\``);
}

function noteMissingKey({ kind, key, name, keyThere, place }: MissingText): Finding {
  const what = `${key === '' ? 'a file' : `\`${key}\``} would come from the${keyThere === undefined ? '' : ` key \`${keyThere}\` of the`} ConfigMap \`${name}\``;
  return noteAt(place, 'witness-not-understood', 'warning', `${what}, which ${kind === 'key' ? 'has no such key' : 'is not in the input'}`, 'give its manifest as well');
}

export function noteUnreadable({ text, key, place }: MentionsOfTexts['unreadable'][number]): Finding {
  return noteAt(place, 'witness-not-understood', 'info', `${said(key, text)}, of which a part comes from elsewhere`, `write the address out, or say it with the annotation \`${CONNECTS_TO}\``);
}
