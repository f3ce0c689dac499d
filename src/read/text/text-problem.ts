// What stops a document from being read: thrown inside the readers of text, turned into a finding where a document ends.
import type { FindingCode } from '../../base/finding-code.ts';

export interface TextProblemDetails {
  readonly code: FindingCode;
  readonly message: string;
  /** Offsets into the document's text, from 0, end exclusive. */
  readonly start: number;
  readonly end?: number;
  readonly help?: string;
  /** Another place that belongs to it. */
  readonly related?: { readonly message: string; readonly start: number; readonly end: number };
  /** What to write in place of a part of the document, to mend it. */
  readonly repair?: { readonly start: number; readonly end: number; readonly text: string };
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
