/** Decodes closed captions (CTA-608) into cues. */

import { type CaptionScreen, Cta608Parser, type Row } from '@svta/cml-608';
import type { Cue } from '../../domain/captions/caption.ts';
import {
  CAPTION_CHANNELS,
  type CaptionPair,
  fieldOf,
} from '../../domain/captions/closed-captions.ts';

/** Rows of the screen from which on captions stand where players put them by themselves. */
const BOTTOM_ROW = 10;

/**
 * What a channel shows from `from` up to `to`, in the pieces in which it changes, cut to that span. `pairs`
 * begin earlier: what is shown at first was sent before.
 */
export function decodeClosedCaptions(
  pairs: readonly CaptionPair[],
  channel: string,
  from: number,
  to: number,
): Cue[] {
  const index = (CAPTION_CHANNELS as readonly string[]).indexOf(channel);
  const field = fieldOf(channel);
  const cues: Cue[] = [];
  const output = {
    newCue(start: number, end: number, screen: CaptionScreen) {
      const span = { from: Math.max(from, Math.round(start)), to: Math.min(to, Math.round(end)) };
      if (span.from < span.to) cues.push(...cuesOf(screen, span));
    },
  };
  const none = { newCue() {} };
  const [first, second] = index % 2 === 0 ? [output, none] : [none, output];
  const parser = new Cta608Parser(field === 1 ? 1 : 3, first, second);
  quieten(parser);
  for (const { ticks, bytes, field: own } of pairs) {
    if (own === field && ticks < to) parser.addData(ticks, [...bytes]);
  }
  parser.cueSplitAtTime(to);
  return cues;
}

/** It writes to the console what it does not understand. */
function quieten(parser: Cta608Parser): void {
  const { logger } = parser as unknown as { logger: { log(): void } };
  logger.log = () => {};
}

/** Rows that stand together are one cue. */
function cuesOf(screen: CaptionScreen, span: Pick<Cue, 'from' | 'to'>): Cue[] {
  const groups: { first: number; rows: Row[] }[] = [];
  for (const [index, row] of screen.rows.entries()) {
    if (row.isEmpty()) continue;
    const last = groups.at(-1);
    if (last && last.first + last.rows.length === index) last.rows.push(row);
    else groups.push({ first: index, rows: [row] });
  }
  return groups.map(({ first, rows }) => {
    const text = rows.map(textOf).join('\n');
    return {
      ...{ ...span, text },
      ...(first < BOTTOM_ROW && { settings: `line:${Math.round(10 + (first * 16) / 3)}%` }),
    };
  });
}

/** Runs of one style, in the tags and the colours that WebVTT has. */
function textOf({ chars }: Row): string {
  const from = chars.findIndex((char) => !char.isEmpty());
  const to = chars.findLastIndex((char) => !char.isEmpty()) + 1;
  let text = '';
  let open = '';
  for (const { uchar, penState } of chars.slice(from, to)) {
    const { italics, underline, foreground } = penState;
    const colour = COLOURS[foreground];
    const tags = `${italics ? '<i>' : ''}${underline ? '<u>' : ''}${colour ? `<c.${colour}>` : ''}`;
    if (tags !== open) text += closing(open) + tags;
    open = tags;
    text += ESCAPED[uchar] ?? uchar;
  }
  return text + closing(open);
}

const closing = (tags: string): string =>
  tags
    .split('>')
    .slice(0, -1)
    .reverse()
    .map((tag) => `</${tag.slice(1).replace(/\..*/, '')}>`)
    .join('');

const COLOURS: Readonly<Record<string, string>> = {
  green: 'lime',
  blue: 'blue',
  cyan: 'cyan',
  red: 'red',
  yellow: 'yellow',
  magenta: 'magenta',
  black: 'black',
};

const ESCAPED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
