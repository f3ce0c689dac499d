// What a text holds wherever a comment lets a finding be; apart from the reading of it, which loads a parser.
export const SUPPRESSION_MARK = 'bulkhead: ignore';
