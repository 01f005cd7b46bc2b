/** Where camera and screen are in the picture of the broadcast, in pixels. Pure. */

export type Place = Readonly<{ x: number; y: number; width: number; height: number }>;
export type Size = Readonly<{ width: number; height: number }>;

/** As large as fits, in the middle, with its own shape. */
export function fitInto(source: Size, target: Size): Place {
  const scale = Math.min(target.width / source.width, target.height / source.height);
  const [width, height] = [source.width * scale, source.height * scale];
  return { x: (target.width - width) / 2, y: (target.height - height) / 2, width, height };
}

const CORNER_SHARE = 0.24;
const CORNER_MARGIN = 0.02;

/** Bottom right, with a margin. */
export function cornerPlace(source: Size, target: Size): Place {
  const box = { width: target.width * CORNER_SHARE, height: target.height * CORNER_SHARE };
  const { width, height } = fitInto(source, box);
  const margin = target.width * CORNER_MARGIN;
  return {
    x: target.width - width - margin,
    y: target.height - height - margin,
    width,
    height,
  };
}
