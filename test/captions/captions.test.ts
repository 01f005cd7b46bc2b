import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { pushFile } from '../../lib/pipeline/ingest/push.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { parseMultivariantWithHls } from '../playlist/parse-with-hls.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';
import { captionedStream, FILE, STYLE } from './caption-set-up.ts';

const HEAD = 'WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:1\n\n';

describe('captions', () => {
  test('are listed with every entry, and a cue that crosses a boundary is in both segments with its whole times', async (t) => {
    const { send, upload, playlist, segments, segment } = await captionedStream(t);
    assert.deepEqual(await send(FILE), {
      ...{ status: 201, stored: true, videoId: 'show', track: 'captions-de', cues: 2 },
    });
    await upload(0);
    await upload(1);
    assert.equal(
      await playlist(),
      `#EXTM3U
#EXT-X-VERSION:8
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:4
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXTINF:4,
/viewstream/captions/show/captions-de/u1-0-1-1.vtt
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z
#EXTINF:4,
/viewstream/captions/show/captions-de/u1-1-1-1.vtt
`,
    );
    const second = 'c1-1\n00:00:13.000 --> 00:00:16.000\nWas geht hier vor?\n\n';
    // A file with styles keeps them in each segment that shows something of it.
    assert.deepEqual(await segments(), [
      `${HEAD}${STYLE}c1-0\n00:00:11.000 --> 00:00:12.500 line:0\nGuten Tag\n\n${second}`,
      `${HEAD}${STYLE}${second}`,
    ]);
    const { headers } = await segment('/captions-de/u1-1-1-1.vtt');
    assert.equal(headers?.['cache-control'], 'public, max-age=31536000, immutable');
    assert.equal(headers?.['content-type'], 'text/vtt; charset=utf-8');
  });

  test('that come late live are in the next segment, and in their place in the recording', async (t) => {
    const { engine, stream, send, upload, segments, playlist } = await captionedStream(t);
    await send({ id: 'a', from: 1, to: 2, text: 'first' });
    await upload(0);
    await upload(1);
    const before = await playlist();
    await send([
      { id: 'b', from: 5, to: 6, text: 'late' },
      { id: 'c', from: 9, to: 10, text: 'ahead' },
    ]);
    assert.equal(await playlist(), before);
    await upload(2);
    await upload(3);
    const cue = (key: string, at: number, text: string) =>
      `${key}\n00:00:${at}.000 --> 00:00:${at + 1}.000\n${text}\n\n`;
    const first = HEAD + cue('c1-0', 11, 'first');
    assert.deepEqual(await segments(), [
      first,
      HEAD,
      HEAD + cue('c2-0', 15, 'late') + cue('c3-0', 19, 'ahead'),
      HEAD,
    ]);
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
    assert.deepEqual(await segments('captions-de', 'vod'), [
      first,
      HEAD + cue('c2-0', 15, 'late'),
      HEAD + cue('c3-0', 19, 'ahead'),
      HEAD,
    ]);
  });

  test('can be sent again, corrected and removed; what was listed stays as it was', async (t) => {
    const { engine, stream, send, upload, segments, segment } = await captionedStream(t);
    const cue = { id: 'a', from: 1, to: 2, text: 'wrong' };
    assert.equal((await send(cue)).status, 201);
    assert.equal((await send(cue)).status, 200);
    await upload(0);
    const listed = await segments();
    assert.equal((await send({ ...cue, text: 'right' })).status, 201);
    assert.deepEqual(await segments(), listed);
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
    const recorded = await segments('captions-de', 'vod');
    assert.deepEqual(recorded, [`${HEAD}c2-0\n00:00:11.000 --> 00:00:12.000\nright\n\n`]);
    assert.equal((await send({ id: 'a', text: null })).status, 201);
    assert.equal((await send({ id: 'a', text: null })).status, 200);
    assert.deepEqual(await segments('captions-de', 'vod'), [HEAD]);
    // Caches have the old one, and an address says the same for ever.
    assert.deepEqual((await segment('/captions-de/u1-0-2-2.vtt')).text, recorded[0]);
    assert.equal((await send(FILE)).status, 201);
    assert.equal((await send(FILE.replace('Guten', 'Schönen'))).status, 201);
    const [replaced = ''] = await segments('captions-de', 'vod');
    assert.deepEqual(replaced.match(/^(?:Guten|Schönen).*$/gm), ['Schönen Tag']);
  });

  test('are timed by the start of the stream, by the wall clock, or by the clock of the encoder', async (t) => {
    const { send, upload, segments } = await captionedStream(t);
    await upload(0);
    const pieces = (mpegTicks: number, text: string) =>
      `WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:01.000,MPEGTS:${mpegTicks}\n\n00:02.000 --> 00:03.000\n${text}\n`;
    const srt = (text: string) => `1\n00:00:01,000 --> 00:00:02,000\n${text}\n`;
    // Source segments begin at 0 s, and 10 s are added for the timeline.
    assert.equal((await send(pieces(360_000, 'piece'), { segment: '7' })).status, 201);
    await send(srt('file'), { file: 'b', at: '2026-01-01T00:00:05.000Z' });
    await send({ from: '2026-01-01T00:00:07Z', to: '2026-01-01T00:00:07.5Z', text: 'instant' });
    await send({ from: 7.25, to: 7.75, text: 'seconds', settings: 'line:0\n\nline:1 align:start' });
    await upload(1);
    const [, shown = ''] = await segments();
    assert.deepEqual(shown.match(/^\d\d:.*\n.*$/gm), [
      '00:00:15.000 --> 00:00:16.000\npiece',
      '00:00:16.000 --> 00:00:17.000\nfile',
      '00:00:17.000 --> 00:00:17.500\ninstant',
      '00:00:17.250 --> 00:00:17.750 line:0 line:1 align:start\nseconds',
    ]);
  });

  test('that an encoder pushes under names count from its first segment', async (t) => {
    const { engine, stream, upload, segments, file } = await captionedStream(t);
    const push = (name: string, text: string, language?: string) => {
      const bytes = Buffer.from(`WEBVTT\n\n${text}\n`);
      const given = { name, bytes, session: 'session-2', ...(language && { language }) };
      return pushFile(engine.deps, { value: stream, version: 1 }, given);
    };
    await upload(0);
    await upload(300, 2);
    engine.clock.nowMs += 10_000;
    await publish(engine, stream);
    assert.equal(await push('live0.vtt', '00:01.000 --> 00:02.000\nHallo', 'de'), undefined);
    assert.equal(await push('live0.vtt', '00:01.000 --> 00:03.000\nGuten Tag', 'de'), undefined);
    assert.deepEqual(await push('live0.vtt', '00:01.000 --> 00:03.000\nHi'), {
      ignored: true,
      notices: [
        {
          code: 'track_ignored',
          message:
            '"live0.vtt" holds captions, whose language is not known, so they are not used. Push them with ?lang=, as in live0.vtt?lang=de.',
        },
      ],
    });
    await file('de.vtt');
    const shown = (await segments('captions-de', 'vod')).map((text) =>
      text.match(/^\d+:.*\n.*$/gm),
    );
    assert.deepEqual(shown, [null, ['00:20:11.000 --> 00:20:13.000\nGuten Tag']]);
  });

  test('of an encoder whose clock has started over after 26 hours are in their place', async (t) => {
    const { engine, stream, send, upload, segments } = await captionedStream(t);
    // 25,408 ticks behind the wrap of 33 bits.
    await upload(23_861);
    engine.clock.nowMs += 10_000;
    await publish(engine, stream);
    const map = 'X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:25408';
    await send(`WEBVTT\n${map}\n\n00:05.000 --> 00:06.000\nover\n`);
    await upload(23_862);
    const [, shown = ''] = await segments();
    assert.equal(shown, `${HEAD}c1-0\n00:00:15.282 --> 00:00:16.282\nover\n\n`);
  });

  test('of each language and role are a track, announced by its own name', async (t) => {
    const defaultCaptions = { '*': 'off', FR: 'fr', CH: 'de-CH' };
    const { send, upload, viewer } = await captionedStream(t, { defaultCaptions });
    await upload(0);
    await send(FILE);
    await send(FILE, { sdh: '1' });
    await send(FILE, { lang: 'FRE' });
    await send(FILE, { lang: 'fr', forced: '1', name: 'Panneaux' });
    const announced = async (country?: string) =>
      (await viewer.multivariant('show', country)).document.text;
    const text = await announced();
    assert.deepEqual(text.match(/^#EXT-X-MEDIA.*$/gm), [
      '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,URI="show/captions-de.m3u8"',
      '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="Deutsch (SDH)",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHARACTERISTICS="public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound",URI="show/captions-de-sdh.m3u8"',
      '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="Français",LANGUAGE="fr",DEFAULT=NO,AUTOSELECT=YES,URI="show/captions-fr.m3u8"',
      '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="Panneaux",LANGUAGE="fr",DEFAULT=NO,AUTOSELECT=YES,FORCED=YES,URI="show/captions-fr-forced.m3u8"',
    ]);
    const attributes = parseMultivariantWithHls(text).variants.map((one) => one.attributes);
    assert.deepEqual(
      attributes.map((one) => [one.SUBTITLES, one['CLOSED-CAPTIONS']]),
      [
        ['captions', 'NONE'],
        ['captions', 'NONE'],
      ],
    );
    const shown = async (country?: string) =>
      (await announced(country)).match(/(?<=NAME=")[^"]*(?=".*DEFAULT=YES)/g);
    assert.deepEqual(
      [await shown(), await shown('FR'), await shown('CH'), await shown('US')],
      [null, ['Français'], ['Deutsch'], null],
    );
  });

  test('of a new track are shown from the start to who rewinds', async (t) => {
    const { send, upload, segments } = await captionedStream(t);
    await upload(0);
    await send(FILE, { lang: 'en' });
    await upload(1);
    await send(FILE);
    await upload(2);
    const texts = await segments();
    assert.deepEqual(
      texts.map((text) => text.match(/^(?:Guten Tag|Was geht).*$/gm)),
      [['Guten Tag', 'Was geht hier vor?'], ['Was geht hier vor?'], null],
    );
  });

  test('over a discontinuity are shown by the clock of each run', async (t) => {
    const { engine, stream, send, upload, segments, segment, playlist } = await captionedStream(t);
    await upload(0);
    await send({ from: 3, to: 5, text: 'over' });
    engine.clock.nowMs += 60_000;
    await upload(900, 2);
    // A run that does not begin with 0 is waited for.
    engine.clock.nowMs += 10_000;
    await publish(engine, stream);
    assert.match(
      await playlist(),
      /#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:01:00.000Z\n/,
    );
    const zero = 10 + 900 * 4;
    assert.equal(zero, 3610);
    const [, shown = ''] = await segments();
    const behind = `${HEAD}c1-0\n01:00:10.000 --> 01:00:11.000\nover\n\n`;
    assert.equal(shown, behind, 'its part behind the discontinuity');
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
    const before = `${HEAD}c1-0\n00:00:13.000 --> 00:00:14.000\nover\n\n`;
    assert.deepEqual(await segments('captions-de', 'vod'), [before, behind]);
    const recorded = await playlist('captions-de', 'vod');
    assert.deepEqual(recorded.match(/u1-.*$/gm), ['u1-0-1-1-cut.vtt', 'u1-1-1-1.vtt']);
    const whole = `${HEAD}c1-0\n00:00:13.000 --> 00:00:15.000\nover\n\n`;
    const live = (await playlist()).match(/u1-.*$/gm) ?? [];
    assert.deepEqual(live, ['u1-0-1-1.vtt', 'u1-1-1-1.vtt']);
    assert.equal((await segment('/captions-de/u1-0-1-1.vtt')).text, whole, 'as it was once said');
  });

  test('that go on over a discontinuity are cut there in every segment of the period', async (t) => {
    const { engine, stream, send, upload, segments } = await captionedStream(t);
    await send({ from: 1, to: 19, text: 'long' });
    for (const number of [0, 1]) await upload(number);
    engine.clock.nowMs += 60_000;
    for (const number of [0, 1, 2]) await upload(number, 2);
    await publish(engine, stream);
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
    const times = (await segments('captions-de', 'vod')).map((text) => text.match(/^.* --> .*$/gm));
    const [before, behind] = ['00:00:11.000 --> 00:00:18.000', '00:00:10.000 --> 00:00:21.000'];
    assert.deepEqual(times, [[before], [before], [behind], [behind], [behind]]);
  });

  test('of a late arrival are in the recording, in the place of its gap', async (t) => {
    const { engine, stream, send, upload, segments, playlist } = await captionedStream(t);
    await send({ from: 5, to: 6, text: 'in the gap' });
    await upload(0);
    await acknowledge(engine, stream, 1, 1);
    await acknowledge(engine, stream, 1, 2);
    await settle(engine, stream, 1, 2);
    engine.clock.nowMs += 600_000;
    await publish(engine, stream);
    assert.match(await playlist(), /#EXT-X-GAP\n#EXTINF:4,\n\/media\/show\/u1\/gap/);
    await settle(engine, stream, 1, 1);
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
    const recorded = await segments('captions-de', 'vod');
    assert.deepEqual(recorded, [
      HEAD,
      `${HEAD}c1-0\n00:00:15.000 --> 00:00:16.000\nin the gap\n\n`,
      HEAD,
    ]);
  });

  test('of a long recording are listed as it was made, and then as they are', async (t) => {
    const { engine, stream, viewer, ...calls } = await captionedStream(t, {}, 1);
    const { send, upload, segments } = calls;
    await send({ id: 'a', from: 1, to: 2, text: 'old' });
    await upload(0);
    await upload(1);
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
    const work = () => {
      const job = { kind: 'recording-playlists', videoId: 'show', uid: 'u1' };
      const context = { workFolder: engine.workFolder, signal: new AbortController().signal };
      return JOBS.run(engine.deps, JSON.stringify(job), context);
    };
    await work();
    const cue = (key: string, text: string) =>
      `${HEAD}${key}\n00:00:11.000 --> 00:00:12.000\n${text}\n\n`;
    assert.deepEqual(await segments('captions-de', 'vod'), [cue('c1-0', 'old'), HEAD]);
    await send({ id: 'a', from: 1, to: 2, text: 'new' });
    await send({ id: 'b', from: 1, to: 2, text: 'another' }, { lang: 'fr' });
    const announced = async () =>
      (await viewer.multivariant('show')).document.text.match(/(?<=LANGUAGE=")\w+/g);
    assert.deepEqual(await segments('captions-de', 'vod'), [cue('c1-0', 'old'), HEAD]);
    assert.deepEqual(await announced(), ['de']);
    await work();
    assert.deepEqual(await segments('captions-de', 'vod'), [cue('c2-0', 'new'), HEAD]);
    assert.deepEqual(await segments('captions-fr', 'vod'), [cue('c3-0', 'another'), HEAD]);
  });

  test('of a removed track are gone, and may come again', async (t) => {
    const { send, upload, segments, playlist, remove, viewer } = await captionedStream(t);
    await send(FILE);
    await upload(0);
    assert.equal(await remove('captions-de'), 204);
    assert.equal(await remove('captions-de'), 404);
    await assert.rejects(playlist(), /has no rendition "captions-de"/);
    assert.doesNotMatch((await viewer.multivariant('show')).document.text, /SUBTITLES/);
    await send('WEBVTT\n\n00:01.000 --> 00:02.000\nnew\n');
    assert.deepEqual(await segments(), [`${HEAD}c3-0\n00:00:11.000 --> 00:00:12.000\nnew\n\n`]);
  });

  test('have as many tracks as a playlist bears', async (t) => {
    const { send } = await captionedStream(t);
    const cue = { id: 'a', from: 1, to: 2, text: 'a' };
    for (let index = 0; index < 50; index += 1) {
      const lang = `de-x-${String(index).padStart(3, '0')}`;
      assert.equal((await send(cue, { lang })).status, 201);
    }
    const { status, message } = await send(cue, { lang: 'fr' });
    assert.equal(
      `${status} ${message}`,
      '409 Stream "show" has 50 tracks of captions, which is the most.',
    );
    assert.equal((await send({ ...cue, id: 'b' }, { lang: 'de-x-001' })).status, 201);
  });

  test('are refused with what is wrong with them', async (t) => {
    const { send, upload, segment } = await captionedStream(t);
    const map =
      'WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n\n00:01.000 --> 00:02.000\na\n';
    const refusals = [
      await send('WEBVTT\n\n00:01 - 00:02\na\n'),
      await send(FILE, { lang: '' }),
      await send(FILE, { sdh: '1', forced: '1' }),
      await send(FILE, { lang: 'de-x-einedialektform' }),
      await send({ from: 2, to: 1, text: 'a' }),
      await send({ from: 2, to: '2026-01-01T00:00:03Z', text: 'a' }),
      await send({ from: 2, to: 3, text: '\n' }),
      await send(map),
    ];
    assert.deepEqual(
      refusals.map(({ status, message }) => `${status} ${message}`),
      [
        '422 line 3: "00:01 - 00:02" is text without times.',
        '400 Captions have a language, and lang is missing.',
        '400 Captions are forced or SDH, not both.',
        '400 "de-x-einedialektform" is not a language.',
        '400 The cue from 2 to 1 lasts -1 s.',
        '400 The cue goes from 2 to 2026-01-01T00:00:03Z: one is seconds, the other an instant.',
        '400 A cue has no text.',
        '404 Stream "show" has no media yet, so X-TIMESTAMP-MAP says no time.',
      ],
    );
    await send(FILE);
    await upload(0);
    for (const name of ['u1-0-1-2.vtt', 'u1-1-1-1.vtt', 'u2-0-1-1.vtt', 'u1-0.vtt']) {
      assert.equal((await segment(`/captions-de/${name}`)).status, 404, name);
    }
  });
});
