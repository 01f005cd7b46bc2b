/**
 * `npm run fuzz -- --bodies 100000 --seed 1`: feeds damaged bodies to the inspection and prints figures.
 * Exits 1 when one is neither taken nor refused as it should be. `--seed N --bodies 1` repeats one.
 */

import { parseArgs } from 'node:util';
import { fuzzInspection } from './fuzz-inspection.ts';

const PROGRESS_EVERY = 10_000;
const MB = 1 << 20;

const { values } = parseArgs({
  options: {
    bodies: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
  },
});
const [bodies, seed] = [Number(values.bodies), Number(values.seed)];
if (!(Number.isSafeInteger(bodies) && bodies > 0 && Number.isSafeInteger(seed) && seed >= 0)) {
  console.error('--bodies and --seed are whole numbers.');
  process.exit(1);
}

const startMs = performance.now();
const residentMb: number[] = [];
const report = await fuzzInspection({
  bodies,
  seed,
  onProgress: (done) => {
    if (done % PROGRESS_EVERY !== 0) return;
    residentMb.push(Math.round(process.memoryUsage.rss() / MB));
    console.log(`${done} bodies, ${residentMb.at(-1)} MB resident`);
  },
});
for (const { seed: at, kind, what } of report.faults)
  console.log(`FAULT --seed ${at} (${kind}): ${what}`);
console.table(report.outcomes);
const { ms, seed: slowestSeed } = report.slowest;
console.log(`${report.bodies} bodies in ${Math.round((performance.now() - startMs) / 1000)} s`);
console.log(`slowest: ${Math.round(ms)} ms (--seed ${slowestSeed})`);
console.log(`peak memory: ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);
console.log(`${report.faults.length} faults`);
process.exit(report.faults.length > 0 ? 1 : 0);
