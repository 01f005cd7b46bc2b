/** The text of a SubRip cue as WebVTT has it: few tags, and a place on the screen. */

/** `{\an8}`: places as on the keys of a number pad. */
const LINES = { bottom: undefined, middle: 'line:50%', top: 'line:0' } as const;

export function webVttOfSubRip(text: string): Readonly<{ text: string; settings?: string }> {
  const place = Number(text.match(/\{\\an([1-9])\}/)?.[1] ?? 2);
  const line = LINES[place > 6 ? 'top' : place > 3 ? 'middle' : 'bottom'];
  const side = ['end', 'start', undefined][place % 3];
  const settings = [line, side && `align:${side} position:${side === 'start' ? '5%' : '95%'}`];
  const shown = settings.filter((setting) => setting !== undefined).join(' ');
  return { text: markup(text.replace(/\{\\[^}]*\}/g, '')), ...(shown && { settings: shown }) };
}

const markup = (text: string): string =>
  text
    .replace(/&(?!(?:amp|lt|gt|nbsp|lrm|rlm|#\d+);)/g, '&amp;')
    // Colours and fonts have no tags in WebVTT.
    .replace(/<\/?(?:font|s)\b[^>]*>/gi, '')
    .replace(/<(\/?)([biu])>/gi, (_, slash, name) => `<${slash}${name.toLowerCase()}>`)
    .replace(/<(?!\/?[biu]>)/g, '&lt;')
    .replaceAll('-->', '--&gt;');
