import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../lib/base/command-line.ts';
import { encodeCommandOf, parseCamerasCommand } from '../../lib/cameras/camera-command.ts';
import { parseCameraList, streamIdOf } from '../../lib/cameras/camera-list.ts';

const parse = (list: unknown) => parseCameraList(JSON.stringify(list), 'cameras.json');

function problemsOf(list: unknown): string[] {
  try {
    parse(list);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error.message.split('\n');
  }
  return [];
}

describe('cameras.json', () => {
  test('cameras.json: a name makes the id of the stream where none is given', () => {
    assert.deepEqual(
      parse([
        { name: 'Front door', address: 'rtsp://10.0.0.2/a' },
        { name: 'Küche', address: 'testsrc', stream: 'kitchen', audio: false, segmentSeconds: 4 },
      ]),
      [
        { name: 'Front door', address: 'rtsp://10.0.0.2/a', stream: 'front-door' },
        {
          ...{ name: 'Küche', address: 'testsrc', stream: 'kitchen' },
          ...{ audio: false, segmentSeconds: 4 },
        },
      ],
    );
    assert.equal(streamIdOf('  Küche / Süd 2 '), 'kuche-sud-2');
    assert.equal(streamIdOf('倉庫'), undefined);
    assert.equal(streamIdOf('metadata'), undefined, 'taken by a route');
  });

  test('cameras.json: each wrong entry is named, with what is expected of it', () => {
    assert.deepEqual(
      problemsOf([
        { name: 'Door', address: 'rtsp://10.0.0.2/a', segmentSeconds: 40 },
        { address: 'rtsp://10.0.0.3/a' },
        { name: 'Yard', adress: 'rtsp://10.0.0.4/a', address: '' },
        'rtsp://10.0.0.5/a',
        { name: '倉庫', address: 'testsrc' },
        { name: 'Roof', address: 'testsrc', video: 'copy', size: '640x360' },
        { name: 'roof', address: 'testsrc' },
      ]),
      [
        'cameras.json, entry 1 ("Door"): "segmentSeconds" is 40; expected: a number from 0.5 to 30.',
        'cameras.json, entry 2: "name" is missing; expected: a text of 1 to 200 characters.',
        'cameras.json, entry 3 ("Yard"): "address" is not right; expected: an address that ffmpeg reads, such as rtsp://USER:PASSWORD@HOST/PATH.',
        'cameras.json, entry 3 ("Yard"): unknown "adress"; did you mean address?',
        'cameras.json, entry 4: is "rtsp://10.0.0.5/a"; expected: an object with "name" and "address".',
        'cameras.json, entry 5 ("倉庫"): "stream" is missing, and the name makes none; expected: the id of a stream: 1 to 64 letters, digits, "-" or "_", beginning with a letter or digit.',
        'cameras.json, entry 6 ("Roof"): video that is copied keeps its bit rate and size; leave "bitrate" and "size" out.',
        'cameras.json, entry 7 ("roof"): stream "roof" is that of entry 6; give it a "stream" of its own.',
      ],
    );
  });

  test('cameras.json: what is no list of cameras is refused, and no password is shown', () => {
    assert.deepEqual(problemsOf([]), [
      'cameras.json is a list of 0 entries; expected: a list of 1 to 64 cameras, each { "name": …, "address": … }.',
    ]);
    assert.match(problemsOf({})[0] ?? '', /^cameras\.json is no list; /);
    const text = '[\n{ "name": "Door",\n "address": rtsp://x:secret@10.0.0.2 }]';
    assert.throws(
      () => parseCameraList(text, 'cameras.json'),
      (error: Error) =>
        /^cameras\.json is no JSON/.test(error.message) && !/secret/.test(error.message),
    );
    const wrong = [{ name: 'Door', address: '-i x:secret@y', key: '' }];
    assert.doesNotMatch(problemsOf(wrong).join(), /secret/);
  });

  test('cameras.json: any JSON is a list of cameras, or a list of problems', () => {
    const field = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null));
    const names = ['name', 'address', 'stream', 'segmentSeconds', 'bitrate', 'size', '__proto__'];
    const entry = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), field);
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.array(entry)), (list) => {
        for (const said of problemsOf(list)) assert.doesNotMatch(said, /\p{Cc}/u);
      }),
    );
  });
});

describe('the command line of the cameras', () => {
  const run = parseCamerasCommand(['cameras.json', '--key', 'owner']);
  assert.ok(run.type === 'run');

  test('cameras: the server of this machine is the default, and no list is wrong use', () => {
    assert.equal(run.to, 'http://127.0.0.1:8080');
    assert.deepEqual(parseCamerasCommand(['--find']), { type: 'find' });
    assert.throws(() => parseCamerasCommand([]), UsageError);
    assert.throws(() => parseCamerasCommand(['a.json', 'b.json']), UsageError);
  });

  test('cameras: a camera becomes the command of an encoder', () => {
    const camera = { name: '--Door', address: 'rtsp://10.0.0.2/a', stream: 'door' };
    const more = { audio: false, segmentSeconds: 4, video: 'encode', bitrate: '800k' } as const;
    const command = encodeCommandOf({ ...camera, ...more }, { ...run, spool: 'spool' }, {});
    assert.deepEqual(command, {
      type: 'encode',
      to: 'http://127.0.0.1:8080',
      spoolFolder: 'spool',
      quiet: true,
      key: 'owner',
      input: 'rtsp://10.0.0.2/a',
      videoId: 'door',
      loop: false,
      once: false,
      spoolLimitBytes: 10_000_000_000,
      noAudio: true,
      title: '--Door',
      video: 'encode',
      segmentSeconds: 4,
      bitrateBps: 800_000,
    });
  });

  test('cameras: a stream with an upload key of its own keeps its title; a file is repeated', () => {
    const camera = { name: 'Door', stream: 'door' };
    const own = encodeCommandOf({ ...camera, address: '/dev/video0', key: 'mine' }, run, {});
    assert.deepEqual([own.key, own.title, own.loop], ['mine', undefined, false]);
    const loops = (address: string) => encodeCommandOf({ ...camera, address }, run, {}).loop;
    assert.deepEqual(
      ['walk.mp4', 'file:///a.mp4', 'testsrc', 'http://10.0.0.2/video', 'v4l2:/dev/video0'].map(
        loops,
      ),
      [true, true, false, false, false],
    );
  });
});
