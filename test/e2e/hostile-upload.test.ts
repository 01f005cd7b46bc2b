import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { ErrorBody } from '../../lib/api/messages.ts';
import { spinning, startHostileGateway } from '../support/hostile-gateway.ts';
import { makeSegments } from '../support/media.ts';
import { temporaryFolder } from '../support/system.ts';

describe('a body that inspection cannot end with', () => {
  test('stops nobody: health, other streams and their viewers are answered before it', async (t) => {
    const { request, upload } = await startHostileGateway(t);
    const { segments } = await makeSegments({ seconds: 4 });
    const bodies = segments.map(({ bytes }) => new Uint8Array(bytes));
    const release = join(await temporaryFolder(t), 'release');
    const events: string[] = [];
    const note = async (what: string, answer: Promise<Response>): Promise<void> => {
      const { status } = await answer;
      events.push(`${what} ${status}`);
    };
    const body = spinning(release, 'long');
    const hostile = [0, 1, 2].map((number) => note('hostile', upload('hostile', number, body)));
    await note('health', request('/healthz'));
    await note('upload', upload('other', 0, bodies[0] ?? assert.fail()));
    await note('upload', upload('other', 1, bodies[1] ?? assert.fail()));
    await note('state', request('/viewstream/metadata/other?format=json'));
    await writeFile(release, '');
    await Promise.all(hostile);
    assert.deepEqual(events, [
      ...['health 200', 'upload 201', 'upload 201', 'state 200'],
      ...['hostile 415', 'hostile 415', 'hostile 415'],
    ]);
  });

  test('is refused at its deadline, and the next segment of the stream is taken', async (t) => {
    const { upload } = await startHostileGateway(t);
    const refused = await upload('show', 0, spinning('/no/such/file', 'short'));
    assert.equal(refused.status, 422);
    const { code, message } = (await refused.json()) as ErrorBody;
    assert.deepEqual(
      [code, message],
      ['undecodable', 'The segment could not be read within 0.5 s.'],
    );
    const { segments } = await makeSegments({ seconds: 4 });
    const body = new Uint8Array(segments[0]?.bytes ?? assert.fail());
    assert.equal((await upload('show', 1, body)).status, 201);
  });
});
