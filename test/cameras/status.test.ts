import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Receipt } from '../../lib/api/messages.ts';
import { UsageError } from '../../lib/base/command-line.ts';
import { CameraStatus } from '../../lib/cameras/camera-status.ts';
import { runCamera } from '../../lib/cameras/run-camera.ts';
import { StatusBoard } from '../../lib/cameras/status-board.ts';

const OPTIONS = { label: 'door', quiet: false, backlog: () => ({ segments: 1, seconds: 2 }) };
const RECEIPT = { durationMs: 2000, serverTime: new Date(0).toISOString() } as Receipt;
const SENT = { sizeBytes: 1_000_000, spooledAtMs: 0 };

describe('the status of a camera', () => {
  test('camera status: a warning stands until the next segment was sent', () => {
    const status = new CameraStatus('Door');
    assert.equal(status.line, 'connecting');
    const progress = status.startProgress({ ...OPTIONS, now: () => 1000 });
    progress.sent(SENT, RECEIPT);
    assert.equal(status.state, 'sending');
    assert.match(status.line, /^sent 1, waiting 1 \(2\.0 s\), 8\.0 Mbit\/s/);
    progress.info('Not for this line.');
    progress.warn('Waiting for rtsp://10.0.0.2/a: \u001b[31mconnection refused\n');
    assert.equal(status.line, 'Waiting for rtsp://10.0.0.2/a: [31mconnection refused');
    progress.sent(SENT, RECEIPT);
    assert.equal(status.state, 'sending');
    progress.warn('The server is away.');
    const next = status.startProgress(OPTIONS);
    assert.equal(status.state, 'connecting');
    next.sent(SENT, RECEIPT);
    assert.equal(status.state, 'sending');
    progress.stop();
    next.stop();
  });

  test('camera status: a terminal is redrawn in place, within its width', () => {
    const written: string[] = [];
    const cameras = [new CameraStatus('Door'), new CameraStatus('Back yard')];
    const output = { isTTY: true, columns: 31, write: (text: string) => written.push(text) };
    const board = new StatusBoard(cameras, output);
    board.draw();
    cameras[0]?.warn('a reason that is too long for the line');
    board.draw();
    assert.deepEqual(written, [
      '\r\u001b[KDoor       connecting\n\r\u001b[KBack yard  connecting\n',
      '\u001b[2A\r\u001b[KDoor       a reason that is to\n\r\u001b[KBack yard  connecting\n',
    ]);
  });

  test('camera status: elsewhere a line is printed when the state of its camera changes', () => {
    const written: string[] = [];
    const cameras = [new CameraStatus('Door'), new CameraStatus('Yard')];
    const board = new StatusBoard(cameras, { write: (text) => written.push(text) });
    board.draw();
    const progress = cameras[1]?.startProgress(OPTIONS);
    for (let count = 0; count < 3; count += 1) {
      progress?.sent(SENT, RECEIPT);
      board.draw();
    }
    cameras[0]?.warn('no such host');
    board.draw();
    assert.deepEqual(
      written.map((line) => line.replace(/sent.*/, 'sent …')),
      ['Door: connecting\n', 'Yard: connecting\n', 'Yard: sent …\n', 'Door: no such host\n'],
    );
  });
});

describe('the run of a camera', () => {
  type Run = (status: CameraStatus) => number;

  /** The waits between runs of the encoder; the last of them is interrupted. */
  async function waitsOf(...runs: readonly Run[]): Promise<[waits: number[], lines: string[]]> {
    const status = new CameraStatus('Door');
    const finish = new AbortController();
    const waits: number[] = [];
    const lines: string[] = [];
    let run = 0;
    await runCamera({
      status,
      random: () => 1,
      interrupts: {
        finish: finish.signal,
        abort: new AbortController().signal,
        exitCode: () => 130,
      },
      async encode(_, startProgress) {
        startProgress(OPTIONS).stop();
        run += 1;
        return runs[run - 1]?.(status) ?? 0;
      },
      async wait(ms) {
        waits.push(ms);
        lines.push(status.line);
        if (run === runs.length) finish.abort();
      },
    });
    lines.push(status.line);
    return [waits, lines];
  }

  test('camera run: an encoder that ends is started again, later each time, and says why', async () => {
    const refused: Run = (status) => {
      status.warn('That is not the key.');
      return 2;
    };
    const missing: Run = () => {
      throw new UsageError('INPUT "walk.mp4": there is no such file');
    };
    const [waits, lines] = await waitsOf(
      refused,
      missing,
      () => 0,
      () => 2,
    );
    assert.deepEqual(waits, [1000, 2000, 4000, 8000]);
    assert.deepEqual(lines, [
      'That is not the key; starting again in 1 s.',
      'INPUT "walk.mp4": there is no such file; starting again in 2 s.',
      'the camera ended; starting again in 4 s.',
      'the encoder ended with 2; starting again in 8 s.',
      'ended',
    ]);
  });

  test('camera run: the wait has a limit, and one that sent something is back soon', async () => {
    const fails: Run = () => 2;
    const sends: Run = (status) => {
      status.startProgress(OPTIONS).sent(SENT, RECEIPT);
      return 2;
    };
    const [waits] = await waitsOf(...Array<Run>(8).fill(fails), sends, fails);
    assert.deepEqual(waits.slice(4), [16_000, 32_000, 60_000, 60_000, 1000, 2000]);
  });
});
