/**
 * `npm run bench`: all benches, or those named (throughput, stills, file, delay, inspection,
 * upload, playlist, segment-files, memory, bundles). Ratios are of one run on one machine; exits 1 when a budget is not kept.
 */

import { availableParallelism, cpus } from 'node:os';
import { measureBundles } from './bundles.ts';
import { measureDelay } from './delay.ts';
import { measureInspection } from './inspect.ts';
import { measureMemory } from './memory.ts';
import { measurePlaylist } from './playlist.ts';
import { type Figure, report } from './report.ts';
import { measureSegmentFiles } from './segment-files.ts';
import { measureStills } from './stills.ts';
import { measureThroughput } from './throughput.ts';
import { measureUpload } from './upload.ts';
import { measureWholeFile } from './whole-file.ts';

const BENCHES: Readonly<Record<string, () => Promise<Figure[]>>> = {
  throughput: measureThroughput,
  stills: measureStills,
  file: measureWholeFile,
  delay: measureDelay,
  inspection: measureInspection,
  upload: measureUpload,
  playlist: measurePlaylist,
  'segment-files': measureSegmentFiles,
  memory: measureMemory,
  bundles: measureBundles,
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !BENCHES[name]);
if (unknown.length > 0) {
  console.error(`No bench ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}.`);
  process.exit(1);
}
console.log(`${availableParallelism()} cores, ${cpus()[0]?.model}, Node ${process.version}`);
const figures: Figure[] = [];
for (const [name, measure] of Object.entries(BENCHES)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  console.log(`${name} …`);
  figures.push(...(await measure()));
}
process.exit((await report(figures)) ? 0 : 1);
