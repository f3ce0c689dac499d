// Colors of a terminal as functions from text to text; the plain style leaves every text as it is.

export type Color = 'bold' | 'dim' | 'inverse' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan';

export type Style = Readonly<Record<Color, (text: string) => string>>;

// Select Graphic Rendition, ECMA-48 section 8.3.117.
const SGR: Readonly<Record<Color, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  inverse: [7, 27],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
};

export const PLAIN_STYLE: Style = styleOf(() => (text) => text);

export const TERMINAL_STYLE: Style = styleOf((color) => {
  const [on, off] = SGR[color];
  return (text) => (text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`);
});

function styleOf(paint: (color: Color) => (text: string) => string): Style {
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    inverse: paint('inverse'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
    blue: paint('blue'),
    cyan: paint('cyan'),
  };
}
