/**
 * Captions that somebody sent: WebVTT or SubRip. As tolerant as players are, but for what a player would leave
 * out: that is named with its line, as the person who sent it can correct it.
 */

import type { Cue } from '../../domain/captions/caption.ts';
import { DomainError } from '../../domain/errors.ts';
import { badCaptions, blocksOf, type CaptionBlock, readLines } from './caption-lines.ts';
import { isTimesLine, parseTime, parseTimesLine } from './cue-times.ts';
import { webVttOfSubRip } from './subrip-text.ts';

export type ParsedCaptions = Readonly<{
  format: 'vtt' | 'srt';
  /** STYLE and REGION blocks. */
  header?: string;
  cues: readonly Cue[];
  /** X-TIMESTAMP-MAP: which time of the file is which of MPEG-TS. */
  map?: Readonly<{ localTicks: number; mpegTicks: number }>;
}>;

/** A day of talk has half as many. */
export const MAX_CUES = 20_000;
export const MAX_CUE_CHARACTERS = 2000;
const MAX_HEADER_CHARACTERS = 16_000;
const MAX_ID_CHARACTERS = 128;

const FORMAT_HINT = 'Send WebVTT, whose first line is WEBVTT, or SubRip (.srt).';

/** Throws `bad_captions`, which names the line, and `empty_body`. */
export function parseCaptions(bytes: Uint8Array): ParsedCaptions {
  const lines = readLines(bytes);
  if (lines.every((line) => line.trim() === '')) {
    throw new DomainError('empty_body', 'The captions are empty.', FORMAT_HINT);
  }
  return /^WEBVTT(?:[ \t]|$)/.test(lines[0] ?? '') ? parseWebVtt(lines) : parseSubRip(lines);
}

function parseWebVtt(lines: readonly string[]): ParsedCaptions {
  const [first, ...blocks] = blocksOf(lines);
  // Files in which a cue follows the first line at once are common.
  const timesAt = first?.lines.findIndex(isTimesLine) ?? -1;
  const map = first && timestampMap(first);
  const headers: string[] = [];
  const cues = new CueList();
  if (first && timesAt > 0) {
    const at =
      timesAt > 1 && !(first.lines[timesAt - 1] ?? '').includes(':') ? timesAt - 1 : timesAt;
    cues.addAll(readBlock({ line: first.line + at, lines: first.lines.slice(at) }));
  }
  for (const block of blocks) {
    const [head = ''] = block.lines;
    if (/^NOTE(?:[ \t]|$)/.test(head)) continue;
    if (/^(?:STYLE|REGION)[ \t]*$/.test(head)) {
      if (block.lines.some(isTimesLine)) {
        const line = block.line + block.lines.findIndex(isTimesLine);
        throw badCaptions(line, 'a cue begins inside a STYLE or REGION block.', EMPTY_LINE_HINT);
      }
      headers.push(block.lines.join('\n'));
    } else cues.addAll(readBlock(block));
  }
  const header = headers.join('\n\n');
  if (header.length > MAX_HEADER_CHARACTERS) {
    throw new DomainError(
      'bad_captions',
      `The styles and regions have ${header.length} characters; ${MAX_HEADER_CHARACTERS} are the most.`,
      'Leave out what no cue uses.',
    );
  }
  return { format: 'vtt', ...(header && { header }), cues: cues.all, ...(map && { map }) };
}

function parseSubRip(lines: readonly string[]): ParsedCaptions {
  const cues = new CueList();
  for (const block of blocksOf(lines)) {
    if (cues.all.length === 0 && !block.lines.some(isTimesLine)) {
      const [head = ''] = block.lines;
      const message = `"${head.slice(0, 40)}" begins neither WebVTT nor SubRip.`;
      throw badCaptions(block.line, message, FORMAT_HINT);
    }
    cues.addAll(
      readBlock(block).map(({ line, cue: { id: _, settings: __, ...cue } }) => {
        return { line, cue: { ...cue, ...webVttOfSubRip(cue.text) } };
      }),
    );
  }
  return { format: 'srt', cues: cues.all };
}

type ReadCue = Readonly<{ line: number; cue: Cue }>;

const EMPTY_LINE_HINT = 'Put an empty line before each cue.';

/**
 * The cue of a block, or the several of one in which the empty lines between them are missing: then
 * the number before a cue's times is its own.
 */
function readBlock({ line, lines }: CaptionBlock): ReadCue[] {
  const starts = lines.flatMap((text, index) => (isTimesLine(text) ? [index] : []));
  const [first] = starts;
  if (first === undefined || first > 1) {
    const message = `"${(lines[0] ?? '').slice(0, 40)}" is text without times.`;
    throw badCaptions(line, message, 'Put the times of the cue on the line before its text.');
  }
  return starts.flatMap((at, index): ReadCue[] => {
    const next = starts[index + 1];
    const isNumbered = next !== undefined && /^\d+$/.test((lines[next - 1] ?? '').trim());
    const end = next === undefined ? lines.length : isNumbered ? next - 1 : next;
    const times = parseTimesLine(line + at, lines[at] ?? '');
    const text = lines.slice(at + 1, end).join('\n');
    const id = at > 0 && index === 0 ? lines[0]?.trim().slice(0, MAX_ID_CHARACTERS) : undefined;
    // A cue without text shows nothing.
    return text === '' ? [] : [{ line: line + at, cue: { ...times, text, ...(id && { id }) } }];
  });
}

class CueList {
  readonly all: Cue[] = [];

  addAll(found: readonly ReadCue[]): void {
    for (const { line, cue } of found) {
      if (cue.text.length > MAX_CUE_CHARACTERS) {
        throw badCaptions(
          line,
          `the cue has ${cue.text.length} characters; ${MAX_CUE_CHARACTERS} are the most.`,
          'Divide it into several: nobody reads so much at once.',
        );
      }
      if (this.all.length >= MAX_CUES) {
        throw badCaptions(
          line,
          `this is cue ${MAX_CUES + 1}; a file has ${MAX_CUES} at most.`,
          'Send several files, each under a name of its own (?file=2).',
        );
      }
      this.all.push(cue);
    }
  }
}

const MAP_HINT = 'Write X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000, or leave it out.';

/** In either order (RFC 8216bis, 3.1.4). */
function timestampMap({ line, lines }: CaptionBlock): ParsedCaptions['map'] {
  const at = lines.findIndex((text) => text.startsWith('X-TIMESTAMP-MAP'));
  if (at < 0) return undefined;
  const text = lines[at] ?? '';
  const localTicks = parseTime(text.match(/LOCAL:([\d:.]+)/)?.[1] ?? '');
  const mpegTicks = Number(text.match(/MPEGTS:(\d{1,15})(?:,|\s*$)/)?.[1] ?? Number.NaN);
  if (localTicks !== undefined && Number.isSafeInteger(mpegTicks)) return { localTicks, mpegTicks };
  throw badCaptions(line + at, `"${text.slice(0, 80)}" cannot be read.`, MAP_HINT);
}
