import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Holdup } from '../../web/shared/supply.ts';
import {
  type RequestFailure,
  reconnectDelayMs,
  START,
  step,
  type Viewing,
  type ViewingCommand,
  type ViewingEvent,
  waitingDelayMs,
} from '../../web/watch/viewing.ts';
import { describeViewing } from '../../web/watch/viewing-message.ts';

/** States and commands after each event, from the very start. */
function through(...events: readonly ViewingEvent[]): {
  viewing: Viewing;
  states: string[];
  commands: (ViewingCommand | undefined)[];
} {
  let { viewing } = START;
  const states: string[] = [];
  const commands: (ViewingCommand | undefined)[] = [];
  for (const event of events) {
    const next = step(viewing, event);
    viewing = next.viewing;
    states.push(viewing.state);
    commands.push(next.command);
  }
  return { viewing, states, commands };
}

const found: ViewingEvent = { type: 'found' };
const ready: ViewingEvent = { type: 'ready' };
const growing: ViewingEvent = { type: 'source', live: true, partial: false };
const complete: ViewingEvent = { type: 'source', live: false, partial: false };
const windowEnded: ViewingEvent = { type: 'source', live: false, partial: true };
const behind: ViewingEvent = { type: 'edge', atEdge: false };
const atEdge: ViewingEvent = { type: 'edge', atEdge: true };
const cut: ViewingEvent = { type: 'network_error', detail: 'fragLoadError', failure: 'no_answer' };
const mediaErrorAt = (atMs: number): ViewingEvent => ({
  type: 'media_error',
  detail: 'bufferAppendError',
  atMs,
});
const watchingLive = [found, growing, ready] as const;

describe('viewing', () => {
  test('viewing: a live stream is requested, loaded and played, and the state follows the viewer from the edge and back', () => {
    const { states, commands } = through(...watchingLive, behind, atEdge);
    assert.deepEqual(START.command, { type: 'ask', afterMs: 0 });
    assert.deepEqual(states, ['connecting', 'connecting', 'live', 'behind', 'live']);
    assert.deepEqual(commands[0], { type: 'load', at: 'default', paused: false });
  });

  test('viewing: a stream that has not started is requested at growing intervals, then loaded', () => {
    const notStarted: ViewingEvent = { type: 'not_started' };
    const { states, commands } = through(notStarted, notStarted, notStarted, found);
    assert.deepEqual(states, ['waiting', 'waiting', 'waiting', 'connecting']);
    const delays = commands.map((command) => (command?.type === 'ask' ? command.afterMs : 0));
    assert.ok(
      delays[0] === 1000 && Number(delays[1]) > 1000 && Number(delays[2]) > Number(delays[1]),
    );
    assert.equal(commands[3]?.type, 'load');
    assert.equal(waitingDelayMs(1000), 10_000);
  });

  test('viewing: it goes on waiting when a playlist lags behind the server', () => {
    const { states, viewing } = through(found, { type: 'not_started' }, found, {
      type: 'not_started',
    });
    assert.deepEqual(states, ['connecting', 'waiting', 'connecting', 'waiting']);
    assert.ok(viewing.attempt > 1, 'the pauses keep growing');
  });

  test('viewing: a lost connection is retried at growing intervals, then loading resumes and the stream is live again', () => {
    const unreachable: ViewingEvent = {
      type: 'unreachable',
      detail: 'Failed to fetch',
      failure: 'no_answer',
    };
    const { states, commands, viewing } = through(
      ...watchingLive,
      cut,
      unreachable,
      unreachable,
      found,
      { type: 'flowing' },
    );
    assert.deepEqual(states.slice(3), [
      'reconnecting',
      'reconnecting',
      'reconnecting',
      'reconnecting',
      'live',
    ]);
    assert.deepEqual(commands.slice(3), [
      { type: 'ask', afterMs: 500 },
      { type: 'ask', afterMs: 1000 },
      { type: 'ask', afterMs: 2000 },
      { type: 'resume' },
      undefined,
    ]);
    assert.equal(viewing.attempt, 0);
    assert.equal(reconnectDelayMs(50), 15_000);
  });

  test('viewing: an offline device is reported, and the server asked at once when it is online again', () => {
    const { states, commands, viewing } = through(...watchingLive, { type: 'offline' });
    assert.equal(states.at(-1), 'reconnecting');
    assert.equal(commands.at(-1), undefined);
    assert.match(describeViewing(viewing).title, /offline/);
    assert.deepEqual(step(viewing, { type: 'online' }).command, { type: 'ask', afterMs: 0 });
  });

  test('viewing: a stream that does not exist has another message than one that was removed while watched', () => {
    const never = through({ type: 'not_found' });
    const removed = through(...watchingLive, cut, { type: 'not_found' });
    assert.deepEqual(never.commands, [{ type: 'stop' }]);
    assert.equal(removed.states.at(-1), 'unknown');
    assert.notEqual(describeViewing(never.viewing).detail, describeViewing(removed.viewing).detail);
    assert.equal(step(removed.viewing, cut).viewing.state, 'unknown', 'late errors change nothing');
  });

  test('viewing: media errors restart the decoder, then reload, then give up; old errors do not count', () => {
    const { states, commands } = through(
      ...watchingLive,
      mediaErrorAt(1000),
      ready,
      mediaErrorAt(5000),
      ready,
      mediaErrorAt(9000),
    );
    assert.deepEqual(states.slice(3), ['recovering', 'live', 'recovering', 'live', 'failed']);
    assert.deepEqual(
      [commands[3], commands[5], commands[7]],
      [{ type: 'recover_decoder' }, { type: 'load', at: 'same', paused: false }, { type: 'stop' }],
    );
    const later = through(...watchingLive, mediaErrorAt(0), ready, mediaErrorAt(100_000));
    assert.deepEqual(later.commands.at(-1), { type: 'recover_decoder' });
  });

  const STALLS: readonly [Holdup, RegExp][] = [
    ['viewer', /^Your connection is too slow /],
    ['server', /^The server is behind The broadcaster sends, .* since /],
    ['broadcaster', /^The broadcaster sends nothing Nothing has come since /],
    ['end', /^The broadcaster has ended the broadcast /],
    ['nobody', /^Buffering… $/],
  ];
  for (const [holdup, expected] of STALLS) {
    test(`viewing: a stall that is the fault of ${holdup} is shown as such, and nobody else is blamed`, () => {
      const stalled: ViewingEvent = { type: 'stalled', holdup, sinceMs: 1_700_000_000_000 };
      const { viewing } = through(...watchingLive, stalled);
      const { title, detail } = describeViewing(viewing);
      assert.match(`${title} ${detail}`, expected);
      const moved = step(viewing, { type: 'moved' }).viewing;
      assert.deepEqual([moved.state, describeViewing(moved).place], ['live', 'none']);
    });
  }

  const FAILURES: readonly [RequestFailure, string][] = [
    ['no_answer', 'The server cannot be reached'],
    ['error', 'The server has a problem'],
    ['slow', 'Your connection is too slow'],
    ['offline', 'You are offline'],
  ];
  for (const [failure, title] of FAILURES) {
    test(`viewing: after a request that failed by ${failure} the page says: ${title}`, () => {
      const { viewing } = through(...watchingLive, { ...cut, failure });
      assert.equal(describeViewing(viewing).title, title);
    });
  }

  test('viewing: a lost connection stays on the screen while the buffer plays on', () => {
    const cutOff = through(...watchingLive, { type: 'stalled', holdup: 'nobody' }, cut).viewing;
    assert.equal(step(cutOff, { type: 'moved' }).viewing.state, 'reconnecting');
  });

  test('viewing: a stream that has begun and is not published yet is being prepared by the server', () => {
    const title = (uploads: boolean): string =>
      describeViewing(through({ type: 'not_started', uploads }).viewing).title;
    assert.deepEqual([title(true), title(false)], ['Starting…', 'Not started yet']);
  });

  test('viewing: when the stream ends, a viewer who rewound gets the whole recording at once', () => {
    const { states, commands } = through(...watchingLive, behind, windowEnded, complete, ready);
    assert.deepEqual(states.slice(3), ['behind', 'connecting', 'connecting', 'recording']);
    assert.deepEqual(commands[4], { type: 'load', at: 'same', paused: false });
  });

  test('viewing: when the stream ends, a viewer at the edge plays to the end, then is offered the recording', () => {
    const { states, commands, viewing } = through(...watchingLive, windowEnded, {
      type: 'played_out',
    });
    assert.deepEqual(states.slice(3), ['recording', 'ended']);
    assert.deepEqual(commands.slice(3), [undefined, { type: 'load', at: 'same', paused: true }]);
    assert.equal(describeViewing(viewing).action?.event, 'watch_from_start');
    const again = step(viewing, { type: 'watch_from_start' });
    assert.deepEqual(again.command, { type: 'load', at: 'start', paused: false });
    assert.equal(
      step(viewing, { type: 'moved' }).viewing.state,
      'recording',
      'scrubbing back is enough',
    );
  });

  test('viewing: no reload is needed when the playlist that ended holds everything', () => {
    const { commands, states } = through(...watchingLive, behind, complete, { type: 'played_out' });
    assert.deepEqual(commands.slice(3), [undefined, undefined, undefined]);
    assert.deepEqual(states.slice(3), ['behind', 'recording', 'ended']);
  });

  test('viewing: every disturbed state has a message, and undisturbed playback has none', () => {
    const titles = through(...watchingLive, behind).viewing;
    assert.equal(describeViewing(titles).place, 'none');
    for (const state of ['opening', 'waiting', 'unknown', 'failed', 'ended'] as const) {
      const message = describeViewing({ ...START.viewing, state });
      assert.equal(message.place, 'screen', state);
      assert.ok(message.title.length > 0, state);
    }
  });
});
