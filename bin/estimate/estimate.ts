/** `npm run estimate`: what streams cost on AWS, from dated prices and from what the code does. */

import { UsageError } from '../../lib/base/command-line.ts';
import { FUNCTION_TABLE } from '../../lib/infra/function-table.ts';
import { costs, type Facts } from './costs.ts';
import { deployedIdleResources } from './idle-resources.ts';
import { MANAGED_SERVICES } from './managed-services.ts';
import { measureCpuSeconds } from './media.ts';
import { PRICES, US_EAST_1 } from './prices.ts';
import { report } from './report.ts';
import { measureWork } from './run.ts';
import { HELP, parseEstimate, type Scenario } from './scenario.ts';

const SEGMENTS = 6;
/** What a receipt reads at most. */
const SEGMENTS_BEFORE = 256;
/** Of a stereo track, as the workers encode it. */
const AUDIO_BPS = 128_000;

async function factsOf({
  ladder,
  segmentSeconds,
  languages,
  cpuSeconds,
}: Scenario): Promise<Facts> {
  console.error('Sending a short stream through the real steps…');
  const work = await measureWork({
    segments: SEGMENTS,
    before: SEGMENTS_BEFORE,
    segmentSeconds,
    rungs: ladder.length,
    languages,
  });
  if (cpuSeconds === undefined) console.error('Transcoding one segment into the ladder…');
  return {
    work,
    cpuSecondsPerMediaSecond:
      cpuSeconds ?? (await measureCpuSeconds(ladder, segmentSeconds, languages)),
    memoryMb: {
      upload: FUNCTION_TABLE.upload.memoryMb,
      publish: FUNCTION_TABLE.publish.memoryMb,
      housekeeping: FUNCTION_TABLE.delayed.memoryMb,
      housekeepingPublish: FUNCTION_TABLE.publish.memoryMb,
      scale: FUNCTION_TABLE.scaling.memoryMb,
      playlist: FUNCTION_TABLE['view-playlist'].memoryMb,
    },
    audioBps: AUDIO_BPS,
    idle: deployedIdleResources(),
  };
}

try {
  const { help, markdown, scenario } = parseEstimate(process.argv.slice(2));
  if (help) console.log(HELP);
  else {
    const prices = PRICES[scenario.region] ?? US_EAST_1;
    const facts = await factsOf(scenario);
    const estimate = {
      scenario,
      facts,
      prices,
      costs: costs(scenario, facts, prices),
      services: MANAGED_SERVICES,
      measuredCpu: scenario.cpuSeconds === undefined,
    };
    process.stdout.write(report(estimate, markdown));
    const { unknownHourly } = facts.idle;
    if (unknownHourly.length > 0) {
      console.error(`Not in the sums, but paid by the hour: ${unknownHourly.join(', ')}.`);
      process.exitCode = 1;
    }
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\nTry --help.`);
  process.exitCode = 1;
}
