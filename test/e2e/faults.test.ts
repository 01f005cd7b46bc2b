import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import { encode, lavfi, startFfmpeg } from '../support/ffmpeg.ts';
import { startTestSystem, type TestSystem, temporaryFolder, waitFor } from '../support/system.ts';
import { openWatchPage, until } from '../web/watch-page-driver.ts';

const childrenOf = async (system: TestSystem): Promise<number[]> => {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']);
  return Array.from(stdout.matchAll(/^ *(\d+) +(\d+)$/gm), ([, pid, parent]) =>
    Number(parent) === system.process.pid ? Number(pid) : 0,
  ).filter((pid) => pid > 0);
};

test('a viewer is told of an encoder that falls silent, of workers that stand still, and of an end, and each time watches on when it is over', {
  skip: withoutChromium(),
}, async (t) => {
  const system = await startTestSystem(t);
  await system.fetch('/streams/faults', { method: 'PUT', body: '{}' });
  const push = () =>
    startFfmpeg(t, [
      ...['-re', ...lavfi('160x90', 10).toSpliced(4, 0, '-re'), ...encode(10)],
      ...['-f', 'hls', '-hls_time', '1', '-method', 'PUT'],
      `${system.urlWithKey}/upload/faults/live.m3u8`,
    ]);
  const encoder = push();
  const browser = await launchChromium();
  t.after(() => browser.close());
  const viewer = await openWatchPage(browser, `${system.url}/watch/faults`);
  const badge = () => viewer.page.locator('.stream-facts .badge').innerText();
  const watchesLive = async () => {
    await viewer.watches();
    await viewer.plays();
    await until('the badge is live', async () => (await badge()) === 'Live');
  };
  await watchesLive();

  encoder.kill('SIGSTOP');
  await until('the badge is not live', async () => (await badge()) === 'No signal');
  await viewer.says('The broadcaster sends nothing');
  encoder.kill('SIGCONT');
  await watchesLive();

  const workers = await waitFor('a worker', async () => {
    const pids = await childrenOf(system);
    return pids.length > 0 && pids;
  });
  for (const pid of workers) process.kill(pid, 'SIGSTOP');
  await viewer.says('The server is behind');
  assert.equal(await badge(), 'Live');
  for (const pid of workers) process.kill(pid, 'SIGCONT');
  await watchesLive();

  const ended = once(encoder, 'exit');
  encoder.kill('SIGTERM');
  await ended;
  await viewer.says('The broadcaster has ended the broadcast');
  assert.equal(await badge(), 'Ended');
  push();
  await watchesLive();
  assert.deepEqual(viewer.problems, []);
});

test('a viewer watches on, without a reload, when the server is killed and started again', {
  skip: withoutChromium(),
}, async (t) => {
  const dataPath = join(await temporaryFolder(t), 'data');
  const first = await startTestSystem(t, { dataPath });
  const port = Number(new URL(first.url).port);
  await first.fetch('/streams/restart', { method: 'PUT', body: '{}' });
  const push = () =>
    startFfmpeg(t, [
      ...['-re', ...lavfi('160x90', 10).toSpliced(4, 0, '-re'), ...encode(10)],
      ...['-f', 'hls', '-hls_time', '1', '-method', 'PUT', '-ignore_io_errors', '1'],
      `${first.urlWithKey}/upload/restart/live.m3u8`,
    ]);
  push();
  const browser = await launchChromium();
  t.after(() => browser.close());
  const viewer = await openWatchPage(browser, `${first.url}/watch/restart`);
  await viewer.watches();
  await viewer.plays();
  await viewer.page.evaluate('window.isSamePage = true');
  const before = await viewer.video(({ currentTime }) => currentTime);

  await first.kill('SIGKILL');
  await viewer.says('The server cannot be reached');
  await startTestSystem(t, { dataPath, port });
  await viewer.watches();
  await until('what came after the restart plays', async () => {
    return (await viewer.video(({ currentTime }) => currentTime)) > before + 15;
  });
  assert.equal(await viewer.page.evaluate('window.isSamePage'), true);
  assert.deepEqual(viewer.problems, []);
});
