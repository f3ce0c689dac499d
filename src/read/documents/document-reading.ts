// The reading of one file: where its findings go, and what is said of bytes and lengths that cannot be read.
import type { Position } from '../../base/source-position.ts';
import { addFinding, type FindingList } from '../values/finding-list.ts';
import type { ReadSettings } from '../values/read-settings.ts';

export interface Reading {
  readonly file: string;
  readonly settings: ReadSettings;
  readonly findings: FindingList;
  /** The text ended at bytes that cannot be read: its last document is not whole. */
  isCut: boolean;
}

export function addInvalidUtf8(reading: Reading, place: string, position: Position): void {
  addFinding(reading.findings, {
    code: 'invalid-utf8',
    severity: reading.settings.refusal,
    message: `${place} is not UTF-8; this document and what follows are not read`,
    file: reading.file,
    range: { start: position, end: position },
    help: 'save the file as UTF-8',
  });
}

export function addTooLarge(reading: Reading, position: Position): void {
  addUnread(reading, position, `the document that begins here is larger than ${reading.settings.fileBytesMax} bytes and is not read`);
}

/** Of a list too long to be read as a whole. */
export function addAliasOutOfItem(reading: Reading, position: Position): void {
  addUnread(reading, position, `the alias leads out of its item, and the list is larger than ${reading.settings.fileBytesMax} bytes, so neither it nor what follows in it is read`);
}

function addUnread(reading: Reading, position: Position, message: string): void {
  addFinding(reading.findings, {
    code: 'file-too-large',
    severity: reading.settings.refusal,
    message,
    file: reading.file,
    range: { start: position, end: position },
    help: 'split it, or write it as a list with its items one below the other, or as JSON: those are read item by item',
  });
}
