import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { StreamView } from '../../lib/api/messages.ts';
import type { UploadedFileState } from '../../lib/domain/uploaded-file.ts';
import {
  formatBitrate,
  formatClock,
  formatPreciseTimeOfDay,
  formatSpan,
} from '../../web/shared/format-time.ts';
import {
  takeKey,
  videoIdFrom,
  videoIdOf,
  videoIdOfOldLink,
  watchPath,
} from '../../web/shared/route.ts';
import { ageOf, badgeOf, inListOrder, summaryOf } from '../../web/shared/stream-summary.ts';
import { isBufferedToEnd } from '../../web/watch/buffered-end.ts';
import { startingEstimateBps } from '../../web/watch/hls-settings.ts';
import {
  catchUpRate,
  isAtEdge,
  isAtEdgeAfterSeek,
  isTooFarBehind,
} from '../../web/watch/live-edge.ts';
import { type AnchoredPlaylist, anchorOf, positionOf } from '../../web/watch/playback-anchor.ts';

describe('routes of the watch page', () => {
  test('route: a link to a stream opens that stream, whatever its id', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (videoId) => {
        assert.equal(videoIdOf(watchPath(videoId)), videoId);
      }),
    );
    assert.equal(videoIdOf('/embed/one/'), 'one');
    assert.equal(videoIdOf('/watch/%E0%A4%A'), '%E0%A4%A');
    for (const path of ['/', '/watch/', '/watch/a/b', '/wall']) {
      assert.equal(videoIdOf(path), undefined);
    }
  });

  test('route: an old link, with the stream in its fragment, still names it', () => {
    assert.equal(videoIdOfOldLink('#/watch/a%20b?x'), 'a b');
    assert.equal(videoIdOfOldLink('#/watch/'), undefined);
    assert.equal(videoIdOfOldLink('#key=/watch/a'), undefined);
  });

  test('route: a key is taken out of the address, and the rest of it stays', () => {
    assert.deepEqual(takeKey('#key=a%2Bb'), { key: 'a+b', hash: '' });
    assert.deepEqual(takeKey('#/watch/one?key=k'), { key: 'k', hash: '#/watch/one' });
    assert.equal(takeKey('#/watch/monkey'), undefined);
    assert.equal(takeKey('#/watch/key'), undefined);
  });

  test('route: an id, a link to the page and a playlist address all open a stream', () => {
    assert.equal(videoIdFrom(' one '), 'one');
    assert.equal(videoIdFrom('https://host/#/watch/one'), 'one');
    assert.equal(videoIdFrom('https://host/watch/one?t=12'), 'one');
    assert.equal(videoIdFrom('https://host/embed/one'), 'one');
    assert.equal(videoIdFrom('https://host/viewstream/metadata/one.m3u8'), 'one');
    assert.equal(videoIdFrom('https://host/viewstream/metadata/one?format=json'), 'one');
  });
});

describe('the live edge', () => {
  test('live edge: a viewer leaves it later than one returns to it', () => {
    assert.equal(isAtEdge(true, 5, 6), true);
    assert.equal(isAtEdge(false, 5, 6), false);
    assert.equal(isAtEdge(false, 1.5, 6), true);
    assert.equal(isAtEdge(true, 30, 6), false);
  });

  test('live edge: a rewind leaves it even when it is shorter than the tolerance', () => {
    assert.equal(isAtEdgeAfterSeek(true, -9, 3.9, 2), false);
    assert.equal(isAtEdgeAfterSeek(true, -9, 1.5, 2), true, 'live playback aims at that position');
    assert.equal(isAtEdgeAfterSeek(true, 0.1, 3.9, 2), true, 'the player skipped a gap');
    assert.equal(isAtEdgeAfterSeek(false, 5, 3.9, 2), false);
    assert.equal(isAtEdgeAfterSeek(false, 20, 0, 2), true);
  });

  test('live edge: more than ten target durations behind the newest segment is too far to catch up', () => {
    assert.equal(isTooFarBehind(14, 6, 2), false);
    assert.equal(isTooFarBehind(14.1, 6, 2), true);
  });

  test('live edge: playback catches up a little faster, but not from a buffer that is nearly empty', () => {
    assert.equal(catchUpRate(1, 0.5, 10, 6), 1);
    const faster = catchUpRate(1, 3, 10, 6);
    assert.ok(faster > 1 && faster < 1.06);
    assert.equal(catchUpRate(faster, 0.6, 10, 6), faster, 'it goes on until all is made up for');
    assert.equal(catchUpRate(faster, 0.1, 10, 6), 1);
    assert.equal(catchUpRate(faster, 3, 1, 6), 1);
  });
});

describe('playback position', () => {
  const playlist = (
    first: number,
    count: number,
    startsAt: number,
    live: boolean,
  ): AnchoredPlaylist => ({
    live,
    fragmentStart: startsAt,
    edge: startsAt + count * 4,
    fragments: Array.from({ length: count }, (_, index) => ({
      start: startsAt + index * 4,
      duration: 4,
      programDateTime: 1_000_000 + (first + index) * 4000,
    })),
  });
  const withoutDates = (dated: AnchoredPlaylist): AnchoredPlaylist => ({
    ...dated,
    fragments: dated.fragments.map((fragment) => ({ ...fragment, programDateTime: null })),
  });

  test('playback position: a reload restores it by the wall clock, from any window to any other', () => {
    const window = playlist(100, 10, 37, true);
    const anchor = anchorOf(window, { currentTime: 37 + 9 });
    assert.ok(anchor);
    assert.equal(positionOf(anchor, playlist(0, 120, 0, false)), 409);
    assert.equal(positionOf(anchor, playlist(101, 10, 0, true)), 5);
  });

  test('playback position: without dates a reload restores it by the distance from the end', () => {
    const window = withoutDates(playlist(100, 10, 0, false));
    const anchor = anchorOf(window, { currentTime: 31 });
    assert.ok(anchor);
    assert.equal(positionOf(anchor, withoutDates(playlist(0, 110, 0, false))), 431);
  });

  test('playback position: a reload of a live playlist without dates gives the default', () => {
    const window = withoutDates(playlist(100, 10, 0, true));
    const anchor = anchorOf(window, { currentTime: 31 });
    assert.ok(anchor);
    assert.equal(positionOf(anchor, withoutDates(playlist(104, 10, 0, true))), -1);
    assert.equal(anchorOf(null, { currentTime: 1 }), undefined);
  });
});

describe('texts of the watch page', () => {
  const now = Date.parse('2026-05-01T12:00:00Z');
  const stream = (videoId: string, change: Partial<StreamView>): StreamView => ({
    videoId,
    title: videoId,
    state: 'live',
    durationSeconds: 0,
    hls: '',
    dash: '',
    renditions: [],
    ...change,
  });

  test('stream list: live streams come first, then upcoming ones, then recordings, newest first', () => {
    const streams = [
      stream('old', { state: 'ended', startedAt: '2026-04-01T00:00:00Z' }),
      stream('soon', { state: 'created' }),
      stream('new', { state: 'ended', startedAt: '2026-05-01T00:00:00Z' }),
      stream('now', { startedAt: '2026-05-01T11:00:00Z' }),
    ];
    const ids = inListOrder(streams).map(({ videoId }) => videoId);
    assert.deepEqual(ids, ['now', 'soon', 'new', 'old']);
  });

  test('stream summary: it has the length, the age and the best resolution', () => {
    const recording = stream('a', {
      state: 'ended',
      durationSeconds: 3725,
      endedAt: '2026-05-01T09:50:00Z',
      renditions: [480, 720].map((heightPx) => ({
        name: `${heightPx}p`,
        kind: 'video',
        codecs: '',
        heightPx,
        averageBps: 1,
        peakBps: 1,
      })),
    });
    assert.equal(summaryOf(recording, now), 'Ended 2 h 10 min ago · 720p');
    assert.equal(
      ageOf(stream('b', { startedAt: '2026-05-01T11:59:30Z' }), now),
      'Started 30 s ago',
    );
  });

  test('stream summary: a file that is sent or processed is no broadcast, until it is done or has ended', () => {
    const file = { name: 'a.mp4', sizeBytes: 10, storedBytes: 4, cutSeconds: 0 };
    const says = (state: StreamView['state'], fileState?: UploadedFileState): string => {
      const sent = fileState && { ...file, state: fileState };
      return badgeOf(state, { state: 'flowing' }, sent).text;
    };
    assert.deepEqual(
      [says('live'), says('live', 'processing'), says('created', 'uploading')],
      ['Live', 'File', 'File'],
    );
    assert.deepEqual(
      [says('live', 'done'), says('ended', 'failed'), says('ended', 'done')],
      ['Live', 'Recording', 'Recording'],
    );
  });

  test('formats: clock times, spans and bitrates have units that suit their size', () => {
    assert.equal(formatClock(75), '1:15');
    assert.equal(formatClock(-3), '0:00');
    assert.equal(formatSpan(7_200_000), '2 h');
    assert.equal(formatSpan(26 * 3_600_000), '1 day');
    assert.match(formatPreciseTimeOfDay(1_234_567_891_254), /:31\.25/);
    assert.equal(formatBitrate(2_480_000), '2.5 Mbit/s');
    assert.equal(formatBitrate(640_000), '640 kbit/s');
  });

  test('hls.js settings: the first bandwidth estimate follows the link, within bounds', () => {
    assert.equal(startingEstimateBps(undefined), 2_000_000);
    assert.equal(startingEstimateBps(0.1), 500_000);
    assert.equal(startingEstimateBps(10), 5_000_000);
  });
});

describe('the end of a stream', () => {
  /** Two-second segments: `m` of media, `-` a gap. */
  const playlist = (segments: string, live = false) => ({
    live,
    fragments: [...segments].map((kind, index) => ({
      start: index * 2,
      duration: 2,
      gap: kind === '-',
    })),
  });

  test('buffered end: all media before a gap is buffered, of the picture and of the audio', () => {
    const picture = { playlist: playlist('mmmm'), bufferedTo: 8 };
    const audio = { playlist: playlist('mmm-'), bufferedTo: 5.98 };
    assert.equal(isBufferedToEnd([picture, audio]), true);
    assert.equal(isBufferedToEnd([{ ...picture, bufferedTo: 6 }, audio]), false);
    assert.equal(isBufferedToEnd([picture, { ...audio, bufferedTo: 4 }]), false);
    assert.equal(isBufferedToEnd([picture, { ...audio, playlist: playlist('mmm-', true) }]), false);
  });

  test('buffered end: the sound of a killed encoder is shorter than its playlist says', () => {
    const picture = { playlist: playlist('mmmm'), bufferedTo: 8 };
    const audio = { playlist: playlist('mmmm'), bufferedTo: 7.867 };
    assert.equal(isBufferedToEnd([picture, audio]), true);
    assert.equal(isBufferedToEnd([{ ...picture, bufferedTo: 7.7 }, audio]), false);
    assert.equal(isBufferedToEnd([picture, { ...audio, bufferedTo: 7.7 }]), false);
    assert.equal(
      isBufferedToEnd([picture, { ...audio, playlist: playlist('mmmm', true) }]),
      false,
      'it may still grow',
    );
    const sliver = { start: 8, duration: 0.2, gap: false };
    const withSliver = { live: false, fragments: [...playlist('mmmm').fragments, sliver] };
    assert.equal(isBufferedToEnd([{ playlist: withSliver, bufferedTo: 8 }]), false);
  });

  test('buffered end: whatever gaps lie before, and never without a playlist', () => {
    assert.equal(isBufferedToEnd([{ playlist: playlist('m-mm'), bufferedTo: 8 }]), true);
    assert.equal(isBufferedToEnd([]), false);
  });
});
