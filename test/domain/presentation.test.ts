import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  chooseAudio,
  chooseVideo,
  fallbackOrder,
  pieceLister,
  presentationOf,
} from '../../lib/domain/presentation.ts';
import type { EntryRendition, Pieces, RenditionTotals } from '../../lib/domain/timeline.ts';

const TEN_SECONDS = 900_000;

const video = (heightPx: number, bps: number, codecString = 'avc1.64001f'): RenditionTotals => ({
  info: { kind: 'video', codecString, widthPx: (heightPx * 16) / 9, heightPx, framesPerSecond: 30 },
  initKey: `init-${heightPx}`,
  peakBps: bps + 50_000,
  sizeBytes: (bps * 10) / 8,
  durationTicks: TEN_SECONDS,
});

const audio = (
  language: string,
  bps: number,
  codecString = 'mp4a.40.2',
  channels = 2,
): RenditionTotals => ({
  info: { kind: 'audio', codecString, channels, sampleRateHz: 48_000, language },
  initKey: `init-${language}`,
  peakBps: bps + 2_000,
  sizeBytes: (bps * 10) / 8,
  durationTicks: TEN_SECONDS,
});

const LADDER = {
  '360p': video(360, 700_000, 'avc1.64001e'),
  '1080p': video(1080, 4_500_000, 'avc1.640028'),
  '480p': video(480, 1_200_000, 'avc1.64001e'),
  '720p': video(720, 2_500_000),
};

const offered = (renditions: Readonly<Record<string, RenditionTotals>>) =>
  presentationOf({ renditions });

describe('presentation', () => {
  test('offers a variant for each video rendition, tallest first, with the rates it plays at', () => {
    const { '720p': tall, '360p': small } = LADDER;
    assert.deepEqual(offered({ '360p': small, '720p': tall }), {
      video: [
        {
          name: '720p',
          codecString: 'avc1.64001f',
          widthPx: 1280,
          heightPx: 720,
          framesPerSecond: 30,
          peakBps: 2_550_000,
          averageBps: 2_500_000,
        },
        {
          name: '360p',
          codecString: 'avc1.64001e',
          widthPx: 640,
          heightPx: 360,
          framesPerSecond: 30,
          peakBps: 750_000,
          averageBps: 700_000,
        },
      ],
      audio: [],
      audioGroups: [],
      captions: [],
      closedCaptions: [],
      variants: [
        {
          rendition: '720p',
          codecs: ['avc1.64001f'],
          peakBps: 2_550_000,
          averageBps: 2_500_000,
          resolution: { widthPx: 1280, heightPx: 720 },
          framesPerSecond: 30,
          audioGroupId: undefined,
        },
        {
          rendition: '360p',
          codecs: ['avc1.64001e'],
          peakBps: 750_000,
          averageBps: 700_000,
          resolution: { widthPx: 640, heightPx: 360 },
          framesPerSecond: 30,
          audioGroupId: undefined,
        },
      ],
      keyframes: [],
    });
  });

  test('a variant has the codec of its audio, and rates that include the dearest audio of its group', () => {
    const { variants, audioGroups } = offered({
      '720p': LADDER['720p'],
      audio: audio('en', 96_000),
      'audio-2': audio('de', 128_000),
    });
    assert.deepEqual(variants.slice(0, 1), [
      {
        rendition: '720p',
        codecs: ['avc1.64001f', 'mp4a.40.2'],
        peakBps: 2_550_000 + 143_000,
        averageBps: 2_500_000 + 128_000,
        resolution: { widthPx: 1280, heightPx: 720 },
        framesPerSecond: 30,
        audioGroupId: 'audio',
      },
    ]);
    assert.deepEqual(
      audioGroups.map(({ id, renditions }) => [id, renditions.map(({ name }) => name)]),
      [['audio', ['audio', 'audio-2']]],
    );
  });

  test('a variant has each codec of its audio group once', () => {
    const { variants } = offered({
      '720p': LADDER['720p'],
      audio: audio('en', 128_000),
      'audio-2': audio('de', 128_000),
      'audio-3': audio('fr', 256_000, 'ec-3', 6),
    });
    assert.deepEqual(variants[0]?.codecs, ['avc1.64001f', 'mp4a.40.2', 'ec-3']);
    const changing = offered({ audio: audio('en', 128_000, 'mp4a.40.2,mp4a.40.5') });
    assert.deepEqual(changing.variants[0]?.codecs, ['mp4a.40.2', 'mp4a.40.5']);
  });

  test('the first audio rendition is the default; labels are the languages’ own names and differ, and an unknown language is not named', () => {
    const labels = (renditions: Readonly<Record<string, RenditionTotals>>) =>
      offered({ ...renditions, '720p': LADDER['720p'] }).audio.map(
        ({ name, language, label, isDefault }) => [name, language, label, isDefault],
      );
    assert.deepEqual(
      labels({
        audio: audio('en', 128_000),
        'audio-2': audio('pt-BR', 128_000),
        'audio-3': audio('und', 128_000),
        'audio-4': audio('en', 64_000),
      }),
      [
        ['audio', 'en', 'English', true],
        ['audio-2', 'pt-BR', 'Português (Brasil)', false],
        ['audio-3', undefined, 'audio-3', false],
        ['audio-4', 'en', 'English 2', false],
      ],
    );
    assert.deepEqual(labels({ audio: audio('und', 128_000) }), [
      ['audio', undefined, 'audio', true],
    ]);
  });

  test('the language that is asked for is the default, and stands first; one that the stream lacks changes nothing', () => {
    const three = {
      '720p': LADDER['720p'],
      audio: audio('en', 128_000),
      'audio-2': audio('fr-CA', 128_000),
      'audio-fr': audio('fr', 128_000),
    };
    const order = (language?: string) =>
      presentationOf({ renditions: three }, language).audio.map(({ name, isDefault }) =>
        isDefault ? `${name} by default` : name,
      );
    assert.deepEqual(order('fr'), ['audio-fr by default', 'audio', 'audio-2']);
    assert.deepEqual(order('fr-CA'), ['audio-2 by default', 'audio', 'audio-fr']);
    assert.deepEqual(order('ja'), ['audio by default', 'audio-2', 'audio-fr']);
  });

  test('an audio description is named as one, and stands in for its language only where there is no other', () => {
    const described = (language: string): RenditionTotals => {
      const { info, ...totals } = audio(language, 128_000);
      return { ...totals, info: { ...info, describesVideo: true } as RenditionTotals['info'] };
    };
    const all = offered({
      audio: described('en'),
      'audio-2': audio('en-GB', 128_000),
      'audio-3': described('de'),
    });
    assert.deepEqual(
      all.audio.map(({ label, describesVideo }) => [label, describesVideo]),
      [
        ['English (audio description)', true],
        ['British English', undefined],
        ['Deutsch (audio description)', true],
      ],
    );
    assert.equal(chooseAudio(all, 'en')?.name, 'audio-2');
    assert.equal(chooseAudio(all, 'de')?.name, 'audio-3');
  });

  test('beside video the audio is no variant, as VLC would play one without the other', () => {
    const { variants } = offered({ '720p': LADDER['720p'], audio: audio('en', 128_000) });
    assert.deepEqual(
      variants.map(({ rendition }) => rendition),
      ['720p'],
    );
  });

  test('without video the languages are one variant with a group, which lists the default itself', () => {
    const { variants, audioGroups } = offered({
      audio: audio('en', 64_000),
      'audio-2': audio('de', 128_000),
    });
    assert.deepEqual(variants, [
      {
        rendition: 'audio',
        codecs: ['mp4a.40.2'],
        peakBps: 72_600 + 143_000,
        averageBps: 64_000 + 128_000,
        resolution: undefined,
        framesPerSecond: undefined,
        audioGroupId: 'audio',
      },
    ]);
    assert.deepEqual(
      audioGroups.map(({ renditions, isInVariant }) => [isInVariant, renditions.length]),
      [[true, 2]],
    );
  });

  test('without video one audio rendition is a variant in no group', () => {
    const { variants, audioGroups } = offered({ audio: audio('en', 128_000) });
    assert.deepEqual(
      variants.map(({ rendition, audioGroupId }) => [rendition, audioGroupId]),
      [['audio', undefined]],
    );
    assert.deepEqual(audioGroups, []);
  });
});

describe('fallback renditions', () => {
  for (const [name, order] of [
    ['1080p', ['720p', '480p', '360p']],
    ['720p', ['480p', '360p', '1080p']],
    ['480p', ['360p', '720p', '1080p']],
    ['360p', ['480p', '720p', '1080p']],
    ['audio', []],
  ] as const) {
    test(`of ${name} are the nearest first, smaller before taller: ${order.join(', ') || 'none'}`, () => {
      const presentation = offered({
        ...LADDER,
        audio: audio('en', 1000),
        'audio-2': audio('de', 1000),
        'audio-3': audio('fr', 1000),
      });
      assert.deepEqual(fallbackOrder(presentation, name), order);
    });
  }
});

const piece = (name: string, initKey = `init-of-${name}`): EntryRendition => ({
  key: `segment-of-${name}`,
  initKey,
  sizeBytes: 1,
});

describe('a rendition lists at an entry', () => {
  const state = { renditions: { ...LADDER, audio: audio('en', 1000) } };
  const entry = (renditions: Pieces, sequence?: number) => {
    return { startTicks: 180_000, durationTicks: 180_000, renditions, sequence };
  };
  const lister = (name: string, of: Parameters<typeof pieceLister>[0] = state) =>
    pieceLister(of, name, (rendition, sequence) => `silence-of-${rendition}-${sequence}`);
  const pieces = { '1080p': piece('1080p'), '360p': piece('360p'), audio: piece('audio') };

  test('its own piece, with the init segment of that piece', () => {
    assert.deepEqual(lister('1080p')(entry(pieces)), {
      rendition: '1080p',
      piece: pieces['1080p'],
      initKey: 'init-of-1080p',
    });
  });

  test('else the piece of its nearest fallback, with that one’s init segment', () => {
    for (const [name, fallback] of [
      ['720p', '360p'],
      ['480p', '360p'],
    ] as const) {
      assert.deepEqual(lister(name)(entry(pieces)), {
        rendition: fallback,
        piece: pieces[fallback],
        initKey: `init-of-${fallback}`,
      });
    }
  });

  test('else a gap: video does not stand in for audio, nor audio for video', () => {
    const gap = (name: string) => ({ rendition: name, piece: undefined });
    const [noAudio, noVideo] = [{ '1080p': piece('1080p') }, { audio: piece('audio') }];
    assert.deepEqual(lister('audio')(entry(noAudio)), {
      ...gap('audio'),
      initKey: 'init-en',
    });
    assert.deepEqual(lister('720p')(entry(noVideo)), {
      ...gap('720p'),
      initKey: 'init-720',
    });
  });

  test('a gap with the init segment listed before it, whatever the rendition has become since', () => {
    const list = lister('720p');
    const before = list(entry({ '720p': piece('720p', 'init-of-an-earlier-run') }));
    assert.equal(list(entry({}), before).initKey, 'init-of-an-earlier-run');
  });

  test('silence for audio that began after the entry, and none where the whole entry is a gap', () => {
    const silence = { from: 3, to: 5, initKey: 'init-of-silence', anchorTicks: 0 };
    const late = { renditions: { ...LADDER, audio: { ...audio('en', 1000), silence } } };
    const list = lister('audio', late);
    const renditions = { '1080p': piece('1080p') };
    assert.deepEqual(list(entry(renditions, 3)), {
      rendition: 'audio',
      // 94 frames from the 94th on, at 48 kHz.
      piece: {
        ...{ key: 'silence-of-audio-3', initKey: 'init-of-silence', sizeBytes: 0 },
        ...{ startTicks: 180_480, durationTicks: 180_480 },
      },
      initKey: 'init-of-silence',
    });
    for (const sequence of [2, 5]) assert.equal(list(entry(renditions, sequence)).piece, undefined);
    assert.equal(list(entry({}, 4)).piece, undefined);
  });
});

describe('the choice of a rendition', () => {
  const all = offered({
    ...LADDER,
    audio: audio('en', 1000),
    'audio-2': audio('pt-PT', 1000),
    'audio-3': audio('pt-BR', 1000),
    'audio-4': audio('und', 1000),
  });

  for (const [asked, name] of [
    [undefined, '1080p'],
    ['480p', '480p'],
  ] as const) {
    test(`of video ${asked ?? 'left out'} is ${name}`, () => {
      assert.equal(chooseVideo(all, asked)?.name, name);
    });
  }

  for (const [asked, name] of [
    [undefined, 'audio'],
    ['en', 'audio'],
    ['EN-gb', 'audio'],
    ['pt-BR', 'audio-3'],
    ['pt-br', 'audio-3'],
    ['pt', 'audio-2'],
    ['pt-AO', 'audio-2'],
    ['por', 'audio-2'],
    ['pt-BR-x-own', 'audio-3'],
    ['und', 'audio-4'],
  ] as const) {
    test(`of audio for lang ${asked ?? 'left out'} is ${name}`, () => {
      assert.equal(chooseAudio(all, asked)?.name, name);
    });
  }

  test('of a size that no rung has is the nearest one below', () => {
    assert.equal(chooseVideo(all, '900p')?.name, '720p');
    assert.equal(chooseVideo(all, '240p')?.name, '360p');
  });

  test('of what the stream does not have is refused with what it has', () => {
    assert.throws(() => chooseVideo(all, 'best'), {
      code: 'rendition_not_found',
      hint: 'Ask for 1080p, 720p, 480p, 360p or source.',
    });
    assert.throws(() => chooseAudio(all, 'fr'), {
      code: 'rendition_not_found',
      hint: 'It has en, pt-PT, pt-BR, und.',
    });
    assert.throws(() => chooseAudio(offered(LADDER), 'fr'), { hint: 'It has no audio.' });
  });

  test('left out, for a stream that has none of the kind, is nothing', () => {
    assert.equal(chooseAudio(offered(LADDER)), undefined);
    assert.equal(chooseVideo(offered({ audio: audio('en', 1000) })), undefined);
  });
});
