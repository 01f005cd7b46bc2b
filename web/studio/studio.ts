/** The studio: going live from a browser. */

import { readOwnerKey } from '../shared/owner-key.ts';
import { find } from '../shared/page-elements.ts';
import { connectOpenForm } from '../shared/page-frame.ts';
import { text } from '../shared/texts.ts';
import { useLanguage } from '../shared/translate.ts';
import { findStream } from './stream-setup.ts';
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

let entered: Readonly<{ videoId: string; room: StudioRoom }> | undefined;

async function enter(access: StudioAccess): Promise<void> {
  problem.textContent = '';
  page.dataset.owner = String(access.key === readOwnerKey());
  if (entered) {
    keepAccess(access);
    if (entered.videoId === access.videoId) entered.room.useKey(access);
    else location.reload();
    return;
  }
  if (!navigator.mediaDevices) {
    problem.textContent = text('studio.noDevices');
    return;
  }
  try {
    const stream = await findStream(access.videoId);
    keepAccess(access);
    door.hidden = true;
    document.title = `${stream?.title ?? access.videoId} · ${text('studio.title')}`;
    entered = { videoId: access.videoId, room: new StudioRoom(page, access, stream, judge) };
  } catch {
    problem.textContent = text('home.unreachable');
  }
  await entered?.room.open();
}

/** What was recorded is kept while the server does not take the key, and goes on with the right one. */
function judge(isAccepted: boolean): void {
  if (!isAccepted) forgetAccess();
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
