/** The lines of a caption file, and complaints that name them. */

import { DomainError } from '../../domain/errors.ts';

/** One block of lines without an empty one between them. `line` counts from 1. */
export type CaptionBlock = Readonly<{ line: number; lines: readonly string[] }>;

export const badCaptions = (line: number, message: string, hint: string): DomainError =>
  new DomainError('bad_captions', `line ${line}: ${message}`, hint);

/**
 * UTF-8 with or without a byte order mark; lines end with LF, CR or both. Throws `bad_captions` for other
 * encodings, whose letters would be wrong.
 */
export function readLines(bytes: Uint8Array): string[] {
  const [first = 0, second = 0] = bytes;
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  if (isUtf16)
    return split(new TextDecoder(first === 0xff ? 'utf-16le' : 'utf-16be').decode(bytes));
  try {
    return split(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    const lines = split(new TextDecoder('latin1').decode(bytes));
    const damaged = lines.findIndex((text) => !isUtf8(Buffer.from(text, 'latin1')));
    throw badCaptions(
      damaged + 1,
      'it is not UTF-8.',
      'Save the file as UTF-8 (iconv -f windows-1252 -t utf-8).',
    );
  }
}

/** NUL is no character of WebVTT. */
const split = (text: string): string[] => text.replaceAll('\0', '\ufffd').split(/\r\n|\n|\r/);

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** `from`: index of the first line. */
export function* blocksOf(lines: readonly string[], from = 0): Generator<CaptionBlock> {
  let block: string[] = [];
  for (let index = from; index <= lines.length; index += 1) {
    const text = lines[index] ?? '';
    if (text.trim() !== '') block.push(text);
    else if (block.length > 0) {
      yield { line: index + 1 - block.length, lines: block };
      block = [];
    }
  }
}
