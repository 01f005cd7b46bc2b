/**
 * `npm run players`: plays what a system of its own offers in every player that this machine has,
 * and prints what each made of it. Arguments are parts of the names of offers (`matrix`: segments as
 * files); without any, all. Exits 1 when a player that is here meets an error, misses something, or puts flash and
 * beep more than 10 ms apart.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { browserPlayers } from './browser-players.ts';
import { NATIVE_PLAYERS } from './native-players.ts';
import { setStage } from './offers.ts';
import { cellOf, type Player } from './player.ts';
import { segmentCells } from './segment-cells.ts';
import { markdownTable } from './table.ts';

const asked = process.argv.slice(2);
const ends: (() => unknown)[] = [];
const scope = { after: (end: () => unknown) => void ends.unshift(end) };
let wrong = 0;

const isAsked = (name: string): boolean =>
  asked.length === 0 || asked.some((part) => name.includes(part));

const endAll = async (): Promise<void> => {
  for (const end of ends.splice(0)) await end();
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await endAll();
    process.exit(1);
  });
}

try {
  const stage = await setStage(scope);
  const all = [...(await browserPlayers(scope, `${stage.system.url}/healthz`)), ...NATIVE_PLAYERS];
  const here: Player[] = [];
  const headings: string[] = [];
  for (const player of all) {
    const version = await player.version();
    if (version === undefined) console.error(`${player.name}: not here`);
    else {
      here.push(player);
      headings.push(`${player.name} ${version}`);
    }
  }
  const rows: string[][] = [];
  for (const offer of stage.offers) {
    if (!isAsked(offer.name)) continue;
    const row = [offer.name];
    for (const player of here) {
      const folder = await mkdtemp(join(tmpdir(), 'rivulet-players-'));
      try {
        const cell = await cellOf(player, offer, folder, stage.sourceSync);
        if (cell.isWrong) wrong += 1;
        console.error(`${offer.name} | ${player.name} | ${cell.text}`);
        row.push(cell.text);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
    rows.push(row);
  }
  if (rows.length > 0) console.log(markdownTable(['', ...headings], rows));
  if (isAsked('matrix')) {
    const cells = await segmentCells(stage, scope);
    wrong += cells.wrong;
    console.log(`\n${cells.table}`);
  }
} finally {
  await endAll();
}
process.exitCode = wrong === 0 ? 0 : 1;
