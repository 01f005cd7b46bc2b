import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { codeOf, storedShow } from './stored-show.ts';

describe('the file of a segment', () => {
  test('holds the tallest video and the default audio, with sound of its neighbours', async (t) => {
    const { choose } = await storedShow(t);
    assert.equal(await choose('0'), '720p-audio-00.mp4', 'beside a gap');
    assert.equal(await choose('8'), '360p-audio-01.mp4');
    assert.equal(await choose('12'), '360p-audio-10.mp4', 'the newest');
  });

  test('holds the resolution that was asked for, or the piece that stands in for it', async (t) => {
    const { choose } = await storedShow(t);
    assert.equal(await choose('0', '480p'), '480p-audio-00.mp4');
    assert.equal(await choose('8', '720p'), '360p-audio-01.mp4');
  });

  test('holds the nearest rung below a size, or the smallest', async (t) => {
    const { choose } = await storedShow(t);
    for (const [asked, rung] of [
      ['1080p', '720p'],
      ['1920x1080', '720p'],
      ['1080x1920', '720p'],
      ['719', '480p'],
      ['480P', '480p'],
      ['144p', '360p'],
    ] as const) {
      assert.equal(await choose('0', asked), `${rung}-audio-00.mp4`, asked);
    }
    for (const asked of ['', 'best', '0', '-720', '72000p', '1e3', '480p,720p', 'NaN', '720p '])
      await assert.rejects(choose('0', asked), {
        code: 'rendition_not_found',
        message: `The stream has no resolution "${asked}".`,
        hint: 'Ask for 720p, 480p, 360p or source.',
      });
  });

  test('holds the audio of the lang that was asked for', async (t) => {
    const { choose } = await storedShow(t);
    assert.equal(await choose('0', undefined, 'de'), '720p-audio-2-00.mp4');
    assert.equal(await choose('0', '360p', 'de-AT'), '360p-audio-2-00.mp4');
    await assert.rejects(choose('0', undefined, 'fr'), {
      code: 'rendition_not_found',
      hint: 'It has en, de.',
    });
  });

  test('is what the query of a request asks for: timestamp, format, resolution, lang', async (t) => {
    const { request, redirect } = await storedShow(t);
    assert.equal(await redirect({}), '360p-audio-10.mp4');
    const query = { timestamp: '0', format: 'mov', resolution: '900p', lang: 'de-CH' };
    const { statusCode, headers } = await request(query);
    assert.equal(statusCode, 302);
    const { location, ...others } = headers ?? {};
    assert.match(String(location), /720p-audio-2-00\.mov$/);
    assert.deepEqual(others, {
      'cache-control': 'public, max-age=10',
      'rivulet-resolution': '720p',
      'rivulet-language': 'de',
    });
  });

  test('is in a format that the Accept header takes, if the query names none', async (t) => {
    const { request, redirect } = await storedShow(t);
    const at = { timestamp: '0' };
    for (const [accept, format] of [
      [undefined, 'mp4'],
      ['', 'mp4'],
      ['*/*', 'mp4'],
      ['text/html,application/xhtml+xml,image/avif,*/*;q=0.8', 'mp4'],
      ['video/webm, video/ogg, video/*;q=0.9, */*;q=0.5', 'webm'],
      ['video/quicktime, video/mp4;q=0.9', 'mov'],
      ['video/mp4;q=0, video/*;q=0.1, video/mp2t', 'ts'],
    ] as const) {
      assert.equal(await redirect(at, accept), `720p-audio-00.${format}`, accept);
    }
    assert.equal((await request(at, 'video/mp4')).headers?.vary, 'accept');
    assert.equal((await request({ ...at, format: 'ts' }, 'video/mp4')).headers?.vary, undefined);
    for (const accept of ['image/png', 'video/ogg;q=0.5', '*/*;q=0']) {
      assert.deepEqual(codeOf(await request(at, accept)), [406, 'not_acceptable']);
    }
  });

  test('of a client that prefers WebM, but takes MP4, is MP4 until the WebM is there', async (t) => {
    const { request, redirect } = await storedShow(t);
    const accept = 'video/webm, video/ts;q=0.9, video/mp4;q=0.8';
    assert.equal(await redirect({ timestamp: '0' }, accept), '720p-audio-00.webm');
    assert.equal(await redirect({ timestamp: '0' }, accept, '.webm'), '720p-audio-00.mp4');
    const only = await request({ timestamp: '0' }, 'video/webm', '.webm');
    assert.equal(only.statusCode, 202);
    assert.equal(only.headers?.vary, 'accept');
  });

  test('is made as WebM by one job of the class backfill, however many ask', async (t) => {
    const { deps, request } = await storedShow(t);
    for (let count = 0; count < 3; count += 1) {
      const { statusCode, headers, body } = await request(
        { timestamp: '8', format: 'webm' },
        '',
        '.webm',
      );
      assert.equal(statusCode, 202);
      assert.equal(headers?.['retry-after'], '2');
      assert.deepEqual(JSON.parse(body ?? ''), { ready: false, progress: 0, retryAfterSeconds: 2 });
    }
    const jobs = await deps.queues.backfillJobs.receive({ max: 10, waitMs: 0, leaseMs: 1000 });
    const [job, ...more] = jobs.map(({ body }) => JSON.parse(body));
    assert.deepEqual(more, []);
    assert.deepEqual(job, {
      ...{ kind: 'webm', videoId: 'show', uid: 'u1' },
      key: 'media/show/u1/files/1-0000000002-720000-360p-audio-01.webm',
      ...{ startTicks: 720_000, endTicks: 1_080_000 },
      picture: { initKey: 'i/360p', key: 'k/2/360p', maxrateBps: 2_500_000 },
      sound: { initKey: 'i/audio', keys: ['k/2/audio', 'k/3/audio'], language: 'en' },
    });
  });

  test('is not made as WebM where the owner has switched that off', async (t) => {
    const { deps, records, stream, request } = await storedShow(t);
    const found = (await records.findStream('show')) ?? assert.fail();
    const settings = { ...stream.settings, webm: 'never' } as const;
    assert.ok(await records.updateStream({ ...stream, settings }, found.version));
    const answer = await request({ timestamp: '0', format: 'webm' });
    assert.deepEqual(codeOf(answer), [400, 'unsupported_format']);
    assert.match(answer.body ?? '', /format=mp4, format=mov or format=ts/);
    assert.equal((await deps.queues.backfillJobs.depth()).ready, 0);
  });

  test('is refused for what nobody can make, with what there is', async (t) => {
    const { request } = await storedShow(t);
    for (const [query, answer] of [
      [{ format: 'avi' }, [400, 'unsupported_format']],
      [{ format: '' }, [400, 'unsupported_format']],
      [{ format: 'mp4,webm' }, [400, 'unsupported_format']],
      [{ format: 'constructor' }, [400, 'unsupported_format']],
      [{ resolution: '__proto__' }, [404, 'rendition_not_found']],
      [{ lang: '' }, [400, 'bad_request']],
      [{ lang: 'en,de' }, [400, 'bad_request']],
      [{ lang: 'xx' }, [404, 'rendition_not_found']],
      [{ timestamp: '' }, [400, 'bad_request']],
      [{ timestamp: 'Infinity' }, [400, 'bad_request']],
      [{ wait: '-1' }, [400, 'bad_request']],
      [{ wait: '1e9' }, [400, 'bad_request']],
    ] as const) {
      assert.deepEqual(codeOf(await request(query)), answer, JSON.stringify(query));
    }
    const { body } = await request({ format: 'avi' });
    assert.match(body ?? '', /Ask for format=mp4, format=webm, format=mov or format=ts\./);
  });

  test('whatever stands in a query, the answer is a file or says why not', async (t) => {
    const { request } = await storedShow(t);
    const text = fc.oneof(fc.string({ maxLength: 40 }), fc.constantFrom('0', '720p', 'mp4', 'de'));
    const names = ['timestamp', 'format', 'resolution', 'lang', 'wait'] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom(...names), text),
        text,
        async (query, accept) => {
          const { statusCode = 0, body } = await request({ ...query, wait: '0' }, accept);
          assert.ok([302, 400, 404, 406].includes(statusCode), body);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('of the source is refused in formats that do not carry it, with those that do', async (t) => {
    const { chooseSource } = await storedShow(t);
    await assert.rejects(chooseSource({ format: 'webm' }), {
      code: 'unsupported_format',
      message: 'The source of segment 0 has H.264 and AAC, which webm cannot carry.',
      hint: 'Ask for format=mp4, format=mov or format=ts, or for one of the renditions (resolution=720p).',
    });
  });

  test('of a VP9 source names MP4 and WebM', async (t) => {
    const { chooseSource } = await storedShow(t);
    await assert.rejects(chooseSource({ codec: 'vp9', format: 'ts' }), {
      hint: 'Ask for format=mp4 or format=webm, or for one of the renditions (resolution=720p).',
    });
  });

  test('of the source in a language that it lacks is refused', async (t) => {
    const { chooseSource } = await storedShow(t);
    await assert.rejects(chooseSource({ lang: 'de' }), { code: 'rendition_not_found' });
  });

  test('is not made of renditions that are gone', async (t) => {
    const { request } = await storedShow(t);
    const answer = await request({ timestamp: '0', format: 'mp4' }, '', '.mp4');
    assert.deepEqual(codeOf(answer), [404, 'moment_not_found']);
  });

  test('is not made of a source that is larger than viewers may ask memory for', async (t) => {
    const { chooseSource } = await storedShow(t);
    await assert.rejects(chooseSource({ sizeBytes: 64_000_001 }), {
      code: 'too_large',
      message: 'The source of segment 0 has 64000001 bytes; up to 64000000 are made into a file.',
    });
  });

  test('is not made of a source that is gone', async (t) => {
    const { chooseSource } = await storedShow(t);
    await assert.rejects(chooseSource({ sizeBytes: 64_000_000 }), { message: /is not kept/ });
  });
});
