// Text for a place in an XML document, in an attribute as well as between tags.
import { printable } from './printable.ts';

/** XML 1.0, section 2.2: control characters may not stand in a document at all, and `printable` takes them away. */
export function xmlText(text: string): string {
  const escaped = text.split('\n').map(printable).join('\n').replace(/[\uD800-\uDFFF]/gu, '\uFFFD').replace(/[\uFFFE\uFFFF]/g, '\uFFFD');
  return escaped.replace(/[&<>"'\n]/g, (sign) => ENTITIES[sign]!);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;', '\n': '&#10;' };
