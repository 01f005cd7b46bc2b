import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectSystemControls, type SystemMedia } from '../../web/watch/system-controls.ts';

type Handler = (details: Readonly<{ seekOffset?: number; seekTime?: number }>) => void;

function setUp() {
  const handlers = new Map<string, Handler | null>();
  const positions: object[] = [];
  const session: SystemMedia<object> = {
    metadata: null,
    playbackState: 'none',
    setActionHandler(action, handler) {
      if (action === 'seekto' && handlers.has('refused')) throw new TypeError('not known');
      handlers.set(action, handler);
    },
    setPositionState: (position: object) => positions.push(position),
  };
  // A live stream with a window from second 100 to 160.
  const seekable = { length: 1, start: () => 100, end: () => 160 };
  const video = Object.assign(new EventTarget(), {
    ...{ currentTime: 150, paused: true, playbackRate: 1, readyState: 4, seekable },
    async play() {
      video.paused = false;
    },
    pause() {
      video.paused = true;
    },
  });
  const connect = () => connectSystemControls(video, session, (facts) => facts);
  return { video, session, handlers, positions, connect };
}

describe('the controls of the system', () => {
  test('play, pause and seek inside what can be watched now', () => {
    const { video, handlers, connect } = setUp();
    connect();
    const act = (action: string, details: Parameters<Handler>[0] = {}) => {
      handlers.get(action)?.(details);
      return [video.paused, video.currentTime];
    };
    assert.deepEqual(act('play'), [false, 150]);
    assert.deepEqual(act('seekbackward'), [false, 140]);
    assert.deepEqual(act('seekforward', { seekOffset: 30 }), [false, 160]);
    assert.deepEqual(act('seekto', { seekTime: 5 }), [false, 105]);
    assert.deepEqual(act('seekbackward'), [false, 100]);
    assert.deepEqual(act('pause'), [true, 100]);
  });

  test('show title, poster and the place in the window', () => {
    const { video, session, positions, connect } = setUp();
    const controls = connect();
    controls.show({ title: 'A show', poster: '/media/show/p.jpg' });
    assert.deepEqual(
      { ...session.metadata },
      {
        title: 'A show',
        artist: 'Rivulet',
        artwork: [{ src: '/media/show/p.jpg', type: 'image/jpeg' }],
      },
    );
    const { metadata } = session;
    controls.show({ title: 'A show', poster: '/media/show/p.jpg' });
    assert.equal(session.metadata, metadata, 'it is not loaded again');
    video.paused = false;
    video.dispatchEvent(new Event('timeupdate'));
    assert.equal(session.playbackState, 'playing');
    assert.deepEqual(positions, [{ duration: 60, position: 50, playbackRate: 1 }]);
    video.readyState = 0;
    video.dispatchEvent(new Event('timeupdate'));
    assert.equal(positions.length, 1, 'nothing is there to be shown');
    controls.disconnect();
    assert.equal(session.metadata, null);
    assert.equal(session.playbackState, 'none');
  });

  test('are left out where the browser has none, or does not know an action', () => {
    const { handlers, connect } = setUp();
    handlers.set('refused', null);
    connect();
    assert.equal(handlers.has('seekto'), false);
    assert.equal(typeof handlers.get('seekforward'), 'function');
  });
});
