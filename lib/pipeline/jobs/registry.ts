/** The registry of all kinds of jobs: finds the kind of a message, and runs it or gives it up. */

import type { WorkerDeps } from '../deps.ts';
import { sendPublish } from '../messages.ts';
import { captionFileJob } from './caption-file.ts';
import { clip } from './clip.ts';
import {
  JOB_QUEUES,
  type JobBody,
  type JobClass,
  type JobContext,
  type JobKind,
  type JobResult,
  type SegmentJob,
} from './job-kind.ts';
import { languageAudio } from './language-audio.ts';
import { picture } from './picture.ts';
import { recordingPlaylists } from './recording-playlists.ts';
import { retention } from './retention/retention.ts';
import { splitFile } from './split-file/split-file.ts';
import { transcode, transcodeFile } from './transcode.ts';
import { webm } from './webm.ts';

export type JobRegistry = Readonly<{
  /** Classes that have kinds, most urgent first. */
  classes: readonly JobClass[];
  /** Mean weight of a class's kinds: its queue counts messages, not kinds. */
  weightOf(jobClass: JobClass): number;
  /** Runs the job of a message's body. Throws when another try may help. */
  run(deps: WorkerDeps, body: string, context: JobContext): Promise<JobResult>;
  /** Whether publishing waits for the job of a message's body. */
  blocksPublishing(body: string): boolean;
  /** For a message whose every delivery has failed. */
  giveUp(deps: Omit<WorkerDeps, 'media'>, body: string, reason: string): Promise<void>;
}>;

/** Throws if a kind has no handler, or two. */
// biome-ignore lint/suspicious/noExplicitAny: each kind has a body of its own, and parses it itself.
export function jobRegistry(kinds: readonly JobKind<any>[]): JobRegistry {
  const byName = new Map(kinds.map((kind) => [kind.name, kind]));
  if (byName.size < kinds.length) {
    const names = kinds.map(({ name }) => name);
    const twice = names.filter((name, index) => names.indexOf(name) < index);
    throw new Error(`These kinds of jobs are registered twice: ${twice.join(', ')}.`);
  }
  for (const { name, run, giveUp, schema } of kinds) {
    if (!run || !giveUp || !schema) throw new Error(`The kind of job "${name}" has no handler.`);
  }
  const parse = (body: string): readonly [JobKind, JobBody] => {
    const { kind: name, ...rest } = JSON.parse(body);
    const kind = byName.get(name);
    if (!kind) throw new Error(`No kind of job is called ${JSON.stringify(name)}: ${body}`);
    return [kind, kind.schema.parse(rest)];
  };
  const weightsOf = (jobClass: JobClass): number[] =>
    kinds.filter((kind) => kind.class === jobClass).map(({ weight }) => weight);
  return {
    classes: (Object.keys(JOB_QUEUES) as JobClass[]).filter((one) => weightsOf(one).length > 0),
    weightOf(jobClass) {
      const weights = weightsOf(jobClass);
      return weights.reduce((sum, weight) => sum + weight, 0) / Math.max(1, weights.length);
    },
    async run(deps, body, context) {
      const [kind, job] = parse(body);
      const result = await kind.run(deps, job, context);
      if (kind.blocksPublishing && result !== 'obsolete') await notifyPublisher(deps, job);
      return result;
    },
    blocksPublishing: (body) => parse(body)[0].blocksPublishing,
    async giveUp(deps, body, reason) {
      const [kind, job] = parse(body);
      await kind.giveUp(deps, job, reason);
      if (kind.blocksPublishing) await notifyPublisher(deps, job);
    },
  };
}

function notifyPublisher(deps: Pick<WorkerDeps, 'queues'>, job: JobBody): Promise<void> {
  const { videoId, uid, track, run, number } = job as SegmentJob;
  const completed = { run, number, ...(track !== undefined && { track }) };
  return sendPublish(deps, { videoId, uid, completed });
}

/** Every kind, one line each. */
export const JOBS = jobRegistry([
  transcode,
  transcodeFile,
  splitFile,
  languageAudio,
  recordingPlaylists,
  webm,
  picture,
  clip,
  captionFileJob,
  retention,
]);
