import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { SegmentFacts } from '../../lib/domain/segment.ts';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { makeSegments } from '../support/media.ts';
import { ofPid, PIDS, pidOf, reframe, splitPackets, startsUnit } from '../support/ts-mangler.ts';

/** 50 frames, 98 packets of sound, and the tables every few packets. */
let packets: readonly Buffer[];
let whole: SegmentFacts;

const inspect = async (bytes: Uint8Array): Promise<SegmentFacts> =>
  (await inspectSegment(bytes)).facts;
const inspectPackets = (list: readonly Buffer[]) => inspect(Buffer.concat(list));
const framesOf = (facts: SegmentFacts) => [facts.video?.frames, facts.audio[0]?.packets];
const messagesOf = ({ notices = [] }: SegmentFacts) =>
  notices.map(({ code, message }) => `${code}: ${message}`);
const damaged = (what: string) => [
  `damaged: The transport stream is damaged (${what}); what can be decoded is kept.`,
];

before(async () => {
  const { segments } = await makeSegments({ seconds: 4, rate: '25', size: '128x72' });
  packets = splitPackets(segments[1]?.bytes ?? assert.fail());
  whole = await inspectPackets(packets);
  assert.deepEqual(framesOf(whole), [50, 98]);
});

/** Index of the n-th packet of a stream that begins nothing. */
function inside(pid: number, count: number): number {
  const found = packets.filter((packet) => pidOf(packet) === pid && !startsUnit(packet));
  return packets.indexOf(found[count] ?? assert.fail());
}

describe('packets of a transport stream:', () => {
  test('M2TS with 192 bytes and DVB with 204 are read as 188', async () => {
    assert.deepEqual(await inspect(reframe(packets, 192)), whole);
    assert.deepEqual(await inspect(reframe(packets, 204)), whole);
  });

  test('stray bytes in front, between and behind are skipped and counted', async () => {
    for (const at of [0, 20, packets.length]) {
      const parts = [...packets.slice(0, at), Buffer.alloc(77, 0x11), ...packets.slice(at)];
      const facts = await inspectPackets(parts);
      assert.deepEqual(framesOf(facts), [50, 98]);
      assert.deepEqual(messagesOf(facts), damaged('bytes that belong to no packet: 77'));
    }
  });

  test('a damaged sync byte costs no picture', async () => {
    for (const at of [0, inside(PIDS.video, 3), packets.length - 1]) {
      const torn = packets.map((packet, index) => (index === at ? Buffer.from(packet) : packet));
      torn[at]?.writeUInt8(0x46);
      assert.equal((await inspectPackets(torn)).video?.frames, 50);
    }
  });

  test('bytes that are cut out of a packet cost that packet alone', async () => {
    const at = inside(PIDS.video, 3);
    const torn = packets.map((packet, index) => (index === at ? packet.subarray(0, 100) : packet));
    const facts = await inspectPackets(torn);
    assert.deepEqual(framesOf(facts), [50, 98]);
    assert.match(messagesOf(facts).join(), /packets missing or damaged: 1, bytes .*: 100/);
  });

  test('what receivers mark as damaged is kept of the picture, and dropped of the sound', async () => {
    const marked = [inside(PIDS.video, 3), inside(PIDS.audio, 3)];
    const torn = packets.map((packet, index) => {
      const copy = Buffer.from(packet);
      if (marked.includes(index)) copy[1] = (copy[1] ?? 0) | 0x80;
      return copy;
    });
    const facts = await inspectPackets(torn);
    assert.equal(facts.video?.frames, 50);
    assert.ok((facts.audio[0]?.packets ?? 0) < 98 && (facts.audio[0]?.packets ?? 0) > 92);
    assert.deepEqual(messagesOf(facts), damaged('packets missing or damaged: 2'));
  });

  test('a packet that comes twice is read once', async () => {
    const doubled = packets.flatMap((packet) => [packet, packet]);
    const facts = await inspectPackets(doubled);
    assert.deepEqual(facts, whole);
  });

  test('a lost packet of sound costs the frames in it, and the others keep their times', async () => {
    const lost = inside(PIDS.audio, 5);
    const facts = await inspectPackets(packets.filter((_, index) => index !== lost));
    assert.equal(facts.video?.frames, 50);
    assert.ok((facts.audio[0]?.packets ?? 0) < 98 && (facts.audio[0]?.packets ?? 0) > 92);
    assert.equal(facts.audio[0]?.startTicks, whole.audio[0]?.startTicks);
    assert.equal(facts.audio[0]?.endTicks, whole.audio[0]?.endTicks);
  });

  test('a counter that stands still is no loss', async () => {
    const still = packets.map((packet) => {
      const copy = Buffer.from(packet);
      copy[3] = (copy[3] ?? 0) & 0xf0;
      return copy;
    });
    assert.deepEqual(await inspectPackets(still), whole);
  });

  test('sound that goes on over the cut loses the frame that is cut, on both sides', async () => {
    const audio = ofPid(packets, PIDS.audio);
    const starts = audio.filter(startsUnit);
    const cut = packets.indexOf(starts[2] ?? assert.fail()) + 1;
    const tables = packets.slice(0, 3);
    const head = await inspectPackets([
      ...packets.slice(0, cut),
      ...packets.slice(cut).filter((packet) => pidOf(packet) !== PIDS.audio),
    ]);
    const tail = await inspectPackets([
      ...tables,
      ...packets.filter(
        (packet, index) =>
          pidOf(packet) === PIDS.video || (pidOf(packet) === PIDS.audio && index >= cut),
      ),
    ]);
    assert.deepEqual(messagesOf(head), []);
    assert.deepEqual(messagesOf(tail), []);
    assert.equal((head.audio[0]?.packets ?? 0) + (tail.audio[0]?.packets ?? 0), 97);
    assert.equal(tail.audio[0]?.endTicks, whole.audio[0]?.endTicks);
  });
});
