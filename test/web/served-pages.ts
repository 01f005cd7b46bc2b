/** The built pages on a fake stream server with media, and a browser: what tests of the pages begin with. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { buildPages } from '../../web/build.ts';
import { launchChromium } from '../support/chromium.ts';
import { type FakeStreamServer, startFakeStreamServer } from './fake-stream-server.ts';
import { makeHlsMediaTree } from './hls-media-tree.ts';

export type ServedPages = Readonly<{
  server: FakeStreamServer;
  browser: Browser;
  close(): Promise<void>;
}>;

export async function servePages(framesPerSecond?: number): Promise<ServedPages> {
  const folder = await mkdtemp(path.join(tmpdir(), 'rivulet-pages-'));
  const pages = path.join(folder, 'pages');
  const [tree] = await Promise.all([
    makeHlsMediaTree(path.join(folder, 'media'), framesPerSecond),
    buildPages(pages),
  ]);
  const server = await startFakeStreamServer(pages, tree);
  const browser = await launchChromium();
  return {
    server,
    browser,
    async close() {
      await browser.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
