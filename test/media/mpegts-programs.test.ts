import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { DomainError } from '../../lib/domain/errors.ts';
import type { SegmentFacts } from '../../lib/domain/segment.ts';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { makeSegments } from '../support/media.ts';
import {
  makePat,
  makePmt,
  ofPid,
  PIDS,
  packetize,
  packetizeSections,
  pidOf,
  splitPackets,
  withPid,
  withTables,
} from '../support/ts-mangler.ts';

const VIDEO = { type: 0x1b, pid: PIDS.video };
const AUDIO = { type: 0x0f, pid: PIDS.audio };
const MPEG2 = 0x02;
const LATM = 0x11;

let packets: readonly Buffer[];
let whole: SegmentFacts;

before(async () => {
  const { segments } = await makeSegments({ seconds: 4, rate: '25', size: '128x72' });
  packets = splitPackets(segments[1]?.bytes ?? assert.fail());
  whole = await inspect(packets);
});

const inspect = async (list: readonly Buffer[]): Promise<SegmentFacts> =>
  (await inspectSegment(Buffer.concat(list))).facts;

const withMap = (pmt: Buffer, ...more: readonly Buffer[]) =>
  withTables(packets, [
    ...packetizeSections(PIDS.pat, makePat([[1, PIDS.pmt]])),
    ...packetizeSections(PIDS.pmt, pmt),
    ...more,
  ]);

const messagesOf = ({ notices = [] }: SegmentFacts) => notices.map(({ message }) => message);

const refusal = (list: readonly Buffer[]): Promise<string> =>
  inspect(list).then(
    () => 'taken',
    (error) => (error instanceof DomainError ? `${error.code}: ${error.message}` : error.stack),
  );

/** PES packets of no known codec. */
const foreignPackets = (pid: number): Buffer[] =>
  packetize(pid, Buffer.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1, 1, 2, 3]));

describe('tables of a transport stream:', () => {
  test('a map may go on over several packets, and stand behind another in one', async () => {
    const descriptors = [0x80, 200, ...Array(200).fill(7), 0x81, 200, ...Array(200).fill(7)];
    assert.deepEqual(await inspect(withMap(makePmt(1, [VIDEO, AUDIO], descriptors))), whole);
    const onVideo = makePmt(1, [{ ...VIDEO, descriptors }, AUDIO]);
    assert.deepEqual(await inspect(withMap(onVideo)), whole);
    const both = packetizeSections(PIDS.pmt, makePmt(9, []), makePmt(1, [VIDEO, AUDIO]));
    const pat = packetizeSections(PIDS.pat, makePat([[1, PIDS.pmt]]));
    assert.deepEqual(await inspect(withTables(packets, [...pat, ...both])), whole);
  });

  test('a descriptor says the language of the sound, and whether it describes the picture', async () => {
    const said = async (code: string, audioType: number) => {
      const descriptors = [0x0a, 4, ...Buffer.from(code), audioType];
      const { audio } = await inspect(withMap(makePmt(1, [VIDEO, { ...AUDIO, descriptors }])));
      return [audio[0]?.language, audio[0]?.describesVideo];
    };
    assert.deepEqual(await said('fre', 0), ['fr', undefined]);
    assert.deepEqual(await said('deu', 3), ['de', true]);
    assert.deepEqual(await said('eng', 2), ['en', undefined]);
  });

  test('a damaged table is skipped, and its repetition is read', async () => {
    const pmt = makePmt(1, [VIDEO, AUDIO]);
    const broken = Buffer.from(pmt);
    broken[13] = 0x77;
    const good = packetizeSections(PIDS.pmt, pmt);
    assert.deepEqual(await inspect(withMap(broken, ...good)), whole);
    assert.equal(
      await refusal(withMap(broken)),
      'unsupported_media: The transport stream has no program map.',
    );
  });

  test('a table that is not in force yet is not read', async () => {
    const next = makePmt(1, [{ ...AUDIO, pid: 0x300 }]);
    next[5] = 0xc0;
    const good = packetizeSections(PIDS.pmt, makePmt(1, [VIDEO, AUDIO]));
    assert.deepEqual(await inspect(withMap(next, ...good)), whole);
  });

  test('streams of a map and of its later version are all read', async () => {
    const later = packetizeSections(PIDS.pmt, makePmt(1, [VIDEO, AUDIO], [], 1));
    assert.deepEqual(await inspect(withMap(makePmt(1, [VIDEO]), ...later)), whole);
  });
});

describe('programs of a transport stream:', () => {
  const radioAndTelevision = (radio: number, television: number) =>
    withTables(
      [...packets, ...ofPid(packets, PIDS.audio).map((packet) => withPid(packet, 0x201))],
      [
        ...packetizeSections(
          PIDS.pat,
          makePat([
            [radio, 0x1010],
            [television, PIDS.pmt],
          ]),
        ),
        ...packetizeSections(0x1010, makePmt(radio, [{ type: 0x0f, pid: 0x201 }])),
        ...packetizeSections(PIDS.pmt, makePmt(television, [VIDEO, AUDIO])),
      ],
    );

  test('the one with a picture is taken, and the receipt names the others', async () => {
    const facts = await inspect(radioAndTelevision(1, 2));
    assert.deepEqual([facts.video?.frames, facts.audio[0]?.trackId], [50, PIDS.audio]);
    assert.deepEqual(messagesOf(facts), [
      'Program 2 of the transport stream is taken; program 1 is left out.',
    ]);
  });

  test('one without a map, or of which nothing is in the segment, is not spoken of', async () => {
    const tables = [
      ...packetizeSections(
        PIDS.pat,
        makePat([
          [7, 0x1017],
          [8, 0x1018],
          [1, PIDS.pmt],
        ]),
      ),
      ...packetizeSections(0x1018, makePmt(8, [{ type: 0x1b, pid: 0x300 }])),
      ...packetizeSections(PIDS.pmt, makePmt(1, [VIDEO, AUDIO])),
    ];
    assert.deepEqual(await inspect(withTables(packets, tables)), whole);
  });
});

describe('streams of a program:', () => {
  const beside = (type: number, list: readonly Buffer[], descriptors: readonly number[] = []) => [
    ...withMap(makePmt(1, [{ type, pid: 0x1f0, descriptors }, VIDEO, AUDIO])),
    ...list,
  ];

  test('what nobody can decode is left out by name, and without packets not spoken of', async () => {
    for (const [type, name] of [
      [MPEG2, 'MPEG-2 video'],
      [LATM, 'AAC in LATM'],
    ] as const) {
      assert.deepEqual(await inspect(beside(type, [])), whole);
      const facts = await inspect(beside(type, foreignPackets(0x1f0)));
      assert.deepEqual(messagesOf(facts), [`Stream 496 is left out: ${name}.`]);
      assert.deepEqual(facts.video, whole.video);
    }
  });

  test('data goes without a word', async () => {
    const metadata: readonly (readonly [number, readonly number[]])[] = [
      [0x15, []],
      [0x86, [0x05, 4, 0x43, 0x55, 0x45, 0x49]],
      [0x06, [0x05, 4, 0x4b, 0x4c, 0x56, 0x41]],
      [0x06, [0x56, 5, 0x65, 0x6e, 0x67, 0x09, 0]],
      [0x05, []],
    ];
    for (const [type, descriptors] of metadata) {
      const facts = await inspect(beside(type, foreignPackets(0x1f0), descriptors));
      assert.deepEqual(facts, whole);
    }
  });

  test('of two videos the first is taken', async () => {
    const copy = ofPid(packets, PIDS.video).map((packet) => withPid(packet, 0x1f0));
    const facts = await inspect([
      ...withMap(makePmt(1, [VIDEO, { type: 0x1b, pid: 0x1f0 }, AUDIO])),
      ...copy,
    ]);
    assert.deepEqual(facts.video, whole.video);
    assert.deepEqual(messagesOf(facts), ['Stream 496 is left out: a second video.']);
  });

  test('sixteen audio tracks are kept', async () => {
    const pids = Array.from({ length: 18 }, (_, index) => 0x200 + index);
    const facts = await inspect([
      ...withMap(makePmt(1, [VIDEO, ...pids.map((pid) => ({ type: 0x0f, pid }))])),
      ...pids.flatMap((pid) => ofPid(packets, PIDS.audio).map((packet) => withPid(packet, pid))),
    ]);
    assert.equal(facts.audio.length, 16);
    assert.deepEqual(
      messagesOf(facts).at(-1),
      'Stream 529 is left out: more than 16 audio tracks.',
    );
  });

  test('if nothing is left the refusal names what there is', async () => {
    const only = [
      ...withMap(
        makePmt(1, [
          { type: MPEG2, pid: 0x1f0 },
          { type: LATM, pid: 0x1f1 },
        ]),
      ),
      ...foreignPackets(0x1f0),
      ...foreignPackets(0x1f1),
    ];
    assert.equal(
      await refusal(only),
      'unsupported_media: Nothing in the transport stream can be decoded: MPEG-2 video, AAC in LATM.',
    );
  });

  test('a scrambled stream is refused if it is the picture, and left out beside one', async () => {
    const scramble = (pid: number) =>
      packets.map((packet) => {
        const copy = Buffer.from(packet);
        if (pidOf(packet) === pid) copy[3] = (copy[3] ?? 0) | 0x80;
        return copy;
      });
    assert.match(await refusal(scramble(PIDS.video)), /unsupported_media: .* is scrambled/);
    const facts = await inspect(scramble(PIDS.audio));
    assert.equal(facts.video?.frames, 50);
    assert.deepEqual(messagesOf(facts), ['Stream 257 is left out: it is scrambled.']);
  });
});
