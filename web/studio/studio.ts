/** The studio: going live from a browser. */

import { readOwnerKey } from '../shared/owner-key.ts';
import { find } from '../shared/page-elements.ts';
import { connectOpenForm } from '../shared/page-frame.ts';
import { useLanguage } from '../shared/translate.ts';
import { text } from '../texts/text.ts';
import { findStream, opensStream } from './stream-setup.ts';
import { forgetAccess, keepAccess, keptAccess, takeAccessOfLink } from './studio-access.ts';
import type { StudioAccess } from './studio-link.ts';
import { StudioRoom } from './studio-room.ts';

useLanguage(navigator.languages);
connectOpenForm();
const page = find(document, '#page', HTMLElement);
const door = find(page, '.studio-door', HTMLFormElement);
const problem = find(door, '.door-problem', HTMLElement);
const fieldOf = (name: string): HTMLInputElement =>
  find(door, `[name="${name}"]`, HTMLInputElement);

const RETRY_MS = 3000;

let entered: Readonly<{ videoId: string; room: StudioRoom }> | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;

async function enter(access: StudioAccess): Promise<void> {
  clearTimeout(retry);
  problem.textContent = '';
  if (!navigator.mediaDevices) {
    problem.textContent = text('studio.noDevices');
    return;
  }
  page.dataset.owner = String(access.key === readOwnerKey());
  try {
    if (!(await opensStream(access))) {
      judge(false);
      return;
    }
    keepAccess(access);
    if (entered) {
      if (entered.videoId === access.videoId) entered.room.useKey(access);
      else location.reload();
      return;
    }
    const stream = await findStream(access.videoId);
    judge(true);
    document.title = `${stream?.title ?? access.videoId} · ${text('studio.title')}`;
    entered = { videoId: access.videoId, room: new StudioRoom(page, access, stream, judge) };
  } catch {
    problem.textContent = text('home.unreachable');
    retry = setTimeout(() => void enter(access), RETRY_MS);
    return;
  }
  await entered.room.open();
}

/** What was recorded is kept while the server does not take the key, and goes on with the right one. */
function judge(isAccepted: boolean): void {
  problem.textContent = isAccepted ? '' : text('studio.wrongKey');
  door.hidden = isAccepted;
}

door.addEventListener('submit', (event) => {
  event.preventDefault();
  void enter({ videoId: fieldOf('videoId').value.trim(), key: fieldOf('key').value.trim() });
});
find(page, '.leave-stream', HTMLButtonElement).addEventListener('click', () => {
  forgetAccess();
  location.reload();
});

function openLink(): void {
  const linked = takeAccessOfLink();
  const kept = keptAccess();
  const videoId = linked.videoId ?? kept?.videoId;
  const keptKey = kept?.videoId === videoId ? kept?.key : undefined;
  const key = linked.key ?? keptKey ?? readOwnerKey();
  fieldOf('videoId').value = videoId ?? '';
  fieldOf('key').value = key ?? '';
  if (videoId !== undefined && key !== undefined) void enter({ videoId, key });
}

// A link that is opened while the page is there.
window.addEventListener('hashchange', () => {
  if (location.hash !== '') openLink();
});
openLink();
