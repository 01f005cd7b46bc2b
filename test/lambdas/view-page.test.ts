import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Context } from 'aws-lambda';
import { noPage, viewPageHandler } from '../../lambdas/api/view-page.ts';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';

const HTML =
  '<head>\n    <!-- of the stream -->\n    <title>Rivulet</title>\n    <!-- end -->\n</head>';

async function setUp(t: TestContext, title: string) {
  const engine = await testEngine(t);
  const made = newStream('show', START_MS);
  const stream = { ...made, settings: { ...made.settings, title } };
  await engine.records.createStream(stream);
  const handler = viewPageHandler(engine.deps, async (name) => `${name} ${HTML}`);
  const get = (path: string, headers: Readonly<Record<string, string>> = { host: 'box:8080' }) => {
    const pathParameters = { videoId: path.split('/')[2] };
    const event = { rawPath: path, pathParameters, headers };
    return handler(event as unknown as HttpEvent, {} as Context);
  };
  return { engine, stream, get };
}

describe('the page of a stream', () => {
  test('says in its head what it shows, before the start, live and afterwards', async (t) => {
    const { engine, stream, get } = await setUp(t, 'A show');
    const head = (description: string) => `watch <head>
    <title>A show · Rivulet</title>
    <meta name="description" content="${description}">
    <meta property="og:title" content="A show">
    <meta property="og:description" content="${description}">
    <meta property="og:type" content="video.other">
    <meta property="og:site_name" content="Rivulet">
    <meta property="og:url" content="http://box:8080/watch/show">
    <link rel="canonical" href="http://box:8080/watch/show">
</head>`;
    assert.equal((await get('/watch/show')).body, head('Begins soon'));
    for (let number = 0; number < 40; number += 1) {
      await acknowledge(engine, stream, 1, number);
      await settle(engine, stream, 1, number);
    }
    assert.equal((await get('/watch/show')).body, head('Live now'));
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
    assert.equal((await get('/watch/show')).body, head('Recording, 3 min'));
  });

  test('shows the newest poster that was published in previews, by an absolute address', async (t) => {
    const { engine, stream, get } = await setUp(t, 'A show');
    for (const number of [0, 1, 2]) {
      await acknowledge(engine, stream, 1, number);
      const poster = number === 2 ? {} : { poster: `media/show/1/poster-${number}.jpg` };
      await settle(engine, stream, 1, number, ['720p'], poster);
    }
    const { body = '' } = await get('/watch/show');
    const image = 'http://box:8080/media/show/1/poster-1.jpg';
    assert.ok(body.includes(`<meta property="og:image" content="${image}">`), body);
    assert.ok(body.includes('<meta property="twitter:card" content="summary_large_image">'));
    const view = await createViewer(engine.deps).state('show');
    assert.equal(view.poster, '/media/show/1/poster-1.jpg');
  });

  test('shows a title as text, whatever is in it', async (t) => {
    const { get } = await setUp(t, `"><script>alert('$&')</script>&`);
    const { body = '' } = await get('/watch/show');
    const text = '&quot;&gt;&lt;script&gt;alert(&#39;$&amp;&#39;)&lt;/script&gt;&amp;';
    assert.ok(body.includes(`<title>${text} · Rivulet</title>`), body);
    assert.ok(!body.includes('<script>'));
  });

  test('is there before its stream is, by the host that the viewer asked', async (t) => {
    const { get } = await setUp(t, 'A show');
    const { statusCode, body } = await get('/watch/later', {
      host: 'api.internal',
      'x-forwarded-host': 'tv.example',
      'x-forwarded-proto': 'https',
    });
    assert.equal(statusCode, 200);
    assert.match(
      body ?? '',
      /<title>later · .*og:url" content="https:\/\/tv\.example\/watch\/later"/s,
    );
  });

  test('may be framed by its own site alone, and the player by any', async (t) => {
    const { get } = await setUp(t, 'A show');
    const policyOf = async (path: string) => (await get(path)).headers?.['content-security-policy'];
    assert.equal(await policyOf('/watch/show'), "frame-ancestors 'self'");
    assert.equal(await policyOf('/embed/show'), 'frame-ancestors *');
    assert.match((await get('/embed/show')).body ?? '', /^embed /);
  });

  test('is refused for what cannot be the name of a stream, and by a server without pages', async (t) => {
    const { engine, get } = await setUp(t, 'A show');
    assert.equal((await get('/watch/a b')).statusCode, 400);
    const without = viewPageHandler(engine.deps, noPage);
    const event = { rawPath: '/watch/show', pathParameters: { videoId: 'show' }, headers: {} };
    assert.equal((await without(event as unknown as HttpEvent, {} as Context)).statusCode, 404);
  });
});
