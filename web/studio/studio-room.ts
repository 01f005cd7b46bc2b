/** The room of the studio: preview, devices, and the broadcast from start to end. */

import { ApiError } from '../../lib/api/client.ts';
import type { StreamView } from '../../lib/api/messages.ts';
import { connectCopyButton } from '../shared/copy-button.ts';
import { formatBitrate, formatSpan } from '../shared/format-time.ts';
import { find } from '../shared/page-elements.ts';
import { watchPath } from '../shared/route.ts';
import { text } from '../texts/text.ts';
import { Broadcast, type BroadcastTracks, wayOfBrowser } from './broadcast.ts';
import { QUALITIES, qualityNamed, sizeWithin, type VideoSettings } from './codec-choice.ts';
import { connectDeviceMenus, fillDeviceMenus } from './device-menus.ts';
import { deviceProblem, isBeingSent, lineReport } from './line-report.ts';
import { MediaSources } from './media-sources.ts';
import { Stage } from './stage.ts';
import { prepareStream } from './stream-setup.ts';
import type { StudioAccess } from './studio-link.ts';
import { keepAwake } from './wake-lock.ts';
import type { FromWorker, Layout, WorkerStatus } from './worker-messages.ts';

/** `ready`: preview. `starting`: until the first picture is encoded. `ending`: the rest is sent. */
type RoomState = 'ready' | 'starting' | 'live' | 'ending' | 'ended';

/** How long the loss of a device is told. */
const LOST_MS = 8000;

export class StudioRoom {
  readonly #page: HTMLElement;
  readonly #room: HTMLElement;
  readonly #sources: MediaSources;
  readonly #stage: Stage;
  readonly #broadcast: Broadcast;
  readonly #onKey: (isAccepted: boolean) => void;
  #access: StudioAccess;
  #stream: StreamView | undefined;
  #isKeyAccepted = true;
  #state: RoomState = 'ready';
  #status: WorkerStatus | undefined;
  #liveSinceMs: number | undefined;
  #isSoundMuted = false;
  #isPictureMuted = false;

  constructor(
    page: HTMLElement,
    access: StudioAccess,
    stream: StreamView | undefined,
    onKey: (isAccepted: boolean) => void,
  ) {
    this.#page = page;
    this.#access = access;
    this.#stream = stream;
    this.#onKey = onKey;
    this.#room = find(page, '.studio-room', HTMLElement);
    this.#sources = new MediaSources({
      onChange: () => this.#sourcesChanged(),
      onLost: (kind, instead) => {
        const device = text(kind === 'camera' ? 'studio.camera' : 'studio.microphone');
        const key = instead === undefined ? 'studio.lost' : 'studio.replaced';
        this.#stage.say(text(key, { device, instead: instead ?? '' }), LOST_MS);
      },
    });
    this.#stage = new Stage(this.#room, this.#sources);
    this.#broadcast = new Broadcast(access, (message) => this.#take(message));
    this.#connect();
    setInterval(() => this.#stage.showTime(this.#liveSinceMs), 500);
  }

  /** Asks for camera and microphone. */
  async open(): Promise<void> {
    this.#room.hidden = false;
    this.#setState('ready');
    find(this.#room, '#title', HTMLInputElement).value = this.#stream?.title ?? '';
    const link = new URL(watchPath(this.#access.videoId), location.href).href;
    find(this.#room, '#link', HTMLInputElement).value = link;
    const way = wayOfBrowser();
    find(this.#room, '.go-live', HTMLButtonElement).disabled = way === undefined;
    if (way === undefined) return this.#stage.say(text('studio.unsupported'));
    this.#stage.say(text('studio.asking'));
    await this.#sources.openBoth().then(
      () => {
        const isSent = this.#stream !== undefined && isBeingSent(this.#stream);
        this.#stage.say(isSent ? text('studio.alreadySent') : '');
      },
      (error: unknown) => this.#stage.say(deviceProblem(error)),
    );
  }

  /** What waits is sent with it, too. */
  useKey(access: StudioAccess): void {
    this.#access = access;
    this.#broadcast.setAccess(access);
    this.#judgeKey(true);
  }

  #judgeKey(isAccepted: boolean): void {
    if (isAccepted === this.#isKeyAccepted) return;
    this.#isKeyAccepted = isAccepted;
    this.#room.hidden = !isAccepted;
    this.#onKey(isAccepted);
  }

  #connect(): void {
    const on = (selector: string, run: () => void): void =>
      find(this.#page, selector, HTMLButtonElement).addEventListener('click', run);
    on('.mute-sound', () => {
      this.#isSoundMuted = !this.#isSoundMuted;
      this.#sources.sound.mute(this.#isSoundMuted);
      this.#sourcesChanged();
    });
    on('.mute-picture', () => {
      this.#isPictureMuted = !this.#isPictureMuted;
      this.#sourcesChanged();
    });
    on('.share-screen', () => {
      if (this.#sources.screen) this.#sources.stopScreen();
      else void this.#sources.shareScreen().catch((error: unknown) => this.#explain(error));
    });
    on('.go-live', () => void this.#goLive());
    on('.stop-live', () => find(this.#page, '.confirm-stop', HTMLDialogElement).showModal());
    connectCopyButton(
      find(this.#room, '.copy-link', HTMLButtonElement),
      find(this.#room, '#link', HTMLInputElement),
    );
    on('.again', () => {
      this.#room.hidden = false;
      this.#setState('ready');
      void this.#sources.openBoth().catch((error: unknown) => this.#explain(error));
    });
    const dialog = find(this.#page, '.confirm-stop', HTMLDialogElement);
    dialog.addEventListener('close', () => {
      if (dialog.returnValue === 'yes') void this.#stop();
      dialog.returnValue = '';
    });
    const quality = find(this.#room, '#quality', HTMLSelectElement);
    quality.addEventListener('change', () => {
      void this.#sources.setQuality(qualityNamed(quality.value));
    });
    const server = find(this.#room, '.show-server', HTMLInputElement);
    server.addEventListener('change', () => {
      this.#stage.showServer(server.checked ? this.#access.videoId : undefined);
    });
    connectDeviceMenus(this.#room, this.#sources, (error) => this.#explain(error));
    for (const type of ['pointerdown', 'keydown']) {
      window.addEventListener(type, () => this.#sources.sound.resume());
    }
    window.addEventListener('online', () => this.#broadcast.retry());
    window.addEventListener('offline', () => this.#showLine());
    window.addEventListener('beforeunload', (event) => {
      if (this.#isBusy) event.preventDefault();
    });
  }

  /** Live, or something is not with the server yet. */
  get #isBusy(): boolean {
    const isUnsent = (this.#status?.backlogSegments ?? 0) > 0;
    return isUnsent || !['ready', 'ended'].includes(this.#state);
  }

  get #layout(): Layout {
    const { camera, screen } = this.#sources;
    const hasCamera = camera !== undefined && !this.#isPictureMuted;
    if (screen) return hasCamera ? 'both' : 'screen';
    return hasCamera ? 'camera' : 'none';
  }

  get #tracks(): BroadcastTracks {
    const { camera, screen, sound } = this.#sources;
    return { camera, screen, sound: sound.track, layout: this.#layout };
  }

  #sourcesChanged(): void {
    const { camera, screen } = this.#sources;
    if (camera) camera.enabled = !this.#isPictureMuted;
    const press = (selector: string, isPressed: boolean): void =>
      find(this.#room, selector, HTMLButtonElement).setAttribute('aria-pressed', `${isPressed}`);
    press('.mute-sound', this.#isSoundMuted);
    press('.mute-picture', this.#isPictureMuted);
    press('.share-screen', screen !== undefined);
    this.#stage.show(this.#layout, this.#sources);
    this.#broadcast.update(this.#tracks);
    void fillDeviceMenus(this.#room, this.#sources);
  }

  async #goLive(): Promise<void> {
    this.#setState('starting');
    this.#sources.sound.resume();
    // What waits for its receipt is not to be cleared away.
    void navigator.storage?.persist().catch(() => false);
    const title = find(this.#room, '#title', HTMLInputElement);
    const wanted = title.value.trim();
    try {
      const isNew = this.#stream === undefined || wanted !== this.#stream.title;
      const isPrepared =
        !(isNew || this.#isOwner) || (await prepareStream(this.#access, wanted, this.#stream));
      if (!isPrepared) title.value = this.#stream?.title ?? '';
    } catch (error) {
      this.#setState('ready');
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        return this.#judgeKey(false);
      }
      return this.#stage.say(error instanceof ApiError ? error.message : text('home.unreachable'));
    }
    this.#stage.say('');
    this.#sources.sound.begin();
    this.#broadcast.start(this.#settings(), this.#tracks);
  }

  /** A title that was changed here is the owner's to set. */
  get #isOwner(): boolean {
    return this.#page.dataset.owner === 'true';
  }

  #settings(): VideoSettings {
    const name = qualityNamed(find(this.#room, '#quality', HTMLSelectElement).value);
    const { longSidePx, shortSidePx, framesPerSecond, bitsPerSecond } = QUALITIES[name];
    const { width, height } = (this.#sources.screen ?? this.#sources.camera)?.getSettings() ?? {};
    const source = { widthPx: width ?? longSidePx, heightPx: height ?? shortSidePx };
    return { ...sizeWithin(source, name), framesPerSecond, bitsPerSecond };
  }

  async #stop(): Promise<void> {
    this.#setState('ending');
    this.#liveSinceMs = undefined;
    await this.#broadcast.stop();
    this.#sources.closeAll();
  }

  #take(message: FromWorker): void {
    if (message.type === 'status') {
      this.#status = message;
      this.#showLine();
      const isRefused = message.line === 'refused' && message.problem?.code !== 'run_superseded';
      this.#judgeKey(!isRefused);
    } else if (message.type === 'live') {
      this.#liveSinceMs = message.startedAtMs;
      this.#page.dataset.codecs = message.codecs;
      if (this.#state === 'starting') this.#setState('live');
    } else if (message.type === 'ended') {
      this.#setState('ended');
    } else this.#fail(message.reason, message.message);
  }

  #fail(reason: 'unsupported' | 'failed' | 'busy', detail: string): void {
    const isBusy = reason === 'busy';
    const key = reason === 'unsupported' ? 'studio.unsupported' : 'studio.failed';
    if (this.#state === 'starting') this.#setState('ready');
    this.#stage.say(isBusy ? text('studio.busy') : `${text(key)} (${detail})`);
    if (isBusy) find(this.#room, '.go-live', HTMLButtonElement).disabled = true;
  }

  #setState(state: RoomState): void {
    this.#state = state;
    this.#page.dataset.state = state;
    const isOn = state === 'live' || state === 'ending';
    const go = find(this.#room, '.go-live', HTMLButtonElement);
    go.hidden = isOn;
    go.disabled = state === 'starting';
    go.textContent = text(state === 'starting' ? 'studio.starting' : 'studio.goLive');
    const stop = find(this.#room, '.stop-live', HTMLButtonElement);
    stop.hidden = !isOn;
    stop.disabled = state === 'ending';
    stop.textContent = text(state === 'ending' ? 'studio.ending' : 'studio.stop');
    for (const selector of ['#quality', '#title']) {
      find(this.#room, selector, HTMLElement).toggleAttribute('disabled', state !== 'ready');
    }
    keepAwake(isOn || state === 'starting');
    find(this.#page, '.after', HTMLElement).hidden = state !== 'ended';
    this.#room.hidden = state === 'ended' || !this.#isKeyAccepted;
    const recording = find(this.#page, '.recording', HTMLAnchorElement);
    recording.href = watchPath(this.#access.videoId);
    this.#stage.showTime(this.#liveSinceMs);
    this.#showLine();
  }

  #showLine(): void {
    const line = find(this.#room, '.line', HTMLElement);
    const status = this.#status;
    line.hidden = !status || !this.#isBusy;
    if (!status) return;
    const { tone, text: words } = lineReport(status, navigator.onLine, this.#state === 'live');
    line.dataset.tone = tone;
    if (line.textContent !== words) line.textContent = words;
    this.#page.dataset.backlog = String(status.backlogSegments);
    const facts = {
      [text('studio.factRate')]: formatBitrate(status.bitsPerSecond),
      [text('studio.factBacklog')]: formatSpan(1000 * status.backlogSeconds),
      [text('studio.factDropped')]: text('stats.droppedOf', {
        dropped: status.droppedFrames,
        total: status.droppedFrames + status.encodedFrames,
      }),
      ...(status.lostSegments > 0 && { [text('studio.factLost')]: String(status.lostSegments) }),
    };
    find(this.#room, '.facts', HTMLElement).replaceChildren(
      ...(status.bitsPerSecond > 0 ? Object.entries(facts).flatMap(definition) : []),
    );
  }

  #explain(error: unknown): void {
    // Somebody who closes the choice of a screen has not asked for anything.
    if (error instanceof Error && error.name === 'NotAllowedError' && this.#sources.camera) return;
    this.#stage.say(deviceProblem(error));
  }
}

function definition([term, value]: readonly [string, string]): readonly HTMLElement[] {
  const [name, data] = [document.createElement('dt'), document.createElement('dd')];
  name.textContent = term;
  data.textContent = value;
  return [name, data];
}
