import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DomainError } from '../../lib/domain/errors.ts';
import { parseCaptions } from '../../lib/media/captions/parse-captions.ts';

const SECOND = 90_000;

const parse = (...lines: readonly string[]) => parseCaptions(Buffer.from(lines.join('\n')));

function refusal(bytes: Uint8Array): string {
  try {
    parseCaptions(bytes);
  } catch (error) {
    if (error instanceof DomainError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'taken';
}

const refused = (...lines: readonly string[]): string => refusal(Buffer.from(lines.join('\n')));

describe('captions that are sent', () => {
  test('as WebVTT keep their styles, regions, positions, ids and tags', () => {
    const read = parse(
      'WEBVTT - A film',
      '',
      'STYLE',
      '::cue(.loud) { color: red }',
      '',
      'REGION',
      'id:fred',
      'lines:3',
      '',
      'NOTE not for viewers',
      '',
      'intro',
      '00:01.000 --> 00:02.500 line:0 align:start region:fred colour:red',
      '<v Ann>Hello</v>',
      '<c.loud>there</c>',
      '',
      '100:00:01.000 --> 100:00:02.000',
      'late',
    );
    assert.deepEqual(read, {
      format: 'vtt',
      header: 'STYLE\n::cue(.loud) { color: red }\n\nREGION\nid:fred\nlines:3',
      cues: [
        {
          from: SECOND,
          to: 2.5 * SECOND,
          settings: 'line:0 align:start region:fred',
          text: '<v Ann>Hello</v>\n<c.loud>there</c>',
          id: 'intro',
        },
        { from: 360_001 * SECOND, to: 360_002 * SECOND, text: 'late' },
      ],
    });
  });

  test('as SubRip get the tags and places that WebVTT has for theirs', () => {
    const read = parse(
      '1',
      '00:00:01,000 --> 00:00:02,500  X1:10 X2:20',
      '<font color="red">{\\an8}<I>Tom</I> & Jerry</font> <3',
      '',
      '2',
      '0:00:03,5 --> 0:00:04',
      'second',
    );
    assert.deepEqual(read, {
      format: 'srt',
      cues: [
        {
          from: SECOND,
          to: 2.5 * SECOND,
          text: '<i>Tom</i> &amp; Jerry &lt;3',
          settings: 'line:0',
        },
        { from: 3 * SECOND + 45_000, to: 4 * SECOND, text: 'second' },
      ],
    });
  });

  test('are read with a byte order mark, any ends of lines, and missing empty lines', () => {
    const cues = [
      { from: 0, to: SECOND, text: 'a' },
      { from: SECOND, to: 2 * SECOND, text: 'b' },
    ];
    const srt =
      '1\r\n00:00:00,000 --> 00:00:01,000\r\na\r\n2\r\n00:00:01,000 --> 00:00:02,000\r\nb';
    assert.deepEqual(parseCaptions(Buffer.from(`\ufeff${srt}`)).cues, cues);
    assert.deepEqual(parseCaptions(Buffer.from(`\ufeff${srt}`, 'utf16le')).cues, cues);
    const vtt = 'WEBVTT\r00:00.000 --> 00:01.000\ra\r\r00:01,000 --> 00:02,000\rb\r';
    assert.deepEqual(parseCaptions(Buffer.from(`\ufeff${vtt}`)).cues, cues);
  });

  test('of an encoder say which time is which of MPEG-TS', () => {
    const map = 'X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:10.000';
    assert.deepEqual(parse('WEBVTT', map, '', '00:11.000 --> 00:12.000', 'a'), {
      format: 'vtt',
      map: { localTicks: 10 * SECOND, mpegTicks: 900_000 },
      cues: [{ from: 11 * SECOND, to: 12 * SECOND, text: 'a' }],
    });
    assert.deepEqual(parse('WEBVTT', map).cues, []);
  });

  test('are refused with the line that is wrong', () => {
    const lines = ['WEBVTT', '', '00:01.000 --> 00:02.000', 'a', ''];
    assert.deepEqual(
      [
        refused(''),
        refused('Hello there'),
        refused(...lines, '00:03 -> 00:04', 'b'),
        refused(...lines, '7', '00:03.000 --> 00:0x.000', 'b'),
        refused(...lines, '00:03.000 --> 00:03.000', 'b'),
        refused(...lines, '00:03.000 --> 00:61.000', 'b'),
        refused(...lines, '00:00.000 --> 01:00:00.001', 'b'),
        refused(...lines, 'two', 'lines', '00:03.000 --> 00:04.000', 'b'),
        refused(...lines, 'STYLE', '::cue {}', '00:03.000 --> 00:04.000', 'b'),
        refused('WEBVTT', 'X-TIMESTAMP-MAP=LOCAL:00:00.000', '', ...lines.slice(2)),
        refused(...lines, '00:03.000 --> 00:04.000', 'x'.repeat(2001)),
        refusal(Buffer.from([...Buffer.from('WEBVTT\n\n00:01.000 --> 00:02.000\n'), 0xe4])),
      ],
      [
        'empty_body: The captions are empty.',
        'bad_captions: line 1: "Hello there" begins neither WebVTT nor SubRip.',
        'bad_captions: line 6: "00:03 -> 00:04" is text without times.',
        'bad_captions: line 7: "00:0x.000" is no time.',
        'bad_captions: line 6: the cue ends at 00:03.000, which is not after its start at 00:03.000.',
        'bad_captions: line 6: "00:61.000" is no time.',
        'bad_captions: line 6: the cue lasts 3600.001 s; an hour is the most.',
        'bad_captions: line 6: "two" is text without times.',
        'bad_captions: line 8: a cue begins inside a STYLE or REGION block.',
        'bad_captions: line 2: "X-TIMESTAMP-MAP=LOCAL:00:00.000" cannot be read.',
        'bad_captions: line 6: the cue has 2001 characters; 2000 are the most.',
        'bad_captions: line 4: it is not UTF-8.',
      ],
    );
  });

  test('have a limit of cues in one file', () => {
    const cue = '00:01.000 --> 00:02.000\na\n\n';
    assert.equal(parseCaptions(Buffer.from(`WEBVTT\n\n${cue.repeat(20_000)}`)).cues.length, 20_000);
    assert.equal(
      refusal(Buffer.from(`WEBVTT\n\n${cue.repeat(20_001)}`)),
      'bad_captions: line 60003: this is cue 20001; a file has 20000 at most.',
    );
  });
});
