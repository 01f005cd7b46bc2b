/** How captions look, as the viewer chose it; what is not chosen is as they were sent. Pure. */

const SIZES = { small: '75%', large: '125%', larger: '160%', largest: '200%' } as const;
const COLOURS = {
  white: '#fff',
  yellow: '#ff0',
  green: '#0f0',
  cyan: '#0ff',
  black: '#000',
} as const;
/** Behind the text: the opposite of its colour. */
const BACKGROUNDS = { solid: 1, translucent: 0.6, none: 0 } as const;
const FONTS = {
  sans: 'system-ui, sans-serif',
  serif: 'Georgia, "Times New Roman", serif',
  mono: '"Courier New", monospace',
} as const;
const EDGES = { none: 'none', outline: 'outline', shadow: 'shadow' } as const;

/** The values of each part, in the order of its menu. */
export const STYLE_VALUES = {
  size: Object.keys(SIZES) as (keyof typeof SIZES)[],
  colour: Object.keys(COLOURS) as (keyof typeof COLOURS)[],
  background: Object.keys(BACKGROUNDS) as (keyof typeof BACKGROUNDS)[],
  edge: Object.keys(EDGES) as (keyof typeof EDGES)[],
  font: Object.keys(FONTS) as (keyof typeof FONTS)[],
} as const;

export type StylePart = keyof typeof STYLE_VALUES;
export type CaptionStyle = Readonly<{ [Part in StylePart]?: (typeof STYLE_VALUES)[Part][number] }>;

export const STYLE_PARTS = Object.keys(STYLE_VALUES) as readonly StylePart[];

/** From a form or the storage: what makes no sense is left out. */
export function readCaptionStyle(given: Readonly<Record<string, unknown>>): CaptionStyle {
  const known = STYLE_PARTS.flatMap((part) => {
    const value = (STYLE_VALUES[part] as readonly string[]).find((one) => one === given[part]);
    return value === undefined ? [] : [[part, value]];
  });
  return Object.fromEntries(known);
}

/** Declarations of CSS; empty: as sent. */
export function declarationsOf({ size, colour, background, edge, font }: CaptionStyle): string {
  const text = colour === undefined ? undefined : COLOURS[colour];
  const behind = colour === 'black' ? '255 255 255' : '0 0 0';
  // What is sent without a background has a black one.
  const shade = background ?? (colour === 'black' ? 'translucent' : undefined);
  return [
    size && `font-size: ${SIZES[size]}`,
    text && `color: ${text}`,
    shade && `background-color: rgb(${behind} / ${BACKGROUNDS[shade]})`,
    edge && `text-shadow: ${shadowOf(edge, colour === 'black' ? '#fff' : '#000')}`,
    font && `font-family: ${FONTS[font]}`,
  ]
    .filter(Boolean)
    .map((declaration) => `${declaration};`)
    .join(' ');
}

/** Around the letters, so that they can be read on any picture. */
function shadowOf(edge: keyof typeof EDGES, colour: string): string {
  if (edge === 'none') return 'none';
  if (edge === 'shadow') return `0.08em 0.08em 0.12em ${colour}`;
  const corners = ['-0.06em -0.06em', '0.06em -0.06em', '-0.06em 0.06em', '0.06em 0.06em'];
  return corners.map((corner) => `${corner} 0 ${colour}`).join(', ');
}
