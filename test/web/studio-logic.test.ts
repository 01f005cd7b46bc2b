import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { deviceInstead } from '../../web/studio/device-choice.ts';
import { deviceProblem, isBeingSent, lineReport } from '../../web/studio/line-report.ts';
import { RestartLimit } from '../../web/studio/restart-limit.ts';
import { levelOf } from '../../web/studio/sound-level.ts';
import { accessOfLink } from '../../web/studio/studio-link.ts';
import { setLanguage } from '../../web/texts/text.ts';

describe('the logic of the studio page', () => {
  before(() => setLanguage(['en']));
  after(() => setLanguage(['en']));

  test('access: the link has the stream and its key in the fragment', () => {
    assert.deepEqual(accessOfLink('#stream=my-show&key=abc%2Bd'), {
      videoId: 'my-show',
      key: 'abc+d',
    });
    assert.deepEqual(accessOfLink('#stream=my-show'), { videoId: 'my-show' });
    assert.deepEqual(accessOfLink('#key=&stream='), {});
    assert.deepEqual(accessOfLink(''), {});
    assert.deepEqual(accessOfLink('#%'), {});
  });

  test('devices: another one takes the place of one that is unplugged, where there is one', () => {
    const [alias, first, second] = ['default', 'a', 'b'].map((deviceId) => ({ deviceId }));
    assert.ok(alias && first && second);
    assert.equal(deviceInstead([first, second], 'a'), second);
    assert.equal(deviceInstead([alias, first], 'a'), alias);
    assert.equal(deviceInstead([alias, first, second], 'a'), second);
    assert.equal(deviceInstead([first], 'a'), undefined, 'it is still listed');
    assert.equal(deviceInstead([{ deviceId: '' }], undefined), undefined);
  });

  test('line: it says what waits in seconds, and who has to do something', () => {
    const status = { line: 'sending', backlogSegments: 1, backlogSeconds: 2 } as const;
    assert.deepEqual(lineReport(status, true, true), { tone: 'good', text: 'Everything arrives.' });
    assert.deepEqual(lineReport({ ...status, backlogSegments: 4, backlogSeconds: 8 }, true, true), {
      tone: 'slow',
      text: 'The line is slow: 8 s wait to be sent. The picture takes fewer bits.',
    });
    assert.equal(lineReport(status, true, false).text, '2 s are on their way.');
    const out = { line: 'waiting', backlogSegments: 45, backlogSeconds: 90 } as const;
    assert.match(
      lineReport(out, true, true).text,
      /^The server cannot be reached\. 1 min are kept/,
    );
    assert.match(lineReport(out, false, true).text, /^No network\. 1 min are kept/);
    const problem = { code: 'run_superseded', message: '' };
    assert.match(
      lineReport({ ...out, line: 'refused', problem }, true, true).text,
      /^Another encoder/,
    );
    assert.match(
      lineReport({ ...out, line: 'refused' }, true, true).text,
      /^The server does not accept/,
    );
  });

  test('line: a stream is being sent where something came in the last ten seconds', () => {
    const at = (newestUploadAt: string, state: 'live' | 'ended') =>
      isBeingSent({ state, newestUploadAt, serverTime: '2026-09-10T12:00:30Z' });
    assert.equal(at('2026-09-10T12:00:25Z', 'live'), true);
    assert.equal(at('2026-09-10T12:00:15Z', 'live'), false);
    assert.equal(at('2026-09-10T12:00:25Z', 'ended'), false);
    assert.equal(isBeingSent({ state: 'created' }), false);
  });

  test('devices: what the browser refuses is a sentence', () => {
    const named = (name: string): Error => Object.assign(new Error(), { name });
    assert.match(deviceProblem(named('NotAllowedError')), /Allow them/);
    assert.match(deviceProblem(named('NotFoundError')), /Connect one/);
    assert.match(deviceProblem(named('NotReadableError')), /Another program/);
    assert.match(deviceProblem(new TypeError('mediaDevices is undefined')), /HTTPS/);
  });

  test('restarts: an encoder begins again three times in a minute, and any number of times in hours', () => {
    const limit = new RestartLimit();
    assert.deepEqual(
      [0, 1000, 2000, 3000].map((nowMs) => limit.mayRestart(nowMs)),
      [true, true, true, false],
    );
    const patient = new RestartLimit();
    for (let minute = 0; minute < 200; minute += 1) assert.ok(patient.mayRestart(60_000 * minute));
  });

  test('level: silence is 0, full scale is 1, and -30 dB is in the middle', () => {
    assert.equal(levelOf(new Float32Array(64)), 0);
    assert.equal(levelOf(new Float32Array(64).fill(1)), 1);
    assert.ok(Math.abs(levelOf(new Float32Array(64).fill(0.0316)) - 0.5) < 0.01);
  });
});
