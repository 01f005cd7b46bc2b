/** Sound of MPEG-TS that the demuxer of whole files passes over: ffmpeg encodes it, or it is said to be left out. */

import type { Notice } from '../../domain/notice.ts';
import { indexPackets } from '../demux/mpegts-packets.ts';
import { chooseProgram } from '../demux/mpegts-programs.ts';
import { readPrograms } from '../demux/mpegts-tables.ts';

/** As the demuxer of segments calls what it does not take. */
const DECODABLE: ReadonlySet<string> = new Set([
  ...['AAC in LATM', 'DTS', 'Dolby TrueHD', 'PCM (SMPTE 302M)', 'Opus'],
]);

export type PassedOver = Readonly<{
  /** ffmpeg can decode all of it. */
  isDecodable: boolean;
  notices: readonly Notice[];
}>;

/** `head`: the first megabytes of the file, in which every track begins. */
export function passedOver(head: Uint8Array): PassedOver {
  const index = indexPackets(head);
  const streams = chooseProgram(index, readPrograms(index))?.streams ?? [];
  const unknown = streams.flatMap(({ stream, kind }) =>
    kind.kind === 'unsupported' ? [{ pid: stream.pid, name: kind.name }] : [],
  );
  const isDecodable = unknown.length > 0 && unknown.every(({ name }) => DECODABLE.has(name));
  const notices = unknown.map(({ pid, name }): Notice => {
    return { code: 'track_ignored', message: `Stream ${pid} is left out: ${name}.` };
  });
  return { isDecodable, notices: isDecodable ? [] : notices };
}
