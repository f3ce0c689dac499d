// Names that somebody could give to things of a cluster to be taken for something else.

/** Markup, attributes, formulas, and signs that turn the reading direction around or command a terminal. */
export const HOSTILE: readonly string[] = ['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "' onmouseover='x", '&lt;b&gt;', '</style><b>', '=1+2', '\t=1+2', '＝1+2', 'a|b`c`', '\u202Egnp.exe', '\u001b[2J', 'x\ud800y'];
