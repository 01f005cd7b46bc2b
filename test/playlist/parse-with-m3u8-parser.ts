/** Playlists as m3u8-parser, the reader of video.js, understands them. Throws at its first complaint. */

import { Parser } from 'm3u8-parser';

export function parseWithM3u8Parser(text: string): Parser['manifest'] {
  const parser = new Parser();
  const complaints: string[] = [];
  for (const type of ['warn', 'error'] as const) {
    parser.on(type, ({ message }) => complaints.push(message));
  }
  parser.push(text);
  parser.end();
  if (complaints.length > 0) throw new Error(complaints.join('; '));
  return parser.manifest;
}
