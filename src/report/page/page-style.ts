// How a page of HTML looks: one style sheet, for light and dark, wide and narrow, screen and paper.

/** Contrast is 4.5 to 1 at least, of each with its background (WCAG 2.2, 1.4.3). */
export const PAGE_COLORS = {
  light: { paper: '#ffffff', shade: '#f3f5f7', text: '#1b1f24', muted: '#525a63', line: '#c9d0d6', link: '#0550ae', good: '#0b6330', bad: '#a11212', unsure: '#6f4f00' },
  dark: { paper: '#0f1419', shade: '#1a2128', text: '#e7eaed', muted: '#a9b2bb', line: '#3b454f', link: '#79b8ff', good: '#6bd896', bad: '#ff9d94', unsure: '#e6c56a' },
} as const;

function variables(colors: Readonly<Record<string, string>>): string {
  return Object.entries(colors).map(([name, value]) => `--${name}:${value}`).join(';');
}

export const PAGE_STYLE: string = `
:root{color-scheme:light dark;${variables(PAGE_COLORS.light)}}
@media (prefers-color-scheme:dark){:root{${variables(PAGE_COLORS.dark)}}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1.5rem 1.25rem 4rem;background:var(--paper);color:var(--text);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .5rem}
h2{font-size:1.25rem;margin:2.75rem 0 .4rem;padding-top:.75rem;border-top:1px solid var(--line)}
p{margin:.4rem 0;max-width:46rem}
a{color:var(--link)}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;list-style:none;margin:1rem 0 0;padding:0}
.about{display:flex;flex-wrap:wrap;gap:.1rem 1.5rem;color:var(--muted);margin:0}
.about div{display:flex;gap:.4rem}
dt,dd{margin:0}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:.75rem;margin:1rem 0}
.figures div{background:var(--shade);border:1px solid var(--line);border-radius:.4rem;padding:.6rem .8rem;display:flex;flex-direction:column-reverse;justify-content:flex-end}
.figures dt{color:var(--muted);font-size:.875rem}
.figures dd{font-size:1.3rem;font-weight:600;line-height:1.3}
table{border-collapse:collapse;width:100%;margin:1rem 0;font-size:.925rem}
caption{text-align:left;font-weight:600;padding:0 0 .35rem}
th,td{text-align:left;vertical-align:top;padding:.4rem 1.25rem .4rem 0;border-bottom:1px solid var(--line)}
thead th{color:var(--muted);font-weight:600;border-bottom-width:2px;overflow-wrap:normal}
tbody th{font-weight:600;min-width:9rem}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td p,th p{margin:0;max-width:none}
td p+p{margin-top:.3rem}
.good{color:var(--good);font-weight:600}
.bad{color:var(--bad);font-weight:600}
.unsure{color:var(--unsure);font-weight:600}
.bar{display:block;width:5rem;height:.45rem;margin:.25rem 0 0 auto}
.bar rect{fill:var(--line)}
.bar rect+rect{fill:var(--text)}
.note{color:var(--muted)}
@media (max-width:44rem){
body{padding:1rem .8rem 3rem}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,caption,tbody,tr,th,td{display:block}
tbody tr{padding:.5rem 0;border-bottom:1px solid var(--line)}
tbody th,td{border:0;padding:.15rem 0}
td{display:grid;grid-template-columns:8rem 1fr;gap:.6rem;text-align:left}
td.n{text-align:left;white-space:normal}
td::before{content:attr(data-of);color:var(--muted)}
.bar{margin-left:0}
}
@media print{
:root{color-scheme:light;${variables(PAGE_COLORS.light)}}
body{max-width:none;padding:0;font-size:10pt}
nav{display:none}
h2{break-after:avoid}
tr,.figures div{break-inside:avoid}
thead{display:table-header-group}
.bar rect+rect,.figures div{print-color-adjust:exact}
}
`;

/** Base64 of the sheet's SHA-256, by which a policy for content names it (Content Security Policy Level 3, 2.3.1); a test says it when the sheet changes. */
export const PAGE_STYLE_DIGEST = 'fFYI0+4a/hRoAk8KGLH7j+RnNPxnZnpkTpP9d/U4XdQ=';
