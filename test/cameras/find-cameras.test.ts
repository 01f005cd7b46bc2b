import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { findCameras } from '../../lib/cameras/find-cameras.ts';
import { parseProbeMatches, probeMessage } from '../../lib/cameras/ws-discovery.ts';

type Answer = Readonly<{ id?: string; scopes?: string; addresses?: string }>;

const matchOf = ({ id = 'urn:uuid:1', scopes = '', addresses = 'http://10.0.0.2/onvif' }: Answer) =>
  `<d:ProbeMatch><a:EndpointReference><a:Address>${id}</a:Address></a:EndpointReference>
   <d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>${scopes}</d:Scopes>
   <d:XAddrs>${addresses}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch>`;

const answerOf = (...answers: readonly Answer[]): string =>
  `<?xml version="1.0"?><!-- <d:ProbeMatch> --><s:Envelope><s:Header><a:RelatesTo>uuid:1</a:RelatesTo></s:Header>
   <s:Body><d:ProbeMatches>${answers.map(matchOf).join('')}</d:ProbeMatches></s:Body></s:Envelope>`;

const parse = (text: string) => parseProbeMatches(Buffer.from(text));

describe('WS-Discovery', () => {
  test('WS-Discovery: name, hardware and addresses are read, whatever the prefixes', () => {
    const scopes =
      'onvif://www.onvif.org/type/video_encoder\n onvif://www.onvif.org/name/AXIS%20P3245 onvif://www.onvif.org/hardware/P3245-V';
    const camera = {
      ...{ id: 'urn:uuid:1', name: 'AXIS P3245', hardware: 'P3245-V' },
      addresses: ['http://10.0.0.2/onvif/a?b=1&c=2', 'http://[fe80::1]/onvif'],
    };
    const addresses = 'http://10.0.0.2/onvif/a?b=1&amp;c=2  http://[fe80::1]/onvif';
    const answer = answerOf({ scopes, addresses });
    assert.deepEqual(parse(answer), [camera]);
    assert.deepEqual(parse(answer.replaceAll(/<(\/?)\w+:/g, '<$1')), [camera], 'no prefixes');
    assert.deepEqual(parse(answer.replaceAll(/<(\/?)\w+:(\w+)/g, '<$1wsdd-1.x:$2')), [camera]);
  });

  test('WS-Discovery: nothing of an answer can move the cursor of a terminal', () => {
    const scopes =
      'onvif://www.onvif.org/name/%1b%5b2J%E2%80%AEDoor onvif://www.onvif.org/hardware/%ff';
    const [camera] = parse(answerOf({ id: 'urn:\u0007x', scopes }));
    assert.deepEqual([camera?.name, camera?.hardware, camera?.id], ['[2J Door', '%ff', 'urn: x']);
  });

  test('WS-Discovery: a camera without an address of HTTP is none, and lengths are bounded', () => {
    for (const addresses of [
      '',
      'javascript:alert(1)',
      'http://',
      'http://a\u0000b/',
      'ftp://a/',
    ]) {
      assert.deepEqual(parse(answerOf({ addresses })), [], addresses);
    }
    const long = `onvif://www.onvif.org/name/${'x'.repeat(5000)}`;
    const [camera] = parse(
      answerOf({ scopes: long, addresses: 'http://10.0.0.2/a '.repeat(100), id: 'y'.repeat(900) }),
    );
    assert.deepEqual(
      [camera?.name.length, camera?.addresses.length, camera?.id.length],
      [80, 8, 200],
    );
    assert.equal(parse(answerOf(...Array<Answer>(200).fill({}))).length, 64);
    assert.deepEqual(parse(`${answerOf({})}${' '.repeat(70_000)}`), [], 'larger than a datagram');
    assert.deepEqual(parse(`<!DOCTYPE x [<!ENTITY a "b">]>${answerOf({})}`), []);
  });

  test('WS-Discovery: damaged answers are read as far as they go, and never throw', () => {
    const whole = Buffer.from(answerOf({ scopes: 'onvif://www.onvif.org/name/a%20b' }, {}));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 20 }),
        fc.nat(whole.length),
        (changes, length) => {
          const bytes = Buffer.from(whole.subarray(0, length));
          for (const [at, byte] of changes) if (at < length) bytes[at] = byte;
          for (const { name, addresses } of parseProbeMatches(bytes)) {
            assert.doesNotMatch(`${name}${addresses.join('')}`, /\p{C}/u);
          }
        },
      ),
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        (bytes) => parseProbeMatches(bytes).length === 0,
      ),
    );
  });

  test('WS-Discovery: the question goes where it is told to, and each camera is found once', async (t) => {
    const responder = createSocket('udp4');
    t.after(() => responder.close());
    responder.bind(0, '127.0.0.1');
    await once(responder, 'listening');
    const questions: string[] = [];
    responder.on('message', (question, { port, address }) => {
      questions.push(question.toString());
      const answers = [
        Buffer.from([0xff, 0x3c, 0x00]),
        answerOf({ id: 'urn:uuid:2', addresses: 'http://10.0.0.10/onvif' }),
        answerOf({ id: 'urn:uuid:2', addresses: 'http://10.0.0.10/onvif' }),
        answerOf({ id: 'urn:uuid:1', addresses: 'http://10.0.0.9/onvif' }),
      ];
      for (const answer of answers) responder.send(answer, port, address);
    });
    const search = new AbortController();
    const ids: string[] = [];
    const found = await findCameras({
      signal: search.signal,
      destination: responder.address(),
      from: ['127.0.0.1'],
      onFound({ id }) {
        ids.push(id);
        if (ids.length === 2) search.abort();
      },
    });
    assert.deepEqual(ids.toSorted(), ['urn:uuid:1', 'urn:uuid:2']);
    assert.deepEqual(
      found.map(({ addresses }) => addresses[0]),
      ['http://10.0.0.9/onvif', 'http://10.0.0.10/onvif'],
    );
    const [question = ''] = questions;
    const [, messageId = ''] = question.match(/<w:MessageID>uuid:([\w-]+)</) ?? [];
    assert.equal(question, probeMessage(messageId));
  });

  test('WS-Discovery: a machine without a network finds nothing, at once', async () => {
    const { signal } = new AbortController();
    assert.deepEqual(await findCameras({ signal, from: [] }), []);
    // An address for documentation, which no machine has (RFC 5737).
    assert.deepEqual(await findCameras({ signal, from: ['192.0.2.1'] }), []);
  });
});
