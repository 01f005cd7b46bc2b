import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ApiError } from '../../lib/api/client.ts';
import type { Receipt } from '../../lib/api/messages.ts';
import type { ErrorCode } from '../../lib/domain/errors.ts';
import { BitrateControl } from '../../web/studio/bitrate-control.ts';
import {
  fileNameOf,
  inSendingOrder,
  type SegmentStore,
  type SpooledSegment,
  segmentOfFile,
  sessionName,
} from '../../web/studio/segment-store.ts';
import { Uploader } from '../../web/studio/uploader.ts';

const segment = (session: string, number: number): SpooledSegment => ({
  session,
  number,
  atMs: 1_764_000_000_000 + 2000 * number,
  durationSeconds: 2,
  sizeBytes: 1,
});

const bytesOf = ({ number }: SpooledSegment): Uint8Array<ArrayBuffer> => Uint8Array.of(number);

/** Files that outlive a page; `room`: how many there is space for. */
class Files implements SegmentStore {
  readonly kept = new Map<string, SpooledSegment>();
  room = 1000;

  async store(one: SpooledSegment): Promise<void> {
    if (this.kept.size >= this.room) throw new DOMException('full', 'QuotaExceededError');
    this.kept.set(`${one.session}/${one.number}`, one);
  }
  async read(one: SpooledSegment): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.kept.has(`${one.session}/${one.number}`) ? bytesOf(one) : undefined;
  }
  async remove(one: SpooledSegment): Promise<void> {
    this.kept.delete(`${one.session}/${one.number}`);
  }
  async list(): Promise<readonly SpooledSegment[]> {
    return [...this.kept.values()].sort(inSendingOrder);
  }
}

const refusal = (status: number, code: ErrorCode | 'network'): ApiError =>
  new ApiError(code, `HTTP ${status}`, '', status);

/** A server that answers like the real one, and fails where the test says so. */
class Server {
  readonly sent: string[] = [];
  readonly stored = new Set<string>();
  readonly faults: (Error | undefined)[] = [];
  readonly waits: number[] = [];
  readonly starts: number[] = [];
  serverTimeMs = 1_764_000_000_000;
  isOut = false;
  inFlight = 0;
  files = new Files();

  uploader(): Uploader {
    return new Uploader({
      store: this.files,
      upload: (one, session, atMs) => this.#receive(one, session, atMs),
      pause: async (ms) => {
        this.waits.push(ms);
        if (this.waits.length > 20) this.isOut = false;
      },
      now: () => 1_764_000_000_000,
      onChange: () => undefined,
    });
  }

  async #receive({ number }: SpooledSegment, session: string, atMs: number): Promise<Receipt> {
    this.inFlight += 1;
    assert.equal(this.inFlight, 1, 'one in flight');
    await Promise.resolve();
    this.inFlight -= 1;
    if (this.isOut) throw refusal(0, 'network');
    const fault = this.faults.shift();
    if (fault) throw fault;
    this.sent.push(`${session}/${number}`);
    this.starts.push(atMs);
    this.stored.add(`${session}/${number}`);
    const numbers = [...this.stored]
      .filter((name) => name.startsWith(`${session}/`))
      .map((name) => Number(name.split('/')[1]));
    const next = Math.max(...numbers) + 1;
    const missing = Array.from({ length: next }, (_, one) => one).filter(
      (one) => one > Math.min(...numbers) && !numbers.includes(one),
    );
    return {
      stored: true,
      ...{ videoId: 'v', session, segment: number, digest: '', sizeBytes: 1, durationMs: 2000 },
      ...{ missing, next, serverTime: new Date(this.serverTimeMs).toISOString() },
    };
  }
}

async function addAll(uploader: Uploader, segments: readonly SpooledSegment[]): Promise<void> {
  for (const one of segments) await uploader.add(one, bytesOf(one));
}

describe('the uploads of the studio', () => {
  test('uploader: segments are sent in order, one at a time, and leave nothing behind', async () => {
    const server = new Server();
    const uploader = server.uploader();
    await addAll(
      uploader,
      [0, 1, 2, 3, 4].map((number) => segment('a', number)),
    );
    assert.equal(await uploader.settled(), true);
    assert.deepEqual(server.sent, ['a/0', 'a/1', 'a/2', 'a/3', 'a/4']);
    assert.equal(server.files.kept.size, 0);
    assert.deepEqual(uploader.backlog, { segments: 0, seconds: 0 });
  });

  test('uploader: while the network is out, segments are kept and counted in seconds', async () => {
    const server = new Server();
    server.isOut = true;
    const uploader = server.uploader();
    await addAll(uploader, [segment('a', 0), segment('a', 1), segment('a', 2)]);
    assert.deepEqual(uploader.backlog, { segments: 3, seconds: 6 });
    assert.equal(server.files.kept.size, 3);
    assert.equal(await uploader.settled(), true);
    assert.deepEqual(server.sent, ['a/0', 'a/1', 'a/2']);
    assert.deepEqual(server.waits.slice(0, 6), [500, 1000, 2000, 4000, 8000, 8000]);
    assert.equal(uploader.lost, 0);
  });

  test('uploader: after a reload what an earlier page left goes first, under its own session', async () => {
    const server = new Server();
    await server.files.store(segment('studio-1', 8));
    await server.files.store(segment('studio-1', 7));
    const uploader = server.uploader();
    const recovered = uploader.recover();
    await uploader.add(segment('studio-2', 0), bytesOf(segment('studio-2', 0)));
    await recovered;
    await uploader.settled();
    assert.deepEqual(server.sent, ['studio-1/7', 'studio-1/8', 'studio-2/0']);
  });

  test('uploader: a clock that was set back meanwhile does not change that order', async () => {
    const server = new Server();
    await server.files.store(segment('studio-2027', 7));
    const uploader = server.uploader();
    await Promise.all([
      uploader.recover(),
      uploader.add(segment('studio-2026', 0), bytesOf(segment('studio-2026', 0))),
    ]);
    await uploader.settled();
    assert.deepEqual(server.sent, ['studio-2027/7', 'studio-2026/0']);
  });

  test('uploader: a segment whose receipt was lost is sent again, and then it is done', async () => {
    const server = new Server();
    server.faults.push(refusal(0, 'network'), refusal(503, 'unavailable'));
    const uploader = server.uploader();
    await addAll(uploader, [segment('a', 0), segment('a', 1)]);
    await uploader.settled();
    assert.deepEqual(server.sent, ['a/0', 'a/1']);
    assert.equal(uploader.state, 'sending');
    assert.equal(uploader.problem, undefined);
  });

  test('uploader: what a receipt calls missing is sent once more', async () => {
    const server = new Server();
    const uploader = server.uploader();
    const segments = [0, 1, 2].map((number) => segment('a', number));
    await addAll(uploader, segments);
    while (uploader.backlog.segments > 0) await Promise.resolve();
    server.stored.delete('a/1');
    await uploader.add(segment('a', 3), bytesOf(segment('a', 3)));
    await uploader.settled();
    assert.deepEqual(server.sent, ['a/0', 'a/1', 'a/2', 'a/3', 'a/1']);
  });

  test('uploader: what the server has is not sent', async () => {
    const server = new Server();
    server.stored.add('a/1').add('a/2');
    const uploader = server.uploader();
    for (const number of [0, 1, 2, 3]) await server.files.store(segment('a', number));
    await uploader.recover();
    await uploader.settled();
    assert.deepEqual(server.sent, ['a/0', 'a/3']);
    assert.equal(server.files.kept.size, 0);
  });

  test('uploader: a key that opens nothing stops it, and a new one lets it go on', async () => {
    const server = new Server();
    server.faults.push(refusal(403, 'forbidden'));
    const uploader = server.uploader();
    await addAll(uploader, [segment('a', 0), segment('a', 1)]);
    assert.equal(await uploader.settled(), false);
    assert.equal(uploader.state, 'refused');
    assert.deepEqual(uploader.backlog, { segments: 2, seconds: 4 });
    uploader.resume();
    assert.equal(await uploader.settled(), true);
    assert.deepEqual(server.sent, ['a/0', 'a/1']);
  });

  test('uploader: a segment that the server refuses for good is lost alone', async () => {
    const server = new Server();
    server.faults.push(undefined, refusal(422, 'undecodable'));
    const uploader = server.uploader();
    await addAll(
      uploader,
      [0, 1, 2].map((number) => segment('a', number)),
    );
    assert.equal(await uploader.settled(), true);
    assert.deepEqual(server.sent, ['a/0', 'a/2']);
    assert.equal(uploader.lost, 1);
  });

  test('uploader: after another broadcast has followed, what is left goes on as a new session', async () => {
    const server = new Server();
    server.faults.push(undefined, refusal(409, 'run_superseded'));
    const uploader = server.uploader();
    await addAll(
      uploader,
      [0, 1, 2].map((number) => segment('a', number)),
    );
    assert.equal(await uploader.settled(), true);
    assert.deepEqual(server.sent, ['a/0', 'a.r2/1', 'a.r2/2']);
  });

  test('uploader: another encoder that sends on and on stops it', async () => {
    const server = new Server();
    server.faults.push(...Array.from({ length: 9 }, () => refusal(409, 'run_superseded')));
    const uploader = server.uploader();
    await addAll(uploader, [segment('a', 0)]);
    assert.equal(await uploader.settled(), false);
    assert.equal(uploader.problem?.code, 'run_superseded');
    assert.equal(uploader.backlog.segments, 1);
  });

  test('uploader: where nothing more fits, the oldest goes', async () => {
    const server = new Server();
    server.files.room = 2;
    server.faults.push(refusal(401, 'unauthorized'));
    const uploader = server.uploader();
    await addAll(uploader, [segment('a', 0)]);
    await uploader.settled();
    await addAll(
      uploader,
      [1, 2, 3].map((number) => segment('a', number)),
    );
    assert.deepEqual(
      [...server.files.kept.values()].map(({ number }) => number),
      [2, 3],
    );
    assert.equal(uploader.lost, 2);
    assert.equal(uploader.backlog.segments, 2);
  });

  test('uploader: a clock that is wrong by an hour is put right by the first receipt', async () => {
    const server = new Server();
    server.serverTimeMs += 3_600_000;
    const uploader = server.uploader();
    await addAll(uploader, [segment('a', 0), segment('a', 1)]);
    await uploader.settled();
    assert.deepEqual(server.starts, [1_764_000_000_000, 1_764_003_602_000]);
  });

  test('uploader: whatever fails in between, all that was taken arrives, in order', async () => {
    const fault = fc.constantFrom(undefined, refusal(0, 'network'), refusal(503, 'unavailable'));
    await fc.assert(
      fc.asyncProperty(fc.nat(12), fc.array(fault, { maxLength: 15 }), async (count, faults) => {
        const server = new Server();
        server.faults.push(...faults);
        const uploader = server.uploader();
        const segments = Array.from({ length: count }, (_, number) => segment('a', number));
        await addAll(uploader, segments);
        await uploader.settled();
        assert.deepEqual(
          server.sent,
          segments.map(({ number }) => `a/${number}`),
        );
      }),
    );
  });
});

describe('the files of the studio', () => {
  test('segment files: the name has all that is known, and a torn file is none', () => {
    const one = { ...segment('studio-1', 12), durationSeconds: 2.033333, sizeBytes: 81_234 };
    assert.equal(fileNameOf(one), '00000012_1764000024000_2033333_81234.mp4');
    assert.deepEqual(segmentOfFile('studio-1', fileNameOf(one), 81_234), one);
    assert.equal(segmentOfFile('studio-1', fileNameOf(one), 81_233), undefined);
    for (const name of ['probe', '12_1_1_1.mp4', '00000012_1_1_1.mp4.tmp', '../x']) {
      assert.equal(segmentOfFile('studio-1', name, 1), undefined);
    }
  });

  test('segment files: sessions sort by their start', () => {
    const earlier = sessionName(Date.UTC(2026, 8, 9, 23, 59, 59, 999), 'zz');
    const later = sessionName(Date.UTC(2026, 8, 10), 'aa');
    assert.equal(earlier, 'studio-20260909T235959999Z-zz');
    assert.ok(earlier < later);
    assert.match(earlier, /^[A-Za-z0-9_.-]{1,120}$/);
  });
});

describe('the bit rate of the studio', () => {
  test('bitrate control: it goes down when more than two segments wait, and not again at once', () => {
    const control = new BitrateControl(2_000_000);
    assert.equal(control.update(2, 0), 2_000_000);
    assert.equal(control.update(3, 2000), 1_400_000);
    assert.equal(control.update(4, 4000), 1_400_000);
    assert.equal(control.update(4, 6000), 980_000);
  });

  test('bitrate control: it goes up after each 30 s without a backlog, never above the chosen rate', () => {
    const control = new BitrateControl(2_000_000);
    control.update(3, 0);
    assert.equal(control.update(1, 2000), 1_400_000);
    assert.equal(control.update(1, 31_999), 1_400_000);
    assert.equal(control.update(1, 32_000), 1_820_000);
    assert.equal(control.update(1, 61_000), 1_820_000);
    assert.equal(control.update(1, 62_000), 2_000_000);
    assert.equal(control.update(0, 200_000), 2_000_000);
  });

  test('bitrate control: a backlog begins the 30 s anew, and 300 kbit/s is the least', () => {
    const control = new BitrateControl(2_000_000);
    let bps = 0;
    for (let nowMs = 0; nowMs < 100_000; nowMs += 2000) bps = control.update(9, nowMs);
    assert.equal(bps, 300_000);
    control.update(0, 100_000);
    control.update(3, 120_000);
    assert.equal(control.update(0, 131_000), 300_000);
    assert.equal(control.update(0, 161_000), 390_000);
    assert.equal(new BitrateControl(200_000).update(5, 0), 200_000);
  });
});
