// What stops a document from being read: thrown inside the readers of text, turned into a finding where a document ends.
import type { FindingCode } from '../base/finding-code.ts';
import type { TextEdit } from '../base/finding.ts';

export interface TextProblemDetails {
  readonly code: FindingCode;
  readonly message: string;
  /** Offsets into the document's text, from 0, end exclusive. */
  readonly start: number;
  readonly end?: number;
  readonly help?: string;
  /** Another place that belongs to it. */
  readonly related?: { readonly message: string; readonly start: number; readonly end: number };
  readonly edits?: readonly TextEdit[];
}

/** Never leaves this room: `readDocument` catches it. */
export class TextProblem extends Error {
  readonly details: TextProblemDetails;

  constructor(details: TextProblemDetails) {
    super(details.message);
    this.name = 'TextProblem';
    this.details = details;
  }
}
