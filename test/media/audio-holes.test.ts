import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DomainError } from '../../lib/domain/errors.ts';
import type { AudioFacts, SegmentFacts } from '../../lib/domain/segment.ts';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';
import { makeAudioRendition } from '../../lib/media/audio/audio-rendition.ts';
import { coverAudio } from '../../lib/media/audio/coverage.ts';
import { cutPreroll } from '../../lib/media/audio/preroll.ts';
import { renditionFormat } from '../../lib/media/audio/rendition-format.ts';
import { AAC_LC, aacConfig } from '../../lib/media/demux/audio-frames.ts';
import type { DemuxedAudio } from '../../lib/media/demux/demuxed-segment.ts';
import { parseCmaf, type RenditionSegment } from '../../lib/media/mux/cmaf.ts';
import { makeSegments } from '../support/media.ts';
import { makeTone, rms, type ToneOptions, toneShare } from '../support/tone.ts';
import { joinedPcm, type Pcm, sourcePcm } from './measure-seams.ts';
import { type JoinedPiece, placeSegments, workFolder } from './segment-run.ts';

type Source = Readonly<{
  facts: Pick<SegmentFacts, 'startTicks' | 'endTicks'>;
  timestampOffsetTicks: number;
  track: DemuxedAudio;
}>;

/** As an inspection finds them. */
function factsOf({
  packets,
  config: _config,
  changes: _changes,
  ...track
}: DemuxedAudio): AudioFacts {
  const startTicks = packets[0]?.startTicks ?? 0;
  const lastTicks = (track.samplesPerPacket * TICKS_PER_SECOND) / track.sampleRateHz;
  const endTicks = Math.round((packets.at(-1)?.startTicks ?? 0) + lastTicks);
  return { ...track, packets: packets.length, startTicks, endTicks };
}

async function renderPieces(
  sources: readonly Source[],
  options: Readonly<{ mayBeSilent?: boolean }> = {},
): Promise<RenditionSegment[]> {
  const [first = assert.fail()] = sources;
  const startTicks = first.facts.startTicks + first.timestampOffsetTicks;
  const anchor = { startTicks, ...renditionFormat(first.track) };
  const folder = await mkdtemp(join(workFolder, 'pieces-'));
  const placed = sources.map(({ track, ...segment }) => ({
    ...segment,
    track: factsOf(track),
    preroll: cutPreroll(track).map((packet) => Buffer.from(packet, 'base64')),
  }));
  return Promise.all(
    sources.map(({ track, timestampOffsetTicks }, index) =>
      makeAudioRendition({
        ...{ track, index, timestampOffsetTicks, anchor, folder },
        coverage: coverAudio(placed[index] ?? assert.fail(), placed[index - 1], anchor),
        previous: placed[index - 1],
        mayBeSilent: options.mayBeSilent ?? false,
        signal: new AbortController().signal,
      }),
    ),
  );
}

/** All decoded in one go. Each piece begins where the one before ends, and says what it covers. */
async function joinPieces(made: readonly RenditionSegment[]): Promise<Pcm & { rate: number }> {
  const [{ info } = assert.fail()] = made;
  const rate = info.kind === 'audio' ? info.sampleRateHz : assert.fail();
  const pieces = made.map(({ init, media, startTicks, durationTicks }): JoinedPiece => {
    const parsed = parseCmaf(Buffer.concat([init, media]));
    const ticks = [parsed.startTicks, parsed.endTicks].map((at) =>
      Math.round((at * TICKS_PER_SECOND) / rate),
    );
    assert.deepEqual([startTicks, (startTicks ?? 0) + (durationTicks ?? 0)], ticks);
    return { ...parsed, digest: '' };
  });
  pieces.forEach((piece, index) => {
    assert.equal(piece.startTicks, pieces[index - 1]?.endTicks ?? piece.startTicks);
  });
  const bytes = Buffer.concat(
    [made[0]?.init ?? [], ...made.map(({ media }) => media)].map(Buffer.from),
  );
  const pcm = await joinedPcm({ info, pieces, inits: new Set(), bytes });
  return { ...pcm, rate };
}

/** Samples between two times of the timeline. */
function part({ samples, startSample }: Pcm, rate: number, from: number, to: number): Float32Array {
  return samples.subarray(
    Math.round(from * rate) - startSample,
    Math.round(to * rate) - startSample,
  );
}

describe('sound that comes and goes inside segments:', () => {
  /** Seconds of each of three segments of 2 s in which there is sound. */
  const HEARD = [
    [[1, 2]],
    [
      [0, 0.5],
      [1.2, 2],
    ],
    [[0, 0.6]],
  ];

  for (const audio of ['aac', 'mp3'] as const) {
    test(`${audio} covers the timeline: itself at its time, silence elsewhere`, async () => {
      const clip = await makeSegments({ seconds: 6, video: 'none', audio });
      const placed = await placeSegments(clip);
      const sources = placed.map(({ facts, timestampOffsetTicks, media }, index): Source => {
        const [track = assert.fail()] = media.audio;
        const packets = track.packets.filter(({ startTicks }) => {
          const at = (startTicks - facts.startTicks) / TICKS_PER_SECOND;
          return HEARD[index]?.some(([from = 0, to = 0]) => at >= from && at < to);
        });
        return { facts, timestampOffsetTicks, track: { ...track, packets } };
      });
      const joined = await joinPieces(await renderPieces(sources));
      const source = await sourcePcm({ placed, results: [], renditions: {} });
      const starts = placed.map(
        ({ facts, timestampOffsetTicks }) =>
          (facts.startTicks + timestampOffsetTicks) / TICKS_PER_SECOND,
      );
      const end = (joined.startSample + joined.samples.length) / joined.rate;
      assert.ok(Math.abs(joined.startSample / joined.rate - (starts[0] ?? 0)) < 0.022);
      assert.ok(Math.abs(end - (starts[2] ?? 0) - 2) < 0.065, `${end}`);
      // What the encoder hears ahead, and what a decoder overlaps.
      const margin = 0.08;
      let heardUntil = (starts[0] ?? 0) - margin;
      const spans = HEARD.flatMap((parts, index) =>
        parts.map((span) => span.map((seconds) => seconds + (starts[index] ?? 0))),
      );
      for (const [from = 0, to = 0] of [...spans, [end + margin, end + margin]]) {
        if (from - heardUntil > 2 * margin) {
          const silent = part(joined, joined.rate, heardUntil + margin, from - margin);
          assert.ok(rms(silent) < 1e-4, `${heardUntil} to ${from}: ${rms(silent)}`);
        }
        if (to > from) {
          const heard = part(joined, joined.rate, from + margin, to - margin);
          const wanted = part(source, joined.rate, from + margin, to - margin);
          const error = heard.map((sample, index) => sample - (wanted[index] ?? 0));
          assert.ok(rms(error) < rms(wanted) * 0.1, `${from} to ${to}: ${rms(error)}`);
        }
        heardUntil = to;
      }
    });
  }
});

const tone = (options: Partial<ToneOptions>) =>
  makeTone({
    codec: 'aac',
    toneHz: 330,
    sampleRateHz: 48_000,
    channels: 2,
    seconds: 1,
    ...options,
  });

const FORMATS = {
  aac: { codec: 'aac', codecString: 'mp4a.40.2', samplesPerPacket: 1024 },
  ac3: { codec: 'ac3', codecString: 'ac-3', samplesPerPacket: 1536 },
  mp3: { codec: 'mp3', codecString: 'mp3', samplesPerPacket: 1152 },
} as const;

const configOf = (codec: string, sampleRateHz: number, channels: number) =>
  codec === 'aac' ? { config: aacConfig(AAC_LC, sampleRateHz, channels) } : {};

type Part = Readonly<{ toneHz: number; sampleRateHz: number; channels: number; seconds: number }>;

/** `gapSeconds`: between the parts. */
async function changing(codec: keyof typeof FORMATS, parts: readonly Part[], gapSeconds = 0) {
  const { samplesPerPacket, codecString } = FORMATS[codec];
  const packets: { startTicks: number; bytes: Uint8Array }[] = [];
  const changes: NonNullable<DemuxedAudio['changes']>[number][] = [];
  let at = 900_000;
  for (const { sampleRateHz, channels, ...part } of parts) {
    if (packets.length > 0) {
      at += gapSeconds * TICKS_PER_SECOND;
      const format = {
        codecString,
        sampleRateHz,
        channels,
        samplesPerPacket,
        ...configOf(codec, sampleRateHz, channels),
      };
      changes.push({ fromPacket: packets.length, ...format });
    }
    for (const bytes of await tone({ codec, sampleRateHz, channels, ...part })) {
      packets.push({ startTicks: Math.round(at), bytes });
      at += (samplesPerPacket * TICKS_PER_SECOND) / sampleRateHz;
    }
  }
  const { sampleRateHz, channels } = parts[0] ?? assert.fail();
  const track: DemuxedAudio = {
    ...{ trackId: 257, ...FORMATS[codec], sampleRateHz, channels, language: 'und' },
    ...configOf(codec, sampleRateHz, channels),
    ...{ packets, changes },
  };
  return {
    facts: { startTicks: 900_000, endTicks: Math.round(at) },
    timestampOffsetTicks: 0,
    track,
  };
}

const STEREO = { toneHz: 330, sampleRateHz: 48_000, channels: 2, seconds: 1 };
const MONO = { toneHz: 660, sampleRateHz: 44_100, channels: 1, seconds: 1 };

describe('a format that changes inside a segment:', () => {
  for (const codec of ['aac', 'mp3', 'ac3'] as const) {
    test(`${codec} keeps its pitch and its time, without a hole`, async () => {
      const source = await changing(codec, [STEREO, MONO]);
      const pieces = await renderPieces([source]);
      assert.deepEqual(pieces[0]?.info, {
        ...{ kind: 'audio', codecString: 'mp4a.40.2', channels: 2, sampleRateHz: 48_000 },
        language: 'und',
      });
      const joined = await joinPieces(pieces);
      const share = (toneHz: number, from: number, to: number) =>
        toneShare(part(joined, joined.rate, from, to), toneHz, joined.rate);
      assert.ok(share(330, 10.1, 10.9) > 0.98);
      assert.ok(share(660, 11.1, 11.9) > 0.98);
      for (let at = 10.1; at < 11.9; at += 0.02) {
        const level = rms(part(joined, joined.rate, at, at + 0.02));
        // Where a decoder begins, it fades in.
        assert.ok(level > (Math.abs(at - 11.03) < 0.06 ? 0.05 : 0.25), `${at}: ${level}`);
      }
    });
  }

  test('what is copied before and after it abuts, with the same init segment', async () => {
    const before = await changing('aac', [{ ...STEREO, seconds: 2 }]);
    const middle = await changing('aac', [STEREO, MONO, STEREO], 0.4);
    const inLine = [before, middle, before].reduce<Source[]>((all, source) => {
      const previous = all.at(-1);
      const endTicks = previous ? previous.facts.endTicks + previous.timestampOffsetTicks : 0;
      const timestampOffsetTicks = previous ? endTicks - source.facts.startTicks : 0;
      const { changes, ...plain } = source.track;
      const track = changes?.length ? source.track : plain;
      all.push({ ...source, track, timestampOffsetTicks });
      return all;
    }, []);
    const pieces = await renderPieces(inLine);
    assert.equal(new Set(pieces.map(({ init }) => Buffer.from(init).toString('hex'))).size, 1);
    const joined = await joinPieces(pieces);
    const at =
      ((inLine[1]?.facts.startTicks ?? 0) + (inLine[1]?.timestampOffsetTicks ?? 0)) /
      TICKS_PER_SECOND;
    const level = (from: number, to: number) => rms(part(joined, joined.rate, at + from, at + to));
    for (const [from, to] of [
      [0.1, 0.9],
      [1.6, 2.3],
      [3, 3.8],
    ] as const) {
      assert.ok(level(from, to) > 0.3, `${from} to ${to}: ${level(from, to)}`);
    }
    for (const [from, to] of [
      [1.1, 1.35],
      [2.55, 2.75],
    ] as const) {
      assert.ok(level(from, to) < 1e-3, `${from} to ${to}: ${level(from, to)}`);
    }
  });

  test('what the packets alone say is found, behind silence in front', async () => {
    const changed = await changing('ac3', [STEREO, { ...MONO, sampleRateHz: 48_000 }]);
    const { changes: _, ...track } = changed.track;
    const facts = { ...changed.facts, startTicks: 900_000 - 45_000 };
    const joined = await joinPieces(await renderPieces([{ ...changed, facts, track }]));
    const level = (from: number, to: number) => rms(part(joined, joined.rate, from, to));
    assert.ok(level(9.52, 9.9) < 1e-3, `${level(9.52, 9.9)}`);
    const share = (toneHz: number, from: number, to: number) =>
      toneShare(part(joined, joined.rate, from, to), toneHz, joined.rate);
    assert.ok(share(330, 10.1, 10.9) > 0.98 && share(660, 11.1, 11.9) > 0.98);
  });

  test('one that changes sixteen times is refused in true words, and silent beside a picture', async () => {
    const source = await changing('aac', [{ ...STEREO, seconds: 0.1 }]);
    const change = { ...FORMATS.aac, sampleRateHz: 44_100, channels: 1, fromPacket: 1 };
    const track = { ...source.track, changes: Array.from({ length: 16 }, () => change) };
    await assert.rejects(renderPieces([{ ...source, track }]), (error) => {
      assert.ok(error instanceof DomainError);
      assert.equal(error.code, 'undecodable');
      assert.match(error.message, /audio track 1 changes 16 times inside the segment/);
      return true;
    });
    const silent = await joinPieces(
      await renderPieces([{ ...source, track }], { mayBeSilent: true }),
    );
    assert.equal(rms(silent.samples), 0);
  });
});

describe('sound that cannot be decoded:', () => {
  const spoil = (track: DemuxedAudio, isSpoilt: (index: number) => boolean): DemuxedAudio => ({
    ...track,
    packets: track.packets.map(({ startTicks, bytes }, index) => ({
      startTicks,
      bytes: isSpoilt(index) ? new Uint8Array(bytes.length).fill(0xff) : bytes,
    })),
  });

  async function sixChannels(): Promise<Source> {
    const clip = await makeSegments({ seconds: 2, video: 'none', channels: 6 });
    const [{ facts, timestampOffsetTicks, media } = assert.fail()] = await placeSegments(clip);
    return { facts, timestampOffsetTicks, track: media.audio[0] ?? assert.fail() };
  }

  test('silence takes its place beside a picture; sound alone is refused', async () => {
    const whole = await sixChannels();
    const source = { ...whole, track: spoil(whole.track, () => true) };
    const joined = await joinPieces(await renderPieces([source], { mayBeSilent: true }));
    assert.ok(Math.abs(joined.samples.length / joined.rate - 2) < 0.07);
    assert.equal(rms(joined.samples), 0);
    await assert.rejects(renderPieces([source]), (error) => {
      assert.ok(error instanceof DomainError, String(error));
      assert.equal(error.code, 'undecodable');
      assert.match(error.message, /None of the \d+ aac packets of track 1 can be decoded/);
      return true;
    });
  });

  test('the packets that decode are heard at their time, however few they are', async () => {
    const whole = await sixChannels();
    const source = { ...whole, track: spoil(whole.track, (index) => index < 60 || index > 80) };
    const joined = await joinPieces(await renderPieces([source]));
    const start = (whole.facts.startTicks + whole.timestampOffsetTicks) / TICKS_PER_SECOND;
    const level = (from: number, to: number) =>
      rms(part(joined, joined.rate, start + from / 46.875, start + to / 46.875));
    assert.ok(level(64, 78) > 0.05, `${level(64, 78)}`);
    assert.ok(level(4, 56) < 1e-3, `${level(4, 56)}`);
    assert.ok(Math.abs(joined.samples.length / joined.rate - 2) < 0.07);
  });

  test('of two formats the one that decodes is heard at its time', async () => {
    const source = await changing('aac', [STEREO, MONO]);
    const from = source.track.changes?.[0]?.fromPacket ?? assert.fail();
    for (const [isSpoilt, toneHz, start] of [
      [(index: number) => index < from, 660, 11],
      [(index: number) => index >= from, 330, 10],
    ] as const) {
      const track = spoil(source.track, isSpoilt);
      const joined = await joinPieces(await renderPieces([{ ...source, track }]));
      const heard = part(joined, joined.rate, start + 0.1, start + 0.9);
      assert.ok(toneShare(heard, toneHz, joined.rate) > 0.98);
      const other = start === 10 ? 11 : 10;
      assert.ok(rms(part(joined, joined.rate, other + 0.1, other + 0.9)) < 1e-3);
    }
  });
});
