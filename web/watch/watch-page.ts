/** The view of one stream: player, messages, details. */

import 'media-chrome';
import 'media-chrome/menu';
import 'media-chrome/lang/de';
import Hls, { type Level } from 'hls.js';
import type { StreamView } from '../../lib/api/messages.ts';
import { formatClock } from '../shared/format-time.ts';
import { find, instantiate } from '../shared/page-elements.ts';
import { ageOf, badgeOf, isFileOnly, troubleOf } from '../shared/stream-summary.ts';
import type { Supply } from '../shared/supply.ts';
import { currentLanguage, text } from '../texts/text.ts';
import { createCaptionStylePanel } from './caption-style-panel.ts';
import { connectClips } from './clip/clip-view.ts';
import { createHlsPlayback } from './hls-playback.ts';
import { followMarkers } from './marker-feed.ts';
import { createMarkerPanel, type Timeline } from './marker-panel.ts';
import { type Moment, parseMoment } from './moment.ts';
import { canPlayNatively, createNativePlayback } from './native-playback.ts';
import type { Playback, PlaybackFacts, PlaybackListener, Tracks } from './playback.ts';
import { connectPlayerControls } from './player-controls.ts';
import { connectSharePanel } from './share-panel.ts';
import { NO_MARKERS, withNews } from './shown-markers.ts';
import { createStatsPanel } from './stats-panel.ts';
import { connectSystemControls } from './system-controls.ts';
import { createTrackMenus } from './track-menus.ts';
import {
  keepChoices,
  readChoices,
  trackToChoose,
  type ViewerChoices,
  withPicked,
} from './viewer-choices.ts';
import type { Viewing } from './viewing.ts';
import { describeViewing, type ViewingMessage } from './viewing-message.ts';
import { type LiveStatus, startViewing } from './viewing-session.ts';

/** In the place of a track's id. */
const NO_TRACK = -1;

/** File beside this module, named by the build. */
declare const HLS_WORKER_FILE: string;

/** Renders the stream into `page`. Returns a function that stops it. */
export function showWatchPage(page: HTMLElement, videoId: string): () => void {
  const view = instantiate('watch-template');
  page.replaceChildren(view);
  find(view, 'media-controller', HTMLElement).lang = currentLanguage();
  const video = find(view, 'video', HTMLVideoElement);
  const stats = createStatsPanel(view, video, () => session.refresh());
  let stream: StreamView | undefined;
  let supply: Supply = { state: 'flowing' };
  let markers = NO_MARKERS;
  const markerPanel = createMarkerPanel(view, (position) => {
    video.currentTime = position;
  });
  const endMarkers = followMarkers(
    videoId,
    () => markers.version,
    () => view.dataset.source !== 'recording',
    (news) => {
      markers = withNews(markers, news);
      markerPanel.show(markers);
    },
  );

  let choices = readChoices();
  let tracks: Tracks | undefined;
  const keep = (next: ViewerChoices): void => {
    choices = next;
    keepChoices(choices);
  };
  const menus = createTrackMenus(view, {
    level(id) {
      playback?.selectLevel(id);
      if (tracks) keep(withPicked(choices, tracks, id));
    },
    audio(id) {
      playback?.selectAudio(id);
      const name = tracks?.audio.find((track) => track.id === id)?.name;
      if (name !== undefined) keep({ ...choices, audio: name });
    },
    captions: chooseCaptions,
    captionStyle: () => captionStyle.open(),
  });
  const captionStyle = createCaptionStylePanel(view, choices.captionStyle ?? {}, (style) =>
    keep({ ...choices, captionStyle: style }),
  );
  function chooseCaptions(id: number): void {
    playback?.selectCaptions(id);
    keep({ ...choices, captions: tracks?.captions.find((track) => track.id === id)?.name ?? '' });
  }
  // The button and its key: media-chrome would take the first track, whichever the viewer had.
  view.addEventListener(
    'mediatogglesubtitlesrequest',
    (event) => {
      event.stopPropagation();
      const { captions = [], selectedCaptions = NO_TRACK } = tracks ?? {};
      const before = captions.find(({ name }) => name === lastCaptions) ?? captions[0];
      chooseCaptions(selectedCaptions === NO_TRACK ? (before?.id ?? NO_TRACK) : NO_TRACK);
    },
    { capture: true },
  );
  /** What was shown last; empty: nothing yet. */
  let lastCaptions = choices.captions ?? '';
  /** Once each: what the viewer picks later is not undone. */
  let isChosen = false;
  let areCaptionsChosen = false;
  function showTracks(next: Tracks): void {
    tracks = next;
    menus.show(next);
    const shown = next.captions.find(({ id }) => id === next.selectedCaptions);
    if (shown) lastCaptions = shown.name;
    if (!areCaptionsChosen && next.captions.length > 0) {
      areCaptionsChosen = true;
      const wanted =
        choices.captions === ''
          ? NO_TRACK
          : trackToChoose(next.captions, choices.captions, next.selectedCaptions);
      if (wanted !== undefined) playback?.selectCaptions(wanted);
    }
    if (isChosen || next.levels.length === 0) return;
    isChosen = true;
    const level = trackToChoose(next.levels, choices.quality, next.selectedLevel);
    const audio = trackToChoose(next.audio, choices.audio, next.selectedAudio);
    if (level !== undefined) playback?.selectLevel(level);
    if (audio !== undefined) playback?.selectAudio(audio);
  }
  /** Of a recording: the page sets the speed of live playback. */
  function applySpeed(): void {
    if (view.dataset.source === 'recording') video.playbackRate = choices.speed ?? 1;
  }
  video.addEventListener('loadedmetadata', applySpeed);
  find(view, 'media-controller', HTMLElement).addEventListener(
    'mediaplaybackraterequest',
    (event) => {
      if (event instanceof CustomEvent) keep({ ...choices, speed: Number(event.detail) });
    },
  );
  const controls = connectPlayerControls(view, video, {
    seekToEdge: () => session.seekToEdge(),
    instantOf: (position) => playback?.instantOf(position),
    thumbnails: () => stream?.thumbnails,
  });
  const { mediaSession } = navigator;
  const system = connectSystemControls(video, mediaSession, (facts) => new MediaMetadata(facts));

  let playback: Playback | undefined;
  const clips = connectClips(view, video, videoId);
  connectSharePanel(view, videoId, () => ({
    title: stream?.title ?? videoId,
    moment: momentOnScreen(view, video, stream, shownAtMs),
  }));
  let shownAtMs: number | undefined;
  let wanted = clips.isClip
    ? undefined
    : parseMoment(new URLSearchParams(location.search).get('t'));

  const session = startViewing(
    videoId,
    video,
    (dispatch) => {
      const listener: PlaybackListener = { event: dispatch, tracks: showTracks };
      playback = createPlayback(video, listener, () => stream, controls.showStart);
      return clips.wrap(playback);
    },
    {
      viewing(viewing) {
        const isOther = view.dataset.source !== viewing.source;
        view.dataset.state = viewing.state;
        view.dataset.source = viewing.source;
        if (isOther) applySpeed();
        showNotice(view, describeViewing(viewing), (event) => session.dispatch({ type: event }));
        controls.showSource(viewing.source);
        showAbout(view, videoId, stream, supply, viewing);
      },
      stream(found) {
        stream = found;
        document.title = `${found.title} · Rivulet`;
        system.show(found);
        showAbout(view, videoId, stream, supply, undefined);
      },
      facts(facts, status) {
        if (status.supply.state !== supply.state) {
          showAbout(view, videoId, stream, status.supply, undefined);
        }
        supply = status.supply;
        showAge(view, stream, supply);
        showFacts(view, video, facts, status);
        shownAtMs = facts.shownAtMs;
        if (wanted && video.readyState > 0 && video.seekable.length > 0) {
          const position = positionOfMoment(wanted, video, stream, facts.live, playback);
          if (position !== undefined) video.currentTime = position;
          wanted = undefined;
        }
        controls.showFacts(facts);
        menus.showActive(facts.level);
        stats.show(facts, status.delaySeconds, stream?.newestHops);
        const timeline = timelineOf(video, facts, (instantMs) => playback?.positionOf(instantMs));
        markerPanel.follow(timeline);
        clips.follow(stream, timeline);
      },
    },
  );
  document.title = `${videoId} · Rivulet`;
  showAbout(view, videoId, undefined, supply, undefined);

  return () => {
    session.end();
    endMarkers();
    clips.disconnect();
    controls.disconnect();
    captionStyle.disconnect();
    system.disconnect();
  };
}

/**
 * Of a live stream the instant, which stays the same while its window slides; and so of a recording that has
 * lost its beginning.
 */
function momentOnScreen(
  view: HTMLElement,
  video: HTMLVideoElement,
  stream: StreamView | undefined,
  shownAtMs: number | undefined,
): Moment | undefined {
  const isWhole = stream?.recordedSince === undefined;
  if (view.dataset.source === 'recording' && isWhole) return { seconds: video.currentTime };
  return shownAtMs === undefined ? undefined : { instantMs: shownAtMs };
}

/** undefined where the playlist does not have it: playback then begins where it does without. */
function positionOfMoment(
  moment: Moment,
  { seekable }: HTMLVideoElement,
  stream: StreamView | undefined,
  live: boolean,
  playback: Playback | undefined,
): number | undefined {
  if ('instantMs' in moment) return playback?.positionOf(moment.instantMs);
  if (live)
    return playback?.positionOf(Date.parse(stream?.startedAt ?? '') + moment.seconds * 1000);
  // Seconds are those of the stream, of which retention has removed the first.
  const into = Math.max(0, moment.seconds - (stream?.recordedFromSeconds ?? 0));
  return Math.min(seekable.start(0) + into, seekable.end(seekable.length - 1));
}

function timelineOf(
  video: HTMLVideoElement,
  { live, shownAtMs }: PlaybackFacts,
  positionOf: Timeline['positionOf'],
): Timeline {
  const { seekable } = video;
  const last = seekable.length - 1;
  const [start, end] = last < 0 ? [0, 0] : [seekable.start(0), seekable.end(last)];
  return { live, start, end, shownAtMs, positionOf };
}

function createPlayback(
  video: HTMLVideoElement,
  listener: PlaybackListener,
  stream: () => StreamView | undefined,
  onBlocked: () => void,
): Playback {
  if (!Hls.isSupported() && canPlayNatively(video)) {
    return createNativePlayback(video, listener, onBlocked);
  }
  return createHlsPlayback(video, listener, {
    workerPath: new URL(HLS_WORKER_FILE, import.meta.url).href,
    nameLevel: (level) => nameLevel(level, stream()),
    onBlocked,
  });
}

function nameLevel({ width, height, bitrate }: Level, stream: StreamView | undefined): string {
  const rung = stream?.renditions.find(
    ({ kind, widthPx, heightPx }) => kind === 'video' && widthPx === width && heightPx === height,
  );
  if (rung) return rung.name;
  return height > 0 ? `${Math.min(width, height)}p` : `${Math.round(bitrate / 1000)} kbit/s`;
}

function showAbout(
  view: HTMLElement,
  videoId: string,
  stream: StreamView | undefined,
  supply: Supply,
  viewing: Viewing | undefined,
): void {
  find(view, '.stream-title', HTMLElement).textContent = stream?.title ?? videoId;
  const badge = find(view, '.badge', HTMLElement);
  // The player learns of the end before the server is asked again.
  const ended = (viewing?.source ?? view.dataset.source) === 'recording';
  const state = ended ? 'ended' : view.dataset.source === 'live' ? 'live' : stream?.state;
  const { text: label, tone } = badgeOf(state ?? 'created', supply, stream?.file);
  badge.hidden = !stream || view.dataset.state === 'unknown';
  badge.textContent = label;
  badge.dataset.tone = tone;
  view.dataset.ended = String(ended);
  view.dataset.supply = supply.state;
  showAge(view, stream, supply);
}

/** What the server answered before the end is wrong after it. */
function showAge(view: HTMLElement, stream: StreamView | undefined, supply: Supply): void {
  const isCurrent = stream && (stream.state === 'ended') === (view.dataset.ended === 'true');
  const nowMs = Date.now();
  const isFile = isCurrent && isFileOnly(stream);
  const said = isFile
    ? text('upload.cardProcessed')
    : troubleOf(supply, nowMs) || (isCurrent ? ageOf(stream, nowMs) : '');
  const age = find(view, '.age', HTMLElement);
  if (age.textContent !== said) age.textContent = said;
}

function showFacts(
  view: HTMLElement,
  video: HTMLVideoElement,
  facts: PlaybackFacts,
  { supply, delaySeconds }: LiveStatus,
): void {
  const { live } = facts;
  view.dataset.level = facts.level;
  view.dataset.time = video.currentTime.toFixed(2);
  view.dataset.behind = live ? facts.behindSeconds.toFixed(2) : '';
  view.dataset.delay = live ? delaySeconds.toFixed(2) : '';
  // Nothing is live of a broadcast that has ended.
  const hasDelay = live && video.readyState > 0 && supply.state !== 'over';
  const delay = delaySeconds < 100 ? `${Math.round(delaySeconds)} s` : formatClock(delaySeconds);
  find(view, '.delay', HTMLElement).textContent = hasDelay
    ? text('player.behindLive', { delay })
    : '';
}

/** Shows a message over the video, and announces it to screen readers. */
function showNotice(
  view: HTMLElement,
  message: ViewingMessage,
  act: (event: NonNullable<ViewingMessage['action']>['event']) => void,
): void {
  const notice = find(view, '.notice', HTMLElement);
  const banner = find(view, '.banner', HTMLElement);
  notice.hidden = message.place !== 'screen';
  banner.hidden = message.place !== 'banner';
  notice.classList.toggle('busy', message.busy);
  find(notice, '.notice-title', HTMLElement).textContent = message.title;
  find(notice, '.notice-detail', HTMLElement).textContent = message.detail;
  find(banner, '.banner-title', HTMLElement).textContent = message.title;
  find(banner, '.banner-detail', HTMLElement).textContent = message.detail;
  const button = find(notice, '.notice-action', HTMLButtonElement);
  const { action } = message;
  button.hidden = !action;
  button.textContent = action?.label ?? '';
  button.onclick = action ? () => act(action.event) : null;
  const announcer = find(view, '.announcer', HTMLElement);
  const said = message.place === 'none' ? '' : `${message.title} ${message.detail}`.trim();
  if (announcer.textContent !== said) announcer.textContent = said;
}
