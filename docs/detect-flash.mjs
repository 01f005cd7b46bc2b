/**
 * A sample detector: watches a stream for one event, the white square that the test pattern shows in its top
 * right corner for half a second in ten, and posts a marker for each. It needs Node 18 and ffmpeg, and
 * nothing of this project: replace `brightnessOf` by what your event looks like.
 *
 *   node docs/detect-flash.mjs http://127.0.0.1:8080 demo KEY
 */

import { spawn } from 'node:child_process';

const [base, videoId, key] = process.argv.slice(2);
if (!key) {
  console.error('Usage: node detect-flash.mjs URL STREAM KEY');
  process.exit(2);
}

/** Of the square in the picture of 1280x720, as shares: left, top, width, height. */
const SQUARE = [1140 / 1280, 20 / 720, 120 / 1280, 120 / 720];
const BRIGHT = 200;
const POLL_MS = 500;

/** The segments of a media playlist: address, init segment, and when their first picture was captured. */
function parsePlaylist(text, address) {
  const segments = [];
  let map = '';
  let capturedMs = 0;
  let isGap = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('#EXT-X-MAP:')) map = line.match(/URI="([^"]+)"/)?.[1] ?? '';
    else if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) {
      capturedMs = Date.parse(line.slice('#EXT-X-PROGRAM-DATE-TIME:'.length));
    } else if (line === '#EXT-X-GAP') isGap = true;
    else if (line !== '' && !line.startsWith('#')) {
      const at = (uri) => new URL(uri, address).href;
      if (!isGap) segments.push({ address: at(line), init: at(map), capturedMs });
      isGap = false;
    }
  }
  return { segments, ended: text.includes('#EXT-X-ENDLIST') };
}

async function bytesOf(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

/** Time in seconds from the segment's first picture, and brightness of the square (0 to 255), of each picture. */
async function brightnessOf({ address, init }) {
  const [left, top, width, height] = SQUARE;
  const square = `crop=iw*${width}:ih*${height}:iw*${left}:ih*${top}`;
  const print = 'signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-';
  const ffmpeg = spawn('ffmpeg', [
    ...['-v', 'error', '-copyts', '-i', 'pipe:0', '-an', '-fps_mode', 'passthrough'],
    ...['-vf', `${square},${print}`, '-f', 'null', '-'],
  ]);
  let text = '';
  ffmpeg.stdout.setEncoding('utf8').on('data', (some) => {
    text += some;
  });
  ffmpeg.stderr.resume();
  const done = new Promise((resolve) => ffmpeg.on('close', resolve));
  ffmpeg.stdin.end(Buffer.concat([await bytesOf(init), await bytesOf(address)]));
  await done;
  const pictures = [...text.matchAll(/pts_time:(\S+)\n.*YAVG=(\S+)/g)].map(([, time, bright]) => {
    return { seconds: Number(time), brightness: Number(bright) };
  });
  const first = pictures[0]?.seconds ?? 0;
  return pictures.map((one) => ({ ...one, seconds: one.seconds - first }));
}

/** The id follows from the time: a marker that is sent again changes nothing. */
async function post(atMs) {
  const at = new Date(Math.round(atMs)).toISOString();
  const response = await fetch(`${base}/markers/${videoId}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ id: `flash-${Math.round(atMs)}`, class: 'flash', at, text: 'Flash' }),
  });
  console.log(`${at} ${response.status}`);
  if (!response.ok) console.error(await response.text());
}

const view = await (await fetch(`${base}/viewstream/metadata/${videoId}?format=json`)).json();
const smallest = view.renditions?.filter(({ kind }) => kind === 'video').at(-1);
if (!smallest) {
  console.error(`${videoId} has no picture yet: ${view.message ?? 'start it first'}`);
  process.exit(1);
}
const playlist = `${base}/viewstream/metadata/${videoId}/${smallest.name}.m3u8`;
const seen = new Set();
let wasBright = false;
for (;;) {
  const { segments, ended } = parsePlaylist((await bytesOf(playlist)).toString(), playlist);
  for (const segment of segments.filter(({ address }) => !seen.has(address))) {
    seen.add(segment.address);
    for (const { seconds, brightness } of await brightnessOf(segment)) {
      const isBright = brightness > BRIGHT;
      if (isBright && !wasBright) await post(segment.capturedMs + seconds * 1000);
      wasBright = isBright;
    }
  }
  if (ended) break;
  await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
