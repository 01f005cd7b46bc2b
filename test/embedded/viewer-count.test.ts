import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { countingViewers, ViewerCount } from '../../lib/embedded/viewer-count.ts';

describe('viewers of a stream on one machine', () => {
  test('a client counts once, for 15 s after its newest playlist, on each stream apart', () => {
    let nowMs = 0;
    const viewers = new ViewerCount(() => nowMs);
    viewers.saw('a', 'one');
    viewers.saw('a', 'two');
    viewers.saw('a', 'one');
    viewers.saw('b', 'one');
    assert.deepEqual([viewers.of('a'), viewers.of('b'), viewers.of('c')], [2, 1, 0]);
    nowMs = 14_000;
    viewers.saw('a', 'two');
    nowMs = 15_000;
    assert.deepEqual([viewers.of('a'), viewers.of('b')], [1, 0]);
    nowMs = 29_000;
    assert.equal(viewers.of('a'), 0);
  });

  test('no more than 20,000 clients are remembered, the newest', () => {
    const viewers = new ViewerCount(() => 0);
    viewers.saw('old', 'one');
    for (let client = 0; client < 20_000; client += 1) viewers.saw('a', String(client));
    assert.deepEqual([viewers.of('a'), viewers.of('old')], [20_000, 0]);
    viewers.saw('b', 'one');
    assert.deepEqual([viewers.of('a'), viewers.of('b')], [19_999, 1]);
  });

  test('who is served a playlist is counted, by address and program, behind a proxy here by what it says', async () => {
    const viewers = new ViewerCount(() => 0);
    const answer = { statusCode: 200 };
    const route = countingViewers({ method: 'GET', path: '/p', handler: () => answer }, viewers);
    const ask = (videoId: string, sourceIp: string, agent: string, forwarded = '') => {
      const headers = { 'user-agent': agent, 'x-forwarded-for': `${forwarded}${sourceIp}` };
      const event = {
        headers,
        pathParameters: { videoId },
        requestContext: { http: { sourceIp } },
      };
      return route.handler(event as unknown as APIGatewayProxyEventV2, {} as Context);
    };
    assert.equal(await ask('a', '192.0.2.1', 'hls.js'), answer);
    await ask('a', '192.0.2.1', 'hls.js');
    await ask('a', '192.0.2.1', 'VLC');
    await ask('a', '192.0.2.2', 'VLC', '203.0.113.9,');
    assert.equal(viewers.of('a'), 3);
    for (const client of ['203.0.113.1', '203.0.113.2'])
      await ask('b', '127.0.0.1', 'VLC', `${client},`);
    assert.equal(viewers.of('b'), 2);
    answer.statusCode = 304;
    await ask('b', '192.0.2.1', 'hls.js');
    assert.equal(viewers.of('b'), 3, 'what its player has already counts as well');
    const ofDash = countingViewers(route, viewers, '.mpd');
    const askForDash = (videoId: string) => {
      const event = {
        pathParameters: { videoId },
        headers: {},
        requestContext: { http: { sourceIp: '192.0.2.7' } },
      };
      return ofDash.handler(event as unknown as APIGatewayProxyEventV2, {} as Context);
    };
    await askForDash('d.mpd');
    await askForDash('d');
    assert.equal(
      viewers.of('d'),
      1,
      'who asks for an MPD counts, and for a multivariant playlist not',
    );
    answer.statusCode = 404;
    await ask('none', '192.0.2.1', 'hls.js');
    assert.equal(viewers.of('none'), 0);
  });
});
