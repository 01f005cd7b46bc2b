/** `npm start`: builds the pages and runs the system, with a demo stream while there is no other. */

import { isIPv6 } from 'node:net';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { flag, parseCommandLine, UsageError } from '../lib/base/command-line.ts';
import { ConfigError } from '../lib/base/environment.ts';
import { text, withDefault } from '../lib/base/settings.ts';
import { serverConfig } from '../lib/embedded/embedded-config.ts';
import { buildPages } from '../web/build.ts';
import { DEMO_ID, type Demo, startDemoIfDue } from './serve/demo.ts';
import { startSystem } from './serve/embedded-system.ts';
import type { RunningSystem } from './serve/running-system.ts';

const HELP = `npm start                 runs Rivulet on this machine
npm start -- --no-demo    without the demo stream, which runs while there is no other stream
npm start -- --aws        serves what was deployed to AWS, or to the emulator at AWS_ENDPOINT_URL;
                          --stage NAME: another stage than dev

Settings, from the environment:
  PORT                  8080         0: any free one
  HOST                  127.0.0.1    0.0.0.0: reachable from other machines
  RIVULET_DATA          .rivulet     data folder: media, database, keys
  RIVULET_OWNER_KEY                  generated once and kept in the data folder by default
  RIVULET_WORKERS                    most worker processes; by default one for two cores
  RIVULET_JOBS          2            segments that a worker transcodes at once
  RIVULET_IDLE_SECONDS  300          a worker that is idle for so long ends
  RIVULET_COUNTRY_HEADER             in which a proxy says the country of its client`;

const OPTIONS = {
  'no-demo': flag,
  aws: flag,
  stage: withDefault(text('the name of a stage'), 'dev'),
};

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const SAME_SIGNAL_MS = 250;

try {
  await main();
} catch (error) {
  console.error(explain(error));
  process.exit(1);
}

async function main(): Promise<void> {
  const { help, options } = parseCommandLine(OPTIONS, process.argv.slice(2));
  if (help) return console.log(HELP);
  const config = serverConfig(process.env);
  const pages = join(PROJECT, 'dist', 'pages');
  await buildPages(pages);
  const system = options.aws
    ? // Loaded only here: the SDK's clients take as much memory as the engine.
      await (await import('./serve/aws-system.ts')).startAwsSystem(config, pages, options.stage)
    : await startSystem(config, pages);
  const url = urlOf(config.host, system.address.port);
  const demo = options.aws
    ? undefined
    : await startDemoIfDue(url, system.ownerKey, !options['no-demo']);
  const kept = options.aws
    ? `Stage       ${options.stage}`
    : `Data        ${relative(process.cwd(), config.dataPath) || config.dataPath}`;
  console.log(greeting(url, system, kept, demo !== undefined));
  stopOnSignals(system, demo);
}

/** A second signal ends at once; one that comes with the first is the same, passed on by npm. */
function stopOnSignals(system: RunningSystem, demo: Demo | undefined): void {
  let signalledAtMs: number | undefined;
  const stop = async () => {
    const nowMs = performance.now();
    if (signalledAtMs !== undefined) {
      if (nowMs - signalledAtMs < SAME_SIGNAL_MS) return;
      process.exit(130);
    }
    signalledAtMs = nowMs;
    console.log('Stopping: finishing what is in progress …');
    demo?.stop();
    const left = await system.stop();
    if (left.length > 0) console.error(`Ended without waiting any longer for: ${left.join(', ')}.`);
    process.exit(left.length > 0 ? 1 : 0);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${port}`;
}

/** The key is printed to a terminal alone: what is printed elsewhere is kept as a log. */
function greeting(url: string, system: RunningSystem, kept: string, demo: boolean): string {
  const key = process.stdout.isTTY ? system.ownerKey : system.ownerKeyPlace;
  return `
Rivulet is running.

  Watch       ${url}/${demo ? `watch/${DEMO_ID}` : ''}
  All streams ${url}/
  Owner key   ${key}
  ${kept}

Push a stream with plain ffmpeg, with the owner key in place of KEY:

  ffmpeg -re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine=frequency=330 \\
    -c:v libx264 -preset veryfast -pix_fmt yuv420p -g 60 -c:a aac \\
    -f hls -hls_time 2 -method PUT ${url.replace('://', '://x:KEY@')}/upload/my-stream/live.m3u8

or with the encoder client (a file, a camera, an RTSP address; INPUT may be testsrc):

  RIVULET_KEY=KEY npm run encoder -- INPUT --to ${url} --stream my-stream

Stop with Ctrl-C.
`;
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof UsageError) return `${error.message}\nTry --help.`;
  if (error instanceof ConfigError) return error.message;
  if ('code' in error && error.code === 'EADDRINUSE') {
    return `The port is in use by another program. Choose another one: PORT=8081 npm start`;
  }
  if ('code' in error && error.code === 'EACCES') {
    return `This user may not use the port or folder (${error.message}). Choose another: PORT=8081, RIVULET_DATA=…`;
  }
  return error.message.startsWith('Another engine')
    ? error.message
    : (error.stack ?? error.message);
}
