import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TimelineState } from '../../lib/domain/timeline.ts';
import { readMpd } from '../support/mpd-judge.ts';
import { audio, entry, mpdOf, video } from './mpd-of-entries.ts';

test('captions have a segment for each entry that is no gap, thumbnails a Representation for each way to divide', () => {
  const renditions = {
    '360p': video(360, 25),
    audio: audio('audio', 'de'),
    'audio-2': {
      ...audio('audio-2', 'de'),
      info: { ...audio('audio-2', 'de').info, describesVideo: true as const },
    } as TimelineState['renditions'][string],
  };
  const captions = {
    ...{ version: 3, listedVersion: 3, weight: 0 },
    tracks: {
      'captions-de': { language: 'de', since: 1 },
      'captions-en-sdh': { language: 'en', isSdh: true as const, since: 1 },
      'captions-fr-forced': { language: 'fr', isForced: true as const, since: 2 },
      'captions-cc1': { language: 'und', channel: 'CC1', since: 0 },
    },
  };
  const sprite = (columns: number) => ({
    thumbnails: {
      ...{ key: 'media/sprite.jpg', sizeBytes: 100, columns, widthPx: 240, heightPx: 135 },
      intervalTicks: 180_000 / columns,
    },
  });
  const thumbnails = {
    ...{ peakBps: 20_000.5, sizeBytes: 1, durationTicks: 90_000 },
    ...{ widthPx: 240, heightPx: 135 },
  };
  const names = Object.keys(renditions);
  const text = mpdOf(
    renditions,
    [
      entry(1, 0, names, sprite(1)),
      entry(1, 2, names, sprite(2)),
      entry(1, 4, []),
      entry(1, 6, names, sprite(2)),
      entry(1, 8, ['360p'], {}),
    ],
    {},
    undefined,
    { captions, thumbnails },
  );
  const { periods } = readMpd(text);
  assert.deepEqual(
    periods[0]?.sets.map(({ descriptors }) =>
      descriptors.map((one) => one.replace('urn:mpeg:dash:role:2011 ', '')),
    ),
    [
      ['urn:scte:dash:cc:cea-608:2015 CC1=und', 'main'],
      ['main'],
      ['urn:tva:metadata:cs:AudioPurposeCS:2007 1', 'alternate'],
      ['subtitle', 'main'],
      ['urn:tva:metadata:cs:AudioPurposeCS:2007 2', 'caption'],
      ['forced-subtitle'],
      ['subtitle'],
      [],
    ],
  );
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.includes('id="1001"'));
  const to = lines.findIndex((line) => line.includes('id="1002"'));
  assert.equal(
    lines.slice(from, to).join('\n'),
    `\
    <AdaptationSet id="1001" contentType="text" mimeType="application/mp4" lang="de" segmentAlignment="true" startWithSAP="1">
      <Label>Deutsch</Label>
      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="subtitle"/>
      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
      <SegmentTemplate timescale="90000" presentationTimeOffset="900000" media="/segment/show/$RepresentationID$/1-captions-de/$Time$.m4s" initialization="/captions/captions-de/init.mp4">
        <SegmentTimeline>
          <S t="900000" d="180000" r="1"/><S t="1440000" d="180000" r="1"/>
        </SegmentTimeline>
      </SegmentTemplate>
      <Representation id="captions-de" bandwidth="10000" codecs="wvtt"/>
    </AdaptationSet>`,
  );
  const images = lines.findIndex((line) => line.includes('id="1000"'));
  assert.equal(
    lines.slice(images).join('\n'),
    `\
    <AdaptationSet id="1000" contentType="image" mimeType="image/jpeg">
      <Representation id="thumbnails-2x1-240x135" bandwidth="20001" width="480" height="135">
        <EssentialProperty schemeIdUri="http://dashif.org/guidelines/thumbnail_tile" value="2x1"/>
        <SegmentTemplate timescale="90000" presentationTimeOffset="900000" media="/segment/show/$RepresentationID$/1/$Time$.jpg">
          <SegmentTimeline>
            <S t="1080000" d="180000"/><S t="1440000" d="180000"/>
          </SegmentTimeline>
        </SegmentTemplate>
      </Representation>
      <Representation id="thumbnails-1x1-240x135" bandwidth="20001" width="240" height="135">
        <EssentialProperty schemeIdUri="http://dashif.org/guidelines/thumbnail_tile" value="1x1"/>
        <SegmentTemplate timescale="90000" presentationTimeOffset="900000" media="/segment/show/$RepresentationID$/1/$Time$.jpg">
          <SegmentTimeline>
            <S t="900000" d="180000"/>
          </SegmentTimeline>
        </SegmentTemplate>
      </Representation>
    </AdaptationSet>
  </Period>
</MPD>
`,
  );
});
