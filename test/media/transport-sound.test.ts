import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passedOver } from '../../lib/media/split/transport-sound.ts';
import { makePat, makePmt, PIDS, packetize, packetizeSections } from '../support/ts-mangler.ts';

const [LATM, DTS, MPEG_H] = [0x11, 0x82, 0x2d];

/** A transport stream with H.264 and sound of these types. */
function transportStream(...soundTypes: readonly number[]): Buffer {
  const sound = soundTypes.map((type, index) => ({ type, pid: PIDS.audio + index }));
  const streams = [{ type: 0x1b, pid: PIDS.video }, ...sound];
  const pes = Buffer.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1, 1, 2, 3]);
  return Buffer.concat([
    ...packetizeSections(PIDS.pat, makePat([[1, PIDS.pmt]])),
    ...packetizeSections(PIDS.pmt, makePmt(1, streams)),
    ...streams.flatMap(({ pid }) => packetize(pid, pes)),
  ]);
}

test('sound of a transport stream is encoded where ffmpeg can decode all of it, and else said to be left out', () => {
  assert.deepEqual(passedOver(transportStream(0x0f)), { isDecodable: false, notices: [] });
  assert.deepEqual(passedOver(transportStream(0x0f, LATM, DTS)), {
    ...{ isDecodable: true, notices: [] },
  });
  assert.deepEqual(passedOver(transportStream(LATM, MPEG_H)), {
    isDecodable: false,
    notices: [
      { code: 'track_ignored', message: 'Stream 257 is left out: AAC in LATM.' },
      { code: 'track_ignored', message: 'Stream 258 is left out: MPEG-H audio.' },
    ],
  });
});
