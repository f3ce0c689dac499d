// A reachability as a picture in SVG: it fetches nothing, runs nothing, and follows the reader's choice of light or dark.
import type { Reachability } from '../../analyze/reach.ts';
import { printable } from '../text/printable.ts';
import { layReach, type Carrier, type PictureBox, type PictureEnd, type ReachPicture } from './reach-picture.ts';
import { cutText } from '../text/table.ts';

/** Beyond these nobody follows a line. */
export const PICTURE_ENDS_MAX = 80;

const MARGIN = 24;
const LABEL_SIGNS_MAX = 36;
const CARRIER_SIGNS_MAX = 34;
/** Of a fixed-width font, by its size. */
const SIGN_WIDTH = 0.62;
const LABEL_SIZE = 13;
const CARRIER_SIZE = 11;
const CARRIER_HEIGHT = 20;
/** Room for the lines, on each side of the carriers. */
const SPAN = 190;
const NOTE_LINE = 18;
/** Ranges named in a note; the rest is counted. */
const NOTE_MEMBERS_MAX = 24;
const HUES = 8;

const STYLE = `
.paper{fill:#fff}.box{fill:#f6f8fa;stroke:#d0d7de}.out{fill:none;stroke:#8c959f;stroke-dasharray:5 4}
text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:${LABEL_SIZE}px;fill:#1f2328}
.head{font-weight:700;fill:#59636e}.name{font-weight:700}.none{fill:#8c959f}.small{font-size:${CARRIER_SIZE}px}.note{font-size:${CARRIER_SIZE}px;fill:#59636e}
.line{fill:none;stroke-width:1.6;stroke-opacity:.75}.pill{fill:#fff;stroke-width:1.4}
${hues('s', ['#0969da', '#bc4c00', '#1a7f37', '#8250df', '#cf222e', '#0e7c86', '#9a6700', '#bf3989'])}
@media (prefers-color-scheme:dark){
.paper{fill:#0d1117}.box{fill:#161b22;stroke:#3d444d}.out{stroke:#656c76}text{fill:#e6edf3}.head,.note{fill:#9198a1}.none{fill:#7d8590}.pill{fill:#0d1117}
${hues('s', ['#58a6ff', '#f0883e', '#3fb950', '#bc8cff', '#ff7b72', '#39c5cf', '#d29922', '#f778ba'])}
}`;

/** At most `PICTURE_ENDS_MAX` ends are to be drawn: the caller refuses more. */
export function* reachSvg(reachability: Reachability): Generator<string> {
  const picture = layReach(reachability);
  const frame = frameOf(picture);
  yield `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${frame.width} ${frame.height}" width="${frame.width}" height="${frame.height}" role="img">\n`;
  yield `<title>who reaches whom, on what</title>\n<style>${STYLE}\n</style>\n<rect class="paper" width="${frame.width}" height="${frame.height}"/>\n`;
  yield* headings(frame);
  for (const box of picture.boxes) for (const side of [frame.left, frame.right]) yield* boxShapes(box, side);
  for (const [index, carrier] of picture.carriers.entries()) yield* lines(carrier, index % HUES, frame);
  for (const [index, carrier] of picture.carriers.entries()) yield pill(carrier, index % HUES, frame);
  yield* notes(picture, frame);
  yield '</svg>\n';
}

interface Side {
  readonly x: number;
  readonly width: number;
  /** Where lines leave or arrive. */
  readonly edge: number;
  readonly isActive: (end: PictureEnd) => boolean;
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: Side;
  readonly right: Side;
  readonly carrierX: number;
  readonly carrierWidth: number;
  readonly noteLines: readonly string[];
}

function frameOf(picture: ReachPicture): Frame {
  const { boxes, carriers, height } = picture;
  const longest = Math.max(8, ...boxes.flatMap(({ label, ends }) => [label.length, ...ends.map((end) => end.label.length)]));
  const column = Math.ceil(Math.min(longest, LABEL_SIGNS_MAX) * LABEL_SIZE * SIGN_WIDTH) + 32;
  const carrierWidth = Math.ceil(Math.min(Math.max(4, ...carriers.map(({ text }) => text.length)), CARRIER_SIGNS_MAX) * CARRIER_SIZE * SIGN_WIDTH) + 20;
  const carrierX = MARGIN + column + SPAN;
  const rightX = carrierX + carrierWidth + SPAN;
  const width = rightX + column + MARGIN;
  const noteLines = noteTexts(picture).flatMap((text) => wrapText(text, Math.floor((width - 2 * MARGIN) / (CARRIER_SIZE * SIGN_WIDTH))));
  return {
    width,
    height: height + NOTE_LINE * noteLines.length + MARGIN,
    noteLines,
    left: { x: MARGIN, width: column, edge: MARGIN + column, isActive: ({ reaches }) => reaches },
    right: { x: rightX, width: column, edge: rightX, isActive: ({ isReached }) => isReached },
    carrierX,
    carrierWidth,
  };
}

function* headings({ left, right, carrierX, carrierWidth }: Frame): Generator<string> {
  yield `<text class="head" x="${left.x}" y="30">FROM</text>\n`;
  yield `<text class="head" x="${carrierX + carrierWidth / 2}" y="30" text-anchor="middle">ON</text>\n`;
  yield `<text class="head" x="${right.x}" y="30">TO</text>\n`;
}

function* boxShapes({ label, isOutside, top, height, ends }: PictureBox, { x, width, isActive }: Side): Generator<string> {
  yield `<rect class="${isOutside ? 'out' : 'box'}" x="${x}" y="${top}" width="${width}" height="${height}" rx="6"/>\n`;
  yield textAt(label, { x: x + 10, y: top + 18, className: 'name', signsMax: LABEL_SIGNS_MAX });
  for (const end of ends) yield textAt(end.label, { x: x + 20, y: end.y + 5, className: isActive(end) ? '' : 'none', signsMax: LABEL_SIGNS_MAX });
}

function* lines({ y, sourceYs, targetYs }: Carrier, hue: number, { left, right, carrierX, carrierWidth }: Frame): Generator<string> {
  for (const sourceY of sourceYs) yield curve({ x: left.edge, y: sourceY }, { x: carrierX, y }, hue);
  for (const targetY of targetYs) {
    yield curve({ x: carrierX + carrierWidth, y }, { x: right.edge - 7, y: targetY }, hue);
    yield `<path class="f${hue}" d="M${right.edge} ${targetY}l-9 -4.5v9z"/>\n`;
  }
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Level at both ends. */
function curve(start: Point, end: Point, hue: number): string {
  const middle = (start.x + end.x) / 2;
  return `<path class="line s${hue}" d="M${start.x} ${round(start.y)}C${middle} ${round(start.y)} ${middle} ${round(end.y)} ${end.x} ${round(end.y)}"/>\n`;
}

function pill({ text, y }: Carrier, hue: number, { carrierX, carrierWidth }: Frame): string {
  const rect = `<rect class="pill s${hue}" x="${carrierX}" y="${round(y - CARRIER_HEIGHT / 2)}" width="${carrierWidth}" height="${CARRIER_HEIGHT}" rx="10"/>\n`;
  return rect + textAt(text, { x: carrierX + carrierWidth / 2, y: round(y + 4), className: 'small', signsMax: CARRIER_SIGNS_MAX, anchor: 'middle' });
}

function* notes({ height }: ReachPicture, { left, noteLines }: Frame): Generator<string> {
  for (const [index, text] of noteLines.entries()) yield textAt(text, { x: left.x, y: height + NOTE_LINE * (index + 1), className: 'note', signsMax: text.length });
}

function noteTexts({ folds }: ReachPicture): string[] {
  const listed = folds.map(({ label, members }) => {
    const rest = members.length - NOTE_MEMBERS_MAX;
    return `${label}: ${members.slice(0, NOTE_MEMBERS_MAX).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  });
  return ['A line at the head of a box is one for everything in it.', 'What is gray reaches nobody on the left, and is reached by nobody on the right.', ...listed];
}

/** Lines of whole words, but where one word is longer than a line. */
function wrapText(text: string, signsMax: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= signsMax) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

interface TextPlace extends Point {
  readonly className: string;
  readonly signsMax: number;
  readonly anchor?: 'middle';
}

/** What is cut off stands in the title, which a reader sees on pointing at it. */
function textAt(text: string, { x, y, className, signsMax, anchor }: TextPlace): string {
  const shown = cutText(printable(text), signsMax);
  const title = shown === printable(text) ? '' : `<title>${escapeText(printable(text))}</title>`;
  return `<text${className === '' ? '' : ` class="${className}"`} x="${x}" y="${y}"${anchor === undefined ? '' : ` text-anchor="${anchor}"`}>${escapeText(shown)}${title}</text>\n`;
}

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function hues(name: string, colors: readonly string[]): string {
  return colors.map((color, index) => `.${name}${index}{stroke:${color}}.f${index}{fill:${color}}`).join('');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
