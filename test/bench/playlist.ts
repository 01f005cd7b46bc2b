/** A warm playlist request on a long timeline against one on a short timeline. */

import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { planPublication } from '../../lib/domain/publication.ts';
import { EMPTY_TIMELINE } from '../../lib/domain/timeline.ts';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { StreamRecords } from '../../lib/pipeline/records/stream-records.ts';
import { type Figure, quantile } from './report.ts';
import { withSurroundings } from './surroundings.ts';

const SEGMENT_TICKS = 360_000;
const BATCH = 80;
const REQUESTS = 3000;
const WARM_UP = 300;
const LENGTHS = { short: 100, long: 100_000 } as const;

export const measurePlaylist = (): Promise<Figure[]> =>
  withSurroundings(async ({ folder, start }) => {
    const dataPath = join(folder, 'data');
    for (const [id, length] of Object.entries(LENGTHS)) await fill(dataPath, id, length);
    const system = await start({ dataPath });
    const agent = new Agent({ keepAlive: true });
    const times: Record<string, number[]> = { short: [], long: [] };
    for (let turn = 0; turn < WARM_UP + REQUESTS; turn += 1) {
      for (const id of Object.keys(LENGTHS)) {
        const tookMs = await timeRequest(
          `${system.url}/viewstream/metadata/${id}/720p.m3u8`,
          agent,
        );
        if (turn >= WARM_UP) times[id]?.push(tookMs);
      }
    }
    agent.destroy();
    const [short, long] = [times.short ?? [], times.long ?? []];
    return [
      { name: 'playlist median, 100 entries, ms', value: quantile(short, 0.5) },
      { name: 'playlist median, 100,000 entries, ms', value: quantile(long, 0.5) },
      { name: 'playlist p99, 100 entries, ms', value: quantile(short, 0.99) },
      { name: 'playlist p99, 100,000 entries, ms', value: quantile(long, 0.99) },
      {
        name: 'playlist p99, 100,000 entries : 100',
        value: quantile(long, 0.99) / quantile(short, 0.99),
      },
    ];
  });

/** As a CDN asks: compressed, and passed on as it comes. */
const timeRequest = (url: string, agent: Agent): Promise<number> =>
  new Promise((resolve, reject) => {
    const startMs = performance.now();
    const headers = { 'accept-encoding': 'gzip' };
    const request = get(url, { agent, headers }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${url}: ${answer.statusCode}`));
      answer.resume().on('end', () => resolve(performance.now() - startMs));
    });
    request.on('error', reject);
  });

/** A stream that has published so many segments, written as the publisher writes it. */
async function fill(dataPath: string, videoId: string, length: number): Promise<void> {
  const ports = embeddedPorts(openDataFolder(dataPath));
  const records = new StreamRecords(ports.store);
  const made = newStream(videoId, Date.now());
  const settings = { ...made.settings, targetDurationSeconds: 4, dvrWindowSeconds: 1800 };
  const stream = { ...made, settings: { ...settings, idleTimeoutSeconds: null } };
  await records.createStream(stream);
  let state = EMPTY_TIMELINE;
  for (let from = 0, version = 0; from < length; version += 1) {
    const count = Math.min(BATCH, length - from);
    const numbers = Array.from({ length: count }, (_, index) => from + index);
    const run = { run: 1, firstNumber: 0, createdAtMs: 0, anchorTicks: 0, anchorMs: Date.now() };
    const outcomes = numbers.map((number) => ({
      type: 'rendered' as const,
      run: 1,
      number,
      startTicks: number * SEGMENT_TICKS,
      durationTicks: SEGMENT_TICKS,
      renditions: {
        '720p': { key: `media/${videoId}/720p/1-${number}.m4s`, initKey: 'init', sizeBytes: 9 },
      },
      catalogue: { '720p': VIDEO },
      uploadedAtMs: 0,
      completedAtMs: 0,
    }));
    const plan = planPublication(
      state,
      { ...run, known: numbers, outcomes, isOver: false },
      RULES,
      0,
    );
    await records.appendEntries(stream, plan.entries, plan.state, version);
    state = plan.state;
    from += count;
  }
  ports.close();
}

const RULES = { holeGraceMs: 8000, targetDurationSeconds: 4 };
const VIDEO = {
  kind: 'video' as const,
  codecString: 'avc1.64001f',
  widthPx: 1280,
  heightPx: 720,
  framesPerSecond: 30,
};
