/** A server as the watch page sees it: the built pages with their CSP, the API's answers, media from a tree. */

import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { ErrorBody, MarkerView, StreamView } from '../../lib/api/messages.ts';
import { parseCmaf, writeFragment } from '../../lib/media/mux/cmaf.ts';
import { CONTENT_SECURITY_POLICY } from '../../web/build.ts';
import { fakeOwnerApi } from './fake-owner-api.ts';
import { type HlsMediaTree, RENDITIONS, readSegment, TREE_SECONDS } from './hls-media-tree.ts';

export const OWNER_KEY = 'owner-key-of-the-test';

export type FakeStream = {
  title: string;
  listed?: boolean;
  /** Path of its poster, in the media tree's form. */
  poster?: string;
  /** It has an index of preview thumbnails: four segments in each image. */
  hasThumbnails?: boolean;
  viewers?: number;
  storageBytes?: number;
  state: StreamView['state'];
  /** Segments from the tree that are published. */
  published: number;
  /** How many of them a live playlist lists; undefined: all. */
  windowSegments?: number;
  /** Numbers of segments that are gaps. */
  gaps: ReadonlySet<number>;
  /** Numbers of segments that are gaps in the audio alone. */
  audioGaps: ReadonlySet<number>;
  /** Number of a segment whose audio lacks its last frames, of an encoder that was killed. */
  shortAudio?: number;
  /** Names of tracks of captions: each says its name and the second. */
  captions?: readonly string[];
  /** From this number on the tree starts over, behind a discontinuity. */
  discontinuityAt?: number;
  /** How long its encoder was away before that, by its program date-time. */
  pauseMs: number;
  /** Every connection for this stream is cut. */
  outOfReach: boolean;
  /** Every request for this stream is answered with this status. */
  failsWith?: number;
  /** By the server's clock. */
  newestUploadAtMs: number;
  /** Uploaded segments that no worker has transcoded yet, since the first of them came. */
  waiting?: Readonly<{ segments: number; sinceMs: number }>;
  /** Live playlists go on for a while after the end of the stream: its encoder may come back. */
  mayComeBack: boolean;
  /** Broken bytes in place of media. */
  corrupt: boolean;
  startedAtMs: number;
  endedAtMs?: number;
  /** Each a change of its own: the first is of version 1. */
  markers: MarkerView[];
};

export type FakeStreamServer = Readonly<{
  url: string;
  streams: Map<string, FakeStream>;
  /** Paths that were asked for, in order. */
  requests: string[];
  close(): Promise<void>;
}>;

export const fakeStream = (change: Partial<FakeStream>): FakeStream => ({
  title: 'A stream',
  state: 'live',
  published: 0,
  gaps: new Set(),
  audioGaps: new Set(),
  pauseMs: 0,
  outOfReach: false,
  newestUploadAtMs: Date.now(),
  mayComeBack: false,
  corrupt: false,
  startedAtMs: Date.now() - (change.published ?? 0) * 1000,
  markers: [],
  ...change,
});

/** Publishes one more segment each second, as an encoder would. Returns a function that stops it. */
export function publishEachSecond(stream: FakeStream): () => void {
  const timer = setInterval(() => {
    stream.published += 1;
    stream.newestUploadAtMs = Date.now();
  }, 1000);
  return () => clearInterval(timer);
}

/** In place of a photograph. */
const PICTURE = Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 360"><defs><linearGradient id="g" x2="1" y2="1"><stop stop-color="#274690"/><stop offset="1" stop-color="#f3a712"/></linearGradient></defs><path fill="url(#g)" d="M0 0h640v360H0z"/><circle cx="450" cy="130" r="60" fill="#ffe8b0"/><path d="m0 360 200-190 120 110 90-70 230 150z" fill="#12203f"/></svg>',
);

/** A hole that hls.js plays over (`maxBufferHole`), and Chromium does not. */
const MISSING_FRAMES = 3;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};

export async function startFakeStreamServer(
  pages: string,
  tree: HlsMediaTree,
): Promise<FakeStreamServer> {
  const streams = new Map<string, FakeStream>();
  const requests: string[] = [];

  const server = createServer((request, response) => {
    const isCut = [...streams].some(
      ([videoId, { outOfReach }]) => outOfReach && request.url?.includes(`/${videoId}`),
    );
    if (isCut) {
      request.socket.destroy();
      return;
    }
    requests.push(request.url ?? '');
    const failing = [...streams].find(
      ([videoId, { failsWith }]) => failsWith && request.url?.includes(`/${videoId}`),
    );
    if (failing) {
      response.writeHead(failing[1].failsWith ?? 500).end();
      return;
    }
    answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const [, videoId, rendition] =
      pathname.match(/^\/viewstream\/metadata\/([^/]+)(?:\/(.+)\.m3u8)?$/) ?? [];
    const [, indexed] = pathname.match(/^\/viewstream\/thumbnails\/([^/]+)\.vtt$/) ?? [];
    const [, marked] = pathname.match(/^\/markers\/([^/]+)$/) ?? [];
    const [, owned] = pathname.match(/^\/(?:streams|upload)\/([^/]+)(?:\/end)?$/) ?? [];
    if (pathname === '/streams') answerList(request, response);
    else if (indexed !== undefined) answerThumbnails(response, indexed);
    else if (marked !== undefined) answerMarkers(request, response, marked);
    else if (owned !== undefined) await owner.answer(request, response, owned);
    else if (videoId !== undefined) answerMetadata(request, response, videoId, rendition);
    else if (pathname.startsWith('/media/')) await answerMedia(response, pathname);
    else await answerPage(response, pathname);
  }

  function answerThumbnails(response: ServerResponse, videoId: string): void {
    const { published = 0, startedAtMs = 0 } = streams.get(videoId) ?? {};
    const clock = (second: number) => new Date(second * 1000).toISOString().slice(11, 23);
    const cues = Array.from({ length: published }, (_, second) =>
      [
        new Date(startedAtMs + second * 1000).toISOString(),
        `${clock(second)} --> ${clock(second + 1)}`,
        `/media/${videoId}/thumbnails/${Math.floor(second / 4)}.svg#xywh=${(second % 4) * 160},0,160,360`,
        '',
      ].join('\n'),
    );
    response.writeHead(200, { 'content-type': 'text/vtt' });
    response.end(['WEBVTT\n', ...cues].join('\n'));
  }

  function answerMarkers(
    request: IncomingMessage,
    response: ServerResponse,
    videoId: string,
  ): void {
    const { markers = [] } = streams.get(videoId) ?? {};
    const since = Number(new URL(request.url ?? '', 'http://localhost').searchParams.get('since'));
    json(response, 200, { version: markers.length, markers: markers.slice(since), removed: [] });
  }

  async function answerPage(response: ServerResponse, pathname: string): Promise<void> {
    const [, page] = pathname.match(/^\/(watch|embed)\//) ?? [];
    const named = pathname === '/wall' ? '/wall.html' : pathname;
    const file = page ? `/${page}.html` : named === '/' ? '/index.html' : named;
    const body = await readFile(path.join(pages, file)).catch(() => undefined);
    response.writeHead(body ? 200 : 404, {
      'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'x-content-type-options': 'nosniff',
    });
    response.end(body);
  }

  const owner = fakeOwnerApi(streams, (videoId, stream) => viewOf(videoId, stream, true));

  function answerList(request: IncomingMessage, response: ServerResponse): void {
    const { authorization } = request.headers;
    if (authorization === undefined || authorization === `Bearer ${OWNER_KEY}`) {
      const views = [...streams]
        .filter(([, { listed }]) => listed || authorization !== undefined)
        .map(([videoId, stream]) => viewOf(videoId, stream, authorization !== undefined));
      json(response, 200, { streams: views });
    } else {
      refuse(response, 401, 'unauthorized', 'That is not the key.');
    }
  }

  function answerMetadata(
    request: IncomingMessage,
    response: ServerResponse,
    videoId: string,
    rendition: string | undefined,
  ): void {
    const stream = streams.get(videoId);
    if (!stream) refuse(response, 404, 'stream_not_found', `There is no ${videoId}.`);
    else if (request.url?.endsWith('?format=json')) {
      json(response, 200, viewOf(videoId, stream));
    } else if (stream.published === 0) {
      refuse(response, 404, 'not_started', `${videoId} has not started.`);
    } else {
      const wantsAll = request.url?.endsWith('?view=vod') ?? false;
      response.writeHead(200, {
        'content-type': 'application/vnd.apple.mpegurl',
        'cache-control': 'no-store',
      });
      response.end(
        rendition === undefined
          ? multivariant(videoId, stream)
          : rendition.startsWith('captions')
            ? captionPlaylist(mediaPlaylist(tree, videoId, stream, '360p', wantsAll), rendition)
            : mediaPlaylist(tree, videoId, stream, rendition, wantsAll),
      );
    }
  }

  async function answerMedia(response: ServerResponse, pathname: string): Promise<void> {
    const [, , videoId = '', ...rest] = pathname.split('/');
    if (pathname.endsWith('.vtt')) {
      response.writeHead(200, { 'content-type': 'text/vtt' });
      response.end(captionSegment(rest[0] ?? '', Number.parseInt(rest[1] ?? '', 10)));
      return;
    }
    const isSegment = pathname.endsWith('.m4s');
    const bytes = pathname.endsWith('.svg')
      ? PICTURE
      : isSegment
        ? await readSegment(tree, rest[0] ?? '', Number.parseInt(rest[1] ?? '', 10))
        : await readFile(path.join(tree.folder, ...rest)).catch(() => undefined);
    const stream = streams.get(videoId);
    if (bytes && isSegment && stream?.corrupt) bytes.fill(0x55, 8);
    const isShort = pathname.endsWith(`/audio/${stream?.shortAudio}.m4s`);
    const type = TYPES[path.extname(pathname)] ?? 'video/mp4';
    response.writeHead(bytes ? 200 : 404, { 'content-type': type });
    response.end(bytes && isShort ? await withoutLastFrames(bytes) : bytes);
  }

  async function withoutLastFrames(media: Uint8Array): Promise<Uint8Array> {
    const init = await readFile(path.join(tree.folder, 'audio', 'init.mp4'));
    const { samples, endTicks } = parseCmaf(Buffer.concat([init, media]));
    const durationOf = (index: number): number =>
      (samples[index + 1]?.ptsTicks ?? endTicks) - (samples[index]?.ptsTicks ?? 0);
    const kept = samples.slice(0, -MISSING_FRAMES).map(({ bytes }, index) => {
      return { bytes, isSync: true, durationTicks: durationOf(index), compositionTicks: 0 };
    });
    return writeFragment(samples[0]?.ptsTicks ?? 0, kept, 1);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    streams,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

export const refuse = (
  response: ServerResponse,
  status: number,
  code: ErrorBody['code'],
  message: string,
): void => json(response, status, { code, message, hint: '' } satisfies ErrorBody);

const viewOf = (videoId: string, stream: FakeStream, forOwner = false): StreamView => ({
  videoId,
  title: stream.title,
  ...(stream.poster !== undefined && { poster: stream.poster }),
  ...(stream.hasThumbnails && { thumbnails: `/viewstream/thumbnails/${videoId}.vtt` }),
  ...(stream.viewers !== undefined && { viewers: stream.viewers }),
  ...(forOwner && { storageBytes: stream.storageBytes ?? 0 }),
  state: stream.state,
  durationSeconds: stream.published,
  ...(stream.published > 0 && { startedAt: new Date(stream.startedAtMs).toISOString() }),
  ...(stream.endedAtMs && { endedAt: new Date(stream.endedAtMs).toISOString() }),
  ...((stream.state === 'live' || stream.mayComeBack) &&
    stream.published > 0 && {
      serverTime: new Date().toISOString(),
      newestUploadAt: new Date(stream.newestUploadAtMs).toISOString(),
      waitingSegments: stream.waiting?.segments ?? 0,
    }),
  ...(stream.waiting && { waitingSince: new Date(stream.waiting.sinceMs).toISOString() }),
  targetDurationSeconds: 1,
  hls: `/viewstream/metadata/${videoId}`,
  dash: `/viewstream/metadata/${videoId}.mpd`,
  renditions: RENDITIONS.map(({ name, widthPx, heightPx, bps }) => ({
    name,
    kind: 'video' as const,
    codecs: 'avc1.42c01e',
    widthPx,
    heightPx,
    framesPerSecond: 6,
    averageBps: bps,
    peakBps: bps,
  })),
});

const showsEnd = ({ state, mayComeBack }: FakeStream): boolean => state === 'ended' && !mayComeBack;

function multivariant(videoId: string, stream: FakeStream): string {
  const suffix = showsEnd(stream) ? '?view=vod' : '';
  const audio = ['English', 'Deutsch'].map(
    (name, index) =>
      `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="${name}",DEFAULT=${index === 0 ? 'YES' : 'NO'},AUTOSELECT=YES,CHANNELS="2",URI="${videoId}/audio.m3u8${suffix}"`,
  );
  const captions = (stream.captions ?? []).map(
    (name) =>
      `#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="${name}",DEFAULT=NO,AUTOSELECT=YES,URI="${videoId}/captions-${name}.m3u8${suffix}"`,
  );
  const group = captions.length > 0 ? ',SUBTITLES="captions"' : '';
  const variants = RENDITIONS.map(
    ({ name, widthPx, heightPx, bps }) =>
      `#EXT-X-STREAM-INF:BANDWIDTH=${bps + 64_000},CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=${widthPx}x${heightPx},AUDIO="audio"${group}\n${videoId}/${name}.m3u8${suffix}`,
  );
  return ['#EXTM3U', '#EXT-X-VERSION:7', ...audio, ...captions, ...variants, ''].join('\n');
}

function mediaPlaylist(
  tree: HlsMediaTree,
  videoId: string,
  stream: FakeStream,
  rendition: string,
  wantsAll: boolean,
): string {
  const durations = tree.durations[rendition] ?? [];
  const { published, windowSegments, discontinuityAt } = stream;
  const first =
    wantsAll || windowSegments === undefined ? 0 : Math.max(0, published - windowSegments);
  const folder = `/media/${videoId}/${rendition}`;
  const isGap = (sequence: number) =>
    stream.gaps.has(sequence) || (rendition === 'audio' && stream.audioGaps.has(sequence));
  const segments = Array.from({ length: published - first }, (_, index) => {
    const sequence = first + index;
    const restarts = sequence === discontinuityAt;
    const isAfterPause = discontinuityAt !== undefined && sequence >= discontinuityAt;
    const number = isAfterPause ? sequence - discontinuityAt : sequence;
    const startMs = stream.startedAtMs + sequence * 1000 + (isAfterPause ? stream.pauseMs : 0);
    return [
      ...(restarts ? ['#EXT-X-DISCONTINUITY'] : []),
      ...(restarts || index === 0 ? [`#EXT-X-MAP:URI="${folder}/init.mp4"`] : []),
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(startMs).toISOString()}`,
      ...(isGap(sequence) ? ['#EXT-X-GAP'] : []),
      `#EXTINF:${durations[number % TREE_SECONDS] ?? '1'},`,
      `${folder}/${number}.m4s`,
    ].join('\n');
  });
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:8',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    '#EXT-X-TARGETDURATION:1',
    `#EXT-X-MEDIA-SEQUENCE:${first}`,
    '#EXT-X-DISCONTINUITY-SEQUENCE:0',
    ...segments,
    ...(showsEnd(stream) ? ['#EXT-X-ENDLIST'] : []),
    '',
  ].join('\n');
}

const captionPlaylist = (picture: string, track: string): string =>
  picture
    .replaceAll(/^#EXT-X-MAP.*\n/gm, '')
    .replaceAll(/^(\/media\/[^/]+)\/360p\/(\d+)\.m4s$/gm, `$1/${track}/$2.vtt`);

function captionSegment(track: string, second: number): string {
  const at = (time: number) => new Date(time * 1000).toISOString().slice(11, 23);
  const text = `${track.replace('captions-', '')} ${second}`;
  return `WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:1\n\n${at(second)} --> ${at(second + 1)}\n${text}\n`;
}
