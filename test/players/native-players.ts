/** Players that are programs. Each is made to write what it would show and play, with its times. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { decodeMoments } from '../support/lip-sync.ts';
import { SEGMENT_SECONDS } from '../support/segment-files.ts';
import type { Offer } from './offers.ts';
import { LIVE_SECONDS, type Limit, type Played, type Player } from './player.ts';

const run = promisify(execFile);

const TIMEOUT_MS = 90_000;
/** What a player has written of a live stream when it is ended: some five seconds. */
const LIVE_BYTES = { gstreamer: 12_000_000, vlc: 2_500_000 };
const POLL_MS = 200;

/** libav says so of what it leaves out, or at every discontinuity; mpv on a busy machine. Frames are counted. */
const HARMLESS =
  /Can't support the subtitle|desynchronisation detected|Unsupported codec with id 0|Found duplicated MOOV|out of order|non monotonically increasing|No volume control|^\s*$/;

/** Its demuxer of fMP4 discards the fragment where the clock goes back. */
const LIBAV_DISCONTINUITY: Limit = {
  note: 'without the first segment behind the discontinuity',
  lostSeconds: SEGMENT_SECONDS,
};
const ONE_PERIOD: Limit = { note: 'one period', lostSeconds: 6 };

const isMpdOverDiscontinuity = ({ kind, hasDiscontinuity }: Offer): boolean =>
  kind === 'mpd' && hasDiscontinuity === true;

async function versionOf(program: string, args: readonly string[], pattern: RegExp) {
  const said = await run(program, args, AS_NOBODY).catch(() => undefined);
  return said?.stdout.match(pattern)?.[1];
}

/** VLC does not run as root. */
const AS_NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

type Ran = Readonly<{ output: string; code: number | null }>;

/** `until`: it is ended when a file has as many bytes, as a live stream has no end. */
async function runPlayer(
  program: string,
  args: readonly string[],
  options: Readonly<{
    until?: { path: string; bytes: number };
    isNobody?: boolean;
    home?: string;
  }> = {},
): Promise<Ran> {
  const child = spawn(program, args, {
    ...(options.isNobody && AS_NOBODY),
    env: { ...process.env, ...(options.home && { HOME: options.home }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let isLate = false;
  const kill = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, TIMEOUT_MS);
  const { until } = options;
  const watch =
    until &&
    setInterval(async () => {
      const found = await stat(until.path).catch(() => undefined);
      if (found && found.size > until.bytes) child.kill('SIGKILL');
    }, POLL_MS);
  try {
    const ended = once(child, 'close');
    const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = await ended;
    const output = `${out}\n${error}`;
    if (isLate) throw new Error(`it did not end within ${TIMEOUT_MS / 1000} s: ${output.trim()}`);
    return { output, code };
  } finally {
    clearTimeout(kill);
    clearInterval(watch);
  }
}

const problemsIn = (output: string, pattern: RegExp): string[] =>
  output.split(/[\n\r]/).filter((line) => pattern.test(line) && !HARMLESS.test(line));

const ffmpegPlayer: Player = {
  name: 'ffmpeg',
  version: () => versionOf('ffmpeg', ['-version'], /^ffmpeg version (\d[\d.]*)/),
  limitOf: (offer) => {
    if (!offer.hasDiscontinuity) return undefined;
    return isMpdOverDiscontinuity(offer) ? ONE_PERIOD : LIBAV_DISCONTINUITY;
  },
  async play(offer) {
    const track = offer.kind === 'file' ? '0:a:0' : `0:a:m:language:${offer.lang}`;
    const length = offer.seconds === undefined ? ['-t', String(LIVE_SECONDS)] : [];
    const decoded = await decodeMoments([...length, '-i', offer.url], undefined, track);
    return { decoded, problems: decoded.warnings.filter((line) => !HARMLESS.test(line)) };
  },
};

const mpvPlayer: Player = {
  name: 'mpv',
  version: () => versionOf('mpv', ['--no-config', '--version'], /^mpv (\d[\d.]*)/),
  limitOf: (offer) => {
    if (!offer.hasDiscontinuity) return undefined;
    if (isMpdOverDiscontinuity(offer)) return ONE_PERIOD;
    return { note: 'its times over a discontinuity were not measured', notMeasured: true };
  },
  async play(offer, folder) {
    const path = join(folder, 'played.nut');
    const isWatched = offer.hasDiscontinuity && offer.kind === 'hls';
    const output = isWatched
      ? ['--vo=null', '--ao=null']
      : [`--o=${path}`, '--of=nut', '--ovc=rawvideo', '--oac=pcm_s16le'];
    const { output: said, code } = await runPlayer('mpv', [
      ...['--no-config', '--sid=no', '--msg-level=all=warn,lavf=error', `--alang=${offer.lang}`],
      ...[...output, ...(offer.seconds === undefined ? [`--length=${LIVE_SECONDS}`] : [])],
      offer.url,
    ]);
    const problems = problemsIn(said, isWatched ? /error|fail/i : /\S/);
    if (code !== 0) problems.push(`exit code ${code}: ${said.trim()}`);
    return isWatched ? { problems } : decodedFrom([path], problems);
  },
};

const gstreamerPlayer: Player = {
  name: 'GStreamer',
  version: () => versionOf('gst-launch-1.0', ['--version'], /GStreamer (\d[\d.]*)/),
  limitOf: ({ hasDiscontinuity, kind, lang, seconds }) => {
    if (kind === 'file') return undefined;
    if (kind === 'mpd' && seconds === undefined) {
      return { note: 'it waits minutes for the first segment', cannot: true };
    }
    if (kind === 'mpd' && hasDiscontinuity) {
      return { note: 'it does not begin with two periods', cannot: true };
    }
    if (lang !== 'en') return { note: 'gst-launch has no choice of language', cannot: true };
    return hasDiscontinuity
      ? { note: 'its times over a discontinuity were not measured', notMeasured: true }
      : undefined;
  },
  async play({ url, seconds, kind, hasDiscontinuity }, folder) {
    const [video, audio] = [join(folder, 'video.mkv'), join(folder, 'audio.mkv')];
    // A muxer takes no times that go back.
    const isWatched = hasDiscontinuity && kind !== 'file';
    const to = (path: string) =>
      isWatched ? 'fakesink sync=false' : `matroskamux ! filesink location=${path} sync=false`;
    const { output, code } = await runPlayer(
      'gst-launch-1.0',
      [
        ...['playbin', `uri=${url}`, 'flags=0x3'],
        `video-sink=videoconvert ! videoscale ! video/x-raw,format=I420,width=320,height=180 ! ${to(video)}`,
        `audio-sink=audioconvert ! audio/x-raw,format=S16LE ! ${to(audio)}`,
      ],
      seconds === undefined ? { until: { path: video, bytes: LIVE_BYTES.gstreamer } } : {},
    );
    const problems = problemsIn(output, /WARN|ERROR/);
    if (code !== 0 && seconds !== undefined) problems.push(`exit code ${code}`);
    return isWatched ? { problems } : decodedFrom([video, audio], problems);
  },
};

const vlcPlayer: Player = {
  name: 'VLC',
  tailSeconds: 0.24,
  version: () =>
    versionOf('vlc', ['-I', 'dummy', '--version'], /VLC (?:media player|version) (\d[\d.]*)/),
  limitOf: ({ kind, hasDiscontinuity, changesPicture, seconds }) => {
    // Its converter ends where the picture's parameters change; to show the picture it needs none.
    if (changesPicture || (kind === 'mpd' && seconds !== undefined)) {
      return { note: 'what it writes lacks frames', cannot: true };
    }
    if (hasDiscontinuity && kind === 'hls') {
      return { note: 'it ends at the discontinuity', lostSeconds: 6, notMeasured: true };
    }
    // What it writes of the same file differs by 30 ms from one time to the next.
    return { note: 'not measured', notMeasured: true };
  },
  async play({ url, lang, seconds }, folder) {
    await chmod(folder, 0o777);
    const path = join(folder, 'played.mkv');
    const transcode = '#transcode{vcodec=FFV1,acodec=s16l}';
    await runPlayer(
      'vlc',
      [
        ...['-I', 'dummy', '--no-color', '--no-sout-spu', '--no-sout-all'],
        ...[`--audio-language=${lang}`, '--play-and-exit'],
        `--sout=${transcode}:std{access=file,mux=avformat{mux=matroska},dst=${path}}`,
        ...[url, 'vlc://quit'],
      ],
      {
        isNobody: true,
        home: folder,
        ...(seconds === undefined && { until: { path, bytes: LIVE_BYTES.vlc } }),
      },
    );
    return decodedFrom([path], []);
  },
};

/** Of one file, or of one with the picture and one with the sound. */
async function decodedFrom(paths: readonly string[], problems: readonly string[]): Promise<Played> {
  if (problems.length > 0) return { problems };
  const input = paths.flatMap((path) => ['-i', path]);
  const decoded = await decodeMoments(input, undefined, `${paths.length - 1}:a:0`);
  return { decoded, problems };
}

export const NATIVE_PLAYERS: readonly Player[] = [
  ffmpegPlayer,
  mpvPlayer,
  gstreamerPlayer,
  vlcPlayer,
];
