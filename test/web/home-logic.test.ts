import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { StreamView } from '../../lib/api/messages.ts';
import { streamSettingsSchema } from '../../lib/api/stream-settings.ts';
import { parseVideoId } from '../../lib/domain/ids.ts';
import { defaultSettings } from '../../lib/domain/stream.ts';
import { shownStreams } from '../../web/home/list-filter.ts';
import { pushCommands } from '../../web/home/push-commands.ts';
import {
  audioChoices,
  captionChoices,
  changesOf,
  clippedChoices,
  dvrChoices,
  formOf,
  idFor,
  idleChoices,
  ladderChoices,
  markedChoices,
  retentionChoices,
  targetChoices,
  webmChoices,
} from '../../web/home/settings-choices.ts';
import { healthOf } from '../../web/home/stream-health.ts';
import { formatBytes } from '../../web/shared/format-bytes.ts';
import { setLanguage } from '../../web/texts/text.ts';

const STREAM: StreamView = {
  videoId: 'show',
  title: 'Show',
  state: 'live',
  durationSeconds: 12,
  targetDurationSeconds: 2,
  serverTime: '2026-05-01T12:00:30Z',
  newestUploadAt: '2026-05-01T12:00:29Z',
  waitingSegments: 0,
  hls: '/viewstream/metadata/show',
  dash: '/viewstream/metadata/show.mpd',
  renditions: [],
};

describe('the list of streams', () => {
  const streams = [
    { videoId: 'cam-1', title: 'Café, front door', state: 'live' },
    { videoId: 'talk', title: 'Ärzte im Gespräch', state: 'ended' },
    { videoId: 'soon', title: 'Evening show', state: 'created' },
  ] as const;
  const ids = (...[kind, search]: [Parameters<typeof shownStreams>[1], string]) =>
    shownStreams(streams, kind, search).map(({ videoId }) => videoId);

  test('is narrowed to what is live or to come, or to recordings', () => {
    assert.deepEqual(ids('all', ''), ['cam-1', 'talk', 'soon']);
    assert.deepEqual(ids('live', ' '), ['cam-1', 'soon']);
    assert.deepEqual(ids('recordings', ''), ['talk']);
  });

  test('is searched by words of title and id, without accents and capitals', () => {
    assert.deepEqual(ids('all', 'cafe DOOR'), ['cam-1']);
    assert.deepEqual(ids('all', 'gesprach'), ['talk']);
    assert.deepEqual(ids('all', 'cam'), ['cam-1']);
    assert.deepEqual(ids('recordings', 'cam'), []);
  });
});

describe('settings of a stream as an owner chooses them', () => {
  const settings = { ...defaultSettings('show'), targetDurationSeconds: 2, holeGraceSeconds: 4 };
  const now = { ...settings, listed: false, retention: null };

  test('nothing is sent that was not changed', () => {
    assert.deepEqual(changesOf(formOf(now), formOf(now)), {});
    const { targetDuration: _, ...withoutDisabled } = formOf(now);
    assert.deepEqual(changesOf(formOf(now), withoutDisabled), {});
  });

  test('each is sent as the server takes it', () => {
    const form = {
      ...{ title: 'New', listed: 'on', dvrWindow: 'null', idleTimeout: '300' },
      ...{ ladder: 'one', targetDuration: '4', redundant: 'on' },
    };
    const change = changesOf(formOf(now), form);
    assert.deepEqual(change, {
      title: 'New',
      listed: true,
      dvrWindowSeconds: null,
      idleTimeoutSeconds: 300,
      ladder: [{ name: '720p', shortSidePx: 720, maxrateBps: 2_500_000 }],
      targetDurationSeconds: 4,
      redundant: true,
    });
    assert.deepEqual(streamSettingsSchema.parse(change), change);
    const { listed: _, redundant: __, ...off } = form;
    const back = { listed: false, redundant: false };
    assert.deepEqual(changesOf({ ...off, listed: 'on', redundant: 'on' }, off), back);
  });

  test('how long it is kept is one setting of three fields', () => {
    const week = { days: 7, marked: [{ days: null, beforeSeconds: 60, afterSeconds: 60 }] };
    const form = formOf({ ...now, retention: week });
    assert.deepEqual(
      [form.retention, formOf(now).retention, formOf(now).marked],
      ['7', 'null', ''],
    );
    assert.equal(markedChoices(week).find(({ value }) => value === form.marked)?.label, 'For ever');
    assert.deepEqual(changesOf(formOf(now), { ...formOf(now), retention: '7' }).retention, {
      days: 7,
    });
    assert.deepEqual(changesOf(form, { ...form, retention: '30' }).retention, {
      ...week,
      days: 30,
    });
    assert.deepEqual(changesOf(form, { ...form, marked: '' }).retention, { days: 7 });
    assert.equal(changesOf(form, { ...form, retention: 'null' }).retention, null);
    const clipped = changesOf(form, { ...form, clipped: 'null' }).retention;
    assert.deepEqual(clipped, { ...week, clipped: null });
    const ninety = formOf({ ...now, retention: { ...week, clipped: 90 } });
    assert.equal(ninety.clipped, '90');
    assert.deepEqual(changesOf(ninety, { ...ninety, clipped: '' }).retention, week);
    assert.deepEqual(
      clippedChoices({ days: 7, clipped: 20 }).map(({ value }) => value),
      ['', '7', '14', '20', '30', '90', '365', 'null'],
    );
    const own = {
      days: 5,
      marked: [{ class: 'goal', days: 9, beforeSeconds: 1, afterSeconds: 2 }],
    };
    assert.equal(markedChoices(own).at(-1)?.label, 'Own rules');
    const kept = changesOf(formOf({ ...now, retention: own }), {
      retention: '3',
      marked: markedChoices(own).at(-1)?.value ?? '',
    });
    assert.deepEqual(kept.retention, { ...own, days: 3 });
    assert.deepEqual(
      retentionChoices(own).map(({ value }) => value),
      [...['1', '3', '5', '7', '14', '30', '90', '365', 'null']],
    );
    assert.deepEqual(retentionChoices(undefined)[0], {
      value: '',
      label: 'As set for this server',
    });
  });

  test('days are said as a length, which German does not inflect', (t) => {
    t.after(() => setLanguage(['en']));
    setLanguage(['de']);
    const labels = retentionChoices(null).map(({ label }) => label);
    assert.deepEqual(labels.slice(0, 3), ['1 Tag', '3 Tage', '7 Tage']);
  });

  test('the default audio is sent with those of countries, which the form leaves as they are', () => {
    const french = { ...now, defaultAudio: { '*': 'en', FR: 'fr' } };
    const change = (language: string) =>
      changesOf(formOf(french), { defaultAudio: language }, french);
    assert.deepEqual(change('en'), {});
    assert.deepEqual(change('de'), { defaultAudio: { '*': 'de', FR: 'fr' } });
    assert.deepEqual(change(''), { defaultAudio: { FR: 'fr' } });
    assert.deepEqual(audioChoices(['und', 'fr', 'en'], 'pt-BR'), [
      { value: '', label: 'The first of the stream' },
      { value: 'fr', label: 'Français' },
      { value: 'en', label: 'English' },
      { value: 'pt-BR', label: 'Português (Brasil)' },
    ]);
  });

  test('the default captions are sent likewise, and none is no default', () => {
    const french = { ...now, defaultCaptions: { '*': 'en', FR: 'fr' } };
    const change = (language: string) =>
      changesOf(formOf(french), { defaultCaptions: language }, french);
    assert.deepEqual(change('en'), {});
    assert.deepEqual(change('de'), { defaultCaptions: { '*': 'de', FR: 'fr' } });
    assert.deepEqual(change(''), { defaultCaptions: { FR: 'fr' } });
    const off = { ...now, defaultCaptions: { '*': 'off' } };
    assert.deepEqual(changesOf(formOf(off), { defaultCaptions: '' }, off), {});
    assert.deepEqual(captionChoices(['und', 'de'], 'off'), [
      { value: '', label: 'None' },
      { value: 'de', label: 'Deutsch' },
    ]);
  });

  test('WebM is made on demand, always or never', () => {
    const before = formOf({ ...now, webm: 'onDemand' });
    assert.deepEqual(changesOf(before, { ...before, webm: 'onDemand' }), {});
    for (const { value: webm } of webmChoices().slice(1)) {
      const change = changesOf(before, { ...before, webm });
      assert.deepEqual(change, { webm });
      assert.deepEqual(streamSettingsSchema.parse(change), change);
    }
  });

  test('a new stream is given what the form shows, and its segments stay as they are sent', () => {
    const { targetDurationSeconds: _, retention: __, ...fresh } = defaultSettings('x');
    const { targetDurationSeconds, ladder, ...change } = changesOf({}, formOf(fresh));
    assert.equal(targetDurationSeconds, undefined);
    assert.equal(ladder?.length, 5);
    assert.deepEqual(change, { title: 'x', dvrWindowSeconds: 7200, idleTimeoutSeconds: 60 });
  });

  test('what is set now is among the choices, whatever it is', () => {
    const values = (choices: readonly { value: string }[]) => choices.map(({ value }) => value);
    assert.deepEqual(values(dvrChoices(3600)), [
      ...['1800', '3600', '7200', '21600', '43200', '86400', 'null'],
    ]);
    assert.equal(dvrChoices(null).at(-1)?.label, 'To the start');
    assert.deepEqual(values(idleChoices(60)), ['10', '60', '300', '1800', '7200', 'null']);
    assert.deepEqual(values(targetChoices(3)), ['1', '2', '3', '4', '6', '10']);
    assert.deepEqual(values(targetChoices(undefined)), ['', '1', '2', '4', '6', '10']);
    const own = [{ name: '500p', shortSidePx: 500, maxrateBps: 1_000_000 }];
    assert.deepEqual(values(ladderChoices(own)), ['all', 'hd', 'small', 'one', 'own']);
    assert.equal(ladderChoices(own).at(-1)?.label, 'Own: 500p');
    assert.equal(formOf({ ...now, ladder: own }).ladder, 'own');
    assert.deepEqual(
      changesOf(formOf({ ...now, ladder: own }), { ladder: 'own' }).ladder,
      undefined,
    );
  });

  test('an id is made of the title', () => {
    assert.equal(idFor('Main stage: Köln, Straße 7!'), 'main-stage-koln-strasse-7');
    assert.equal(idFor('日本'), '');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (title) => {
        const id = idFor(title);
        if (id !== '' && id !== 'metadata') assert.equal(parseVideoId(id), id);
      }),
    );
  });
});

describe('commands to send to a stream', () => {
  test('have the server, the stream and the key in place', () => {
    const target = { origin: 'https://tv.example:8443', videoId: 'show', uploadKey: 'abc123' };
    assert.deepEqual(pushCommands(target), {
      ffmpeg:
        'ffmpeg -re -i INPUT -c:v libx264 -preset veryfast -pix_fmt yuv420p -g 60 -c:a aac \\\n' +
        '  -f hls -hls_time 2 -method PUT https://x:abc123@tv.example:8443/upload/show/live.m3u8',
      encoder:
        'RIVULET_KEY=abc123 npm run encoder -- INPUT \\\n  --to https://tv.example:8443 --stream show',
      obsUrl: 'https://x:abc123@tv.example:8443/upload/show/live.m3u8',
      obsMuxer: 'method=PUT hls_time=2',
      studio: 'https://tv.example:8443/studio#stream=show&key=abc123',
    });
  });

  test('say where the key goes when it is not known', () => {
    const { ffmpeg, studio } = pushCommands({ origin: 'http://box:8080', videoId: 'show' });
    assert.match(ffmpeg, /http:\/\/x:UPLOAD_KEY@box:8080\//);
    assert.equal(studio, 'http://box:8080/studio#stream=show');
  });
});

describe('the health of a stream', () => {
  const says = (change: Partial<StreamView>) => {
    const { signal, backlog, worker } = healthOf({ ...STREAM, ...change });
    return [signal, backlog, worker].map((line) => `${line.tone}: ${line.says}`);
  };

  test('is good while segments arrive and are transcoded', () => {
    assert.deepEqual(says({}), [
      'good: Arriving, the last 1 s ago',
      'none: Nothing waits',
      'good: Keeps up',
    ]);
    assert.deepEqual(says({ waitingSegments: 2, waitingSince: '2026-05-01T12:00:28Z' }), [
      'good: Arriving, the last 1 s ago',
      'good: 2 waiting, the first for 2 s',
      'good: Keeps up',
    ]);
  });

  test('names the encoder when it is silent, and the worker when it is late', () => {
    assert.equal(says({ newestUploadAt: '2026-05-01T12:00:10Z' })[0], 'bad: None for 20 s');
    assert.deepEqual(says({ waitingSegments: 9, waitingSince: '2026-05-01T12:00:10Z' }).slice(1), [
      'bad: 9 waiting, the first for 20 s',
      'bad: Cannot keep up: lower the qualities, or add workers',
    ]);
  });

  test('is no matter before the start and after the end', () => {
    const { serverTime: _, newestUploadAt: __, waitingSegments: ___, ...quiet } = STREAM;
    const state = (state: StreamView['state']) => {
      const { signal, backlog, worker } = healthOf({ ...quiet, state });
      return [signal.says, backlog.tone, worker.says, worker.tone];
    };
    assert.deepEqual(state('created'), ['None has come yet', 'none', 'Nothing to do', 'none']);
    assert.deepEqual(state('ended'), ['The broadcast has ended', 'none', 'Nothing to do', 'none']);
  });
});

test('sizes are shown in the unit that keeps them short', () => {
  assert.deepEqual([0, 999_499, 999_500, 1_240_000, 9_950_000, 1.5e9, 2e12].map(formatBytes), [
    ...['0 kB', '999 kB', '1 MB', '1.2 MB', '10 MB', '1.5 GB', '2 TB'],
  ]);
});
