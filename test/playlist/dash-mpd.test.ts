import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { XmlDocument } from 'libxml2-wasm';
import { formatFrameRate } from '../../lib/playlist/dash-adaptation-sets.ts';
import { textElement } from '../../lib/playlist/dash-xml.ts';
import { readMpd } from '../support/mpd-judge.ts';
import { audio, entry, mpdOf, START_MS, video } from './mpd-of-entries.ts';

const LIVE = {
  publishTimeMs: START_MS + 68_500,
  lagMs: 2500,
  windowMs: 120_000,
  location: 'show.mpd?broadcast=1',
  clockUri: '/time',
};

describe('MPD', () => {
  test('a live one has a period for each discontinuity, a hole for a gap, and events for markers', () => {
    const names = ['720p', '360p', 'audio'];
    const renditions = {
      '720p': video(720, 30_000 / 1001),
      '360p': video(360, 25),
      audio: audio('audio', 'und'),
    };
    const entries = [
      entry(1, 0, names),
      entry(1, 2, names),
      entry(1, 4, []),
      entry(1, 6, names),
      entry(2, 0, ['360p', 'audio']),
    ];
    const marker = (id: string, atSeconds: number, more = {}) => ({
      ...{ sequence: 0, rangeId: id },
      marker: { id, class: 'goal', startMs: START_MS + atSeconds * 1000, ...more },
    });
    const markers = [
      marker('a', 3, { endMs: START_MS + 5000 }),
      marker('<b>', 61, { class: 'a "person"' }),
      marker('old', -9, { endMs: START_MS - 1 }),
    ];
    const text = mpdOf(renditions, entries, { live: LIVE, markers });
    readMpd(text);
    assert.equal(
      text,
      `<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="dynamic" availabilityStartTime="2026-01-01T00:00:00.000Z" publishTime="2026-01-01T00:01:08.500Z" minimumUpdatePeriod="PT1S" timeShiftBufferDepth="PT176S" suggestedPresentationDelay="PT10S" maxSegmentDuration="PT3S" minBufferTime="PT2S">
  <Location>show.mpd?broadcast=1</Location>
  <Period id="0" start="PT0S">
    <EventStream schemeIdUri="urn:rivulet:marker" value="goal" timescale="90000" presentationTimeOffset="900000">
      <Event presentationTime="1170000" duration="180000" id="3826002220">{"id":"a"}</Event>
    </EventStream>
    <AdaptationSet id="0" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1" maxWidth="1440" maxHeight="720" maxFrameRate="30000/1001" sar="1:1">
      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
      <SegmentTemplate timescale="90000" presentationTimeOffset="900000" media="/segment/show/$RepresentationID$/1/$Time$.m4s">
        <SegmentTimeline>
          <S t="900000" d="180000" r="1"/><S t="1440000" d="180000"/>
        </SegmentTimeline>
      </SegmentTemplate>
      <Representation id="720p" bandwidth="72000" codecs="avc1.64001f" width="1440" height="720" frameRate="30000/1001">
        <SegmentTemplate timescale="90000" presentationTimeOffset="900000" media="/segment/show/$RepresentationID$/1/$Time$.m4s" initialization="/media/720p/init.mp4"/>
      </Representation>
      <Representation id="360p" bandwidth="36000" codecs="avc1.64001f" width="720" height="360" frameRate="25">
        <SegmentTemplate timescale="90000" presentationTimeOffset="900000" media="/segment/show/$RepresentationID$/1/$Time$.m4s" initialization="/media/360p/init.mp4"/>
      </Representation>
    </AdaptationSet>
    <AdaptationSet id="1" contentType="audio" mimeType="audio/mp4" lang="und" segmentAlignment="true" startWithSAP="1">
      <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
      <Label>audio</Label>
      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
      <SegmentTemplate timescale="90000" presentationTimeOffset="900000" media="/segment/show/$RepresentationID$/1/$Time$.m4s">
        <SegmentTimeline>
          <S t="898080" d="180000" r="1"/><S t="1438080" d="180000"/>
        </SegmentTimeline>
      </SegmentTemplate>
      <Representation id="audio" bandwidth="64001" codecs="mp4a.40.2" audioSamplingRate="48000">
        <SegmentTemplate timescale="90000" presentationTimeOffset="900000" media="/segment/show/$RepresentationID$/1/$Time$.m4s" initialization="/media/audio/init.mp4"/>
      </Representation>
    </AdaptationSet>
  </Period>
  <Period id="1" start="PT60S">
    <EventStream schemeIdUri="urn:rivulet:marker" value="a &quot;person&quot;" timescale="90000" presentationTimeOffset="900000">
      <Event presentationTime="990000" id="2392495743">{"id":"&lt;b&gt;"}</Event>
    </EventStream>
    <AdaptationSet id="0" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1" maxWidth="720" maxHeight="360" maxFrameRate="25" sar="1:1">
      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
      <SegmentTemplate timescale="90000" presentationTimeOffset="900000" media="/segment/show/$RepresentationID$/2/$Time$.m4s">
        <SegmentTimeline>
          <S t="900000" d="180000"/>
        </SegmentTimeline>
      </SegmentTemplate>
      <Representation id="360p" bandwidth="36000" codecs="avc1.64001f" width="720" height="360" frameRate="25">
        <SegmentTemplate timescale="90000" presentationTimeOffset="900000" media="/segment/show/$RepresentationID$/2/$Time$.m4s" initialization="/media/360p/init.mp4"/>
      </Representation>
    </AdaptationSet>
    <AdaptationSet id="1" contentType="audio" mimeType="audio/mp4" lang="und" segmentAlignment="true" startWithSAP="1">
      <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
      <Label>audio</Label>
      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
      <SegmentTemplate timescale="90000" presentationTimeOffset="900000" media="/segment/show/$RepresentationID$/2/$Time$.m4s">
        <SegmentTimeline>
          <S t="898080" d="180000"/>
        </SegmentTimeline>
      </SegmentTemplate>
      <Representation id="audio" bandwidth="64001" codecs="mp4a.40.2" audioSamplingRate="48000">
        <SegmentTemplate timescale="90000" presentationTimeOffset="900000" media="/segment/show/$RepresentationID$/2/$Time$.m4s" initialization="/media/audio/init.mp4"/>
      </Representation>
    </AdaptationSet>
  </Period>
  <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="/time"/>
</MPD>
`,
    );
  });

  test('a recording has no pauses, and an AdaptationSet for each language', () => {
    const renditions = {
      '360p': video(360, 25),
      audio: audio('audio', 'en'),
      'audio-fr': audio('audio-fr', 'fr-CA', 6),
      'audio-3': audio('audio-3', 'en'),
    };
    const names = Object.keys(renditions);
    const entries = [entry(1, 0, names), entry(2, 0, names), entry(2, 2, names)];
    const text = mpdOf(renditions, entries, { startMs: undefined });
    readMpd(text);
    const lines = text.split('\n').filter((line) => !/SegmentT|<S |<\/|<Repr/.test(line));
    const set = 'segmentAlignment="true" startWithSAP="1"';
    const channels =
      '<AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011"';
    const role = '<Role schemeIdUri="urn:mpeg:dash:role:2011"';
    const period = `\
    <AdaptationSet id="0" contentType="video" mimeType="video/mp4" ${set} maxWidth="720" maxHeight="360" maxFrameRate="25" sar="1:1">
      ${role} value="main"/>
    <AdaptationSet id="1" contentType="audio" mimeType="audio/mp4" lang="en" ${set}>
      ${channels} value="2"/>
      ${role} value="main"/>
    <AdaptationSet id="2" contentType="audio" mimeType="audio/mp4" lang="fr-CA" ${set}>
      ${channels} value="6"/>
      ${role} value="dub"/>
    <AdaptationSet id="3" contentType="audio" mimeType="audio/mp4" lang="en" ${set}>
      ${channels} value="2"/>
      ${role} value="alternate"/>`;
    assert.equal(
      lines.join('\n'),
      `<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static" mediaPresentationDuration="PT6S" maxSegmentDuration="PT3S" minBufferTime="PT2S">
  <Period id="0" start="PT0S" duration="PT2S">
${period}
  <Period id="1" start="PT2S" duration="PT4S">
${period}
`,
    );
    const labels = Array.from(text.matchAll(/<Label>(.*)<\/Label>/g), ([, label]) => label);
    assert.deepEqual(labels.slice(0, 3), ['English', 'Français canadien', 'English 2']);
  });

  test('the start of a period stays when its first entries are listed no more', () => {
    const renditions = { '360p': video(360, 25) };
    const entries = [0, 2, 4, 6].map((second) => entry(1, second, ['360p']));
    const whole = readMpd(mpdOf(renditions, entries, { live: LIVE })).periods[0];
    const live = { ...LIVE, windowMs: 6000 };
    const slid = readMpd(mpdOf(renditions, entries.slice(2), { live }, entries[0]));
    const { sets: _, ...period } = slid.periods[0] ?? assert.fail();
    const { sets: __, ...before } = whole ?? assert.fail();
    assert.deepEqual(period, before);
    const segments = slid.periods[0]?.sets[0]?.representations[0]?.segments ?? [];
    assert.deepEqual(
      segments.map(({ startTicks }) => startTicks),
      [1_260_000, 1_440_000],
    );
  });

  test('a rung that is lost within a period has a hole of its own, and another init segment begins a period', () => {
    const renditions = { '720p': video(720, 25), '360p': video(360, 25) };
    const text = mpdOf(
      renditions,
      [
        entry(1, 0, ['720p', '360p']),
        entry(1, 2, ['360p']),
        entry(1, 4, ['720p', '360p']),
        entry(1, 6, ['720p', '360p'], { initKey: 'media/other/init.mp4' }),
      ],
      { startMs: undefined },
    );
    const timelines = Array.from(
      text.matchAll(/<Representation id="(\w+)"|(<S .*>)/g),
      ([one]) => one,
    );
    assert.deepEqual(timelines, [
      '<Representation id="720p"',
      '<S t="900000" d="180000"/><S t="1260000" d="180000"/>',
      '<Representation id="360p"',
      '<S t="900000" d="180000" r="2"/>',
      '<S t="1440000" d="180000"/>',
      ...['<Representation id="720p"', '<Representation id="360p"'],
    ]);
    assert.equal(readMpd(text).periods.length, 2);
  });

  test('a clock that was set within a period does not move the markers', () => {
    const renditions = { '360p': video(360, 25) };
    const late = { programDateTimeMs: START_MS + 602_000 };
    const marker = {
      id: 'a',
      class: 'goal',
      startMs: START_MS + 603_000,
      endMs: START_MS + 603_000,
    };
    const markers = [{ sequence: 0, rangeId: 'a', marker }];
    const entries = [entry(1, 0, ['360p']), entry(1, 2, ['360p'], late)];
    const { periods } = readMpd(mpdOf(renditions, entries, { markers }));
    assert.deepEqual(periods[0]?.events, [
      { value: 'goal', startSeconds: 3, message: '{"id":"a"}' },
    ]);
  });

  test('whatever people write is text of XML, and nothing else', () => {
    const unit = fc.oneof(
      fc.constantFrom('<', '&', '>', '"', "'", '\r', '\n', '\t', '\0', ']]>', '\uFFFE', '\uD800'),
      fc.integer({ min: 1, max: 0x10ffff }).map((point) => String.fromCodePoint(point)),
    );
    fc.assert(
      fc.property(fc.string({ unit }), (words) => {
        const document = XmlDocument.fromString(textElement('a', { b: words }, words));
        const lost = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
        const kept = words.toWellFormed().replace(lost, '\uFFFD');
        assert.equal(document.root.content, kept);
        assert.equal(document.root.attr('b')?.value, kept);
        document.dispose();
      }),
    );
  });

  test('frame rates are whole, of the NTSC kind, or in thousandths', () => {
    const rates = [25, 30_000 / 1001, 29.97, 24_000 / 1001, 59.94, 12.5, 7.777_777];
    assert.deepEqual(rates.map(formatFrameRate), [
      ...['25', '30000/1001', '30000/1001', '24000/1001', '60000/1001'],
      ...['12500/1000', '7778/1000'],
    ]);
  });
});
