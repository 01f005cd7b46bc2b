import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readMpd } from '../support/mpd-judge.ts';
import { audio, entry, mpdOf, START_MS, video } from './mpd-of-entries.ts';

const RENDITIONS = { '360p': video(360, 25), '180p': video(180, 25), audio: audio('audio', 'en') };
const NAMES = Object.keys(RENDITIONS);
const ENTRIES = [entry(1, 0, NAMES), entry(2, 0, NAMES)];

const LIVE = mpdOf(RENDITIONS, ENTRIES, {
  live: {
    ...{ publishTimeMs: START_MS + 68_500, lagMs: 2500, windowMs: 120_000 },
    ...{ location: 'show.mpd?broadcast=1', clockUri: '/time' },
  },
});
const RECORDING = mpdOf(RENDITIONS, ENTRIES, { startMs: undefined });

const FAULTS: readonly (readonly [
  what: string,
  mpd: string,
  from: string | RegExp,
  to: string,
  said: RegExp,
])[] = [
  ['periods overlap', LIVE, 'start="PT60S"', 'start="PT1S"', /before the next/],
  ['periods do not meet', RECORDING, 'duration="PT2S"', 'duration="PT1.9S"', /meets the next/],
  ['all lasts longer than its periods', RECORDING, 'PT4S', 'PT5S', /meets the next/],
  ['a segment begins before its period', RECORDING, '<S t="900000"', '<S t="899000"', /is in per/],
  ['tracks have other offsets', RECORDING, 'Offset="900000"', 'Offset="900001"', /offsets of/],
  ['the delay is outside of the window', LIVE, /Delay="\w*/, 'Delay="PT900S', /shift buffer/],
  ['less is buffered than a player waits for', LIVE, 'Time="PT2S"', 'Time="PT20S"', /minBuffer/],
  ['the clock has another address', LIVE, '"/time"', '"/tim"', /tim/],
  ['a set changes its language', RECORDING, /(id="1" start.*?)"en"/s, '$1"fr"', /same content/],
  ['a rung changes its codec', RECORDING, /(id="1" start.*?)64001f/s, '$164001e', /is the same/],
];

describe('an MPD is refused by the rules of these tests', () => {
  for (const [what, mpd, from, to, said] of FAULTS) {
    test(`where ${what}`, () => {
      readMpd(mpd);
      assert.throws(() => readMpd(mpd.replace(from, to)), said);
    });
  }
});
