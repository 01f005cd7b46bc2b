/** Draws the icon as PNG files, for the home screens of phones, which take no SVG. */

import { crc32, deflateSync } from 'node:zlib';

export type IconOptions = Readonly<{
  sizePx: number;
  /** Up to the edges, with its drawing inside the circle that every home screen shows (W3C: maskable). */
  isMaskable?: boolean;
}>;

type Point = readonly [x: number, y: number];
type Rgb = readonly [red: number, green: number, blue: number];

const MASKABLE_SCALE = 0.82;
const LINES_PER_CURVE = 24;

/**
 * Of a rounded square under one path of cubic curves, as web/shared/icon.svg is; throws if it is drawn
 * otherwise.
 */
export function iconPng(svg: string, { sizePx, isMaskable = false }: IconOptions): Uint8Array {
  const box = Number(found(svg, /viewBox="0 0 (\d+) \1"/));
  const radius = Number(found(svg, /rx="([\d.]+)"/)) * (sizePx / box);
  const strokePx = Number(found(svg, /stroke-width="([\d.]+)"/));
  const ground = colourOf(found(svg, /<rect[^>]* fill="#([0-9a-f]{3,6})"/));
  const ink = colourOf(found(svg, /stroke="#([0-9a-f]{3,6})"/));
  const scale = (sizePx / box) * (isMaskable ? MASKABLE_SCALE : 1);
  const offset = (sizePx - box * scale) / 2;
  const lines = linesOf(found(svg, /<path d="([^"]+)"/)).map((line) =>
    line.map(([x, y]): Point => [offset + x * scale, offset + y * scale]),
  );
  const inked = strokeCover(lines, (strokePx * scale) / 2, sizePx);
  const pixels = new Uint8Array(sizePx * sizePx * 4);
  for (let at = 0; at < inked.length; at += 1) {
    const cover = inked[at] ?? 0;
    for (const [channel, value] of ground.entries()) {
      pixels[at * 4 + channel] = Math.round(value + ((ink[channel] ?? 0) - value) * cover);
    }
    const [x, y] = [(at % sizePx) + 0.5, Math.floor(at / sizePx) + 0.5];
    pixels[at * 4 + 3] = isMaskable ? 255 : Math.round(255 * squareCover(x, y, sizePx, radius));
  }
  return pngOf(pixels, sizePx);
}

function found(svg: string, pattern: RegExp): string {
  const [, value] = svg.match(pattern) ?? [];
  if (value === undefined) throw new Error(`The icon is drawn otherwise: it lacks ${pattern}.`);
  return value;
}

function colourOf(hex: string): Rgb {
  const full = hex.length === 3 ? hex.replaceAll(/./g, '$&$&') : hex;
  const value = Number.parseInt(full, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Of `M`, `c` and `s`, with numbers that are parted by spaces, commas or signs. */
function linesOf(path: string): Point[][] {
  const lines: Point[][] = [];
  let [at, control]: [Point, Point] = [
    [0, 0],
    [0, 0],
  ];
  for (const [, command = '', list = ''] of path.matchAll(/([Mcs])([^A-Za-z]*)/g)) {
    const numbers = Array.from(list.matchAll(/-?[\d.]+/g), ([number]) => Number(number));
    if (command === 'M') {
      at = [numbers[0] ?? 0, numbers[1] ?? 0];
      control = at;
      lines.push([at]);
      continue;
    }
    const size = command === 'c' ? 6 : 4;
    for (let index = 0; index + size <= numbers.length; index += size) {
      const from = at;
      const point = (place: number): Point => [
        from[0] + (numbers[index + place] ?? 0),
        from[1] + (numbers[index + place + 1] ?? 0),
      ];
      // The first control of `s` mirrors the last one of the curve before.
      const mirrored: Point = [2 * at[0] - control[0], 2 * at[1] - control[1]];
      const first = command === 'c' ? point(0) : mirrored;
      control = point(size - 4);
      at = point(size - 2);
      for (let step = 1; step <= LINES_PER_CURVE; step += 1) {
        lines.at(-1)?.push(onCurve([from, first, control, at], step / LINES_PER_CURVE));
      }
    }
  }
  return lines;
}

function onCurve([a, b, c, d]: readonly [Point, Point, Point, Point], t: number): Point {
  const along = (axis: 0 | 1): number =>
    (1 - t) ** 3 * a[axis] +
    3 * (1 - t) ** 2 * t * b[axis] +
    3 * (1 - t) * t ** 2 * c[axis] +
    t ** 3 * d[axis];
  return [along(0), along(1)];
}

/** How much of each pixel lies within `radius` of a line: round ends and joins. */
function strokeCover(
  lines: readonly (readonly Point[])[],
  radius: number,
  sizePx: number,
): Float32Array {
  const cover = new Float32Array(sizePx * sizePx);
  const within = (value: number): number => Math.max(0, Math.min(sizePx, value));
  for (const line of lines) {
    for (const [index, to] of line.entries()) {
      const from = line[index - 1] ?? to;
      const [left, right] = [Math.min(from[0], to[0]), Math.max(from[0], to[0])];
      const [top, bottom] = [Math.min(from[1], to[1]), Math.max(from[1], to[1])];
      for (let y = within(Math.floor(top - radius - 1)); y < within(bottom + radius + 1); y += 1) {
        for (
          let x = within(Math.floor(left - radius - 1));
          x < within(right + radius + 1);
          x += 1
        ) {
          const share = edge(radius - distance([x + 0.5, y + 0.5], from, to));
          const place = y * sizePx + x;
          cover[place] = Math.max(cover[place] ?? 0, share);
        }
      }
    }
  }
  return cover;
}

function distance([x, y]: Point, [fromX, fromY]: Point, [toX, toY]: Point): number {
  const [dx, dy] = [toX - fromX, toY - fromY];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((x - fromX) * dx + (y - fromY) * dy) / length;
  const t = Math.max(0, Math.min(1, along));
  return Math.hypot(x - fromX - t * dx, y - fromY - t * dy);
}

function squareCover(x: number, y: number, sizePx: number, radius: number): number {
  const beyond = (value: number): number =>
    Math.max(0, Math.abs(value - sizePx / 2) - (sizePx / 2 - radius));
  return edge(radius - Math.hypot(beyond(x), beyond(y)));
}

/** By how far a pixel's centre lies inside. */
const edge = (insidePx: number): number => Math.max(0, Math.min(1, insidePx + 0.5));

/** RGBA, 8 bits each (ISO/IEC 15948). */
function pngOf(pixels: Uint8Array, sizePx: number): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(sizePx, 0);
  header.writeUInt32BE(sizePx, 4);
  header.set([8, 6], 8);
  const rows = Buffer.alloc(sizePx * (sizePx * 4 + 1));
  for (let row = 0; row < sizePx; row += 1) {
    rows.set(pixels.subarray(row * sizePx * 4, (row + 1) * sizePx * 4), row * (sizePx * 4 + 1) + 1);
  }
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(named.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(named, 4);
  framed.writeUInt32BE(crc32(named), named.length + 4);
  return framed;
}
