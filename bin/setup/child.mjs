/** Child processes of the task runner. */

import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** What the set-up tells people: a message without a stack trace, and exit code 1. */
export class SetupError extends Error {}

/** Standard output belongs to the task. @param {string} text */
export const say = (text) => {
  process.stderr.write(`${text}\n`);
};

const ORPHAN_POLL_MS = 250;

const FORWARDED = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * Runs a program in our place: with our standard streams and our signals.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>} The exit code; 128 + the signal's number if a signal ended it.
 */
export function runForeground(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: 'inherit' });
    let isTold = false;
    const forward = (/** @type {NodeJS.Signals} */ signal) => {
      isTold = true;
      // Ctrl-C in a terminal reaches the whole foreground group: the child has it already.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of FORWARDED) process.on(signal, forward);
    const watch = whenOrphaned(() => {
      // To many programs a second signal means: at once.
      if (!isTold) child.kill('SIGTERM');
    });
    const settle = () => {
      clearInterval(watch);
      for (const signal of FORWARDED) process.off(signal, forward);
    };
    child.once('error', (error) => {
      settle();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      settle();
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}

/**
 * npm passes SIGTERM on to the shell between it and us, which dies of it and tells us nothing.
 * @param {() => void} act
 */
function whenOrphaned(act) {
  const parent = process.ppid;
  const isUnderNpm = process.env.npm_lifecycle_event !== undefined;
  const watch = setInterval(() => {
    if (!isUnderNpm || process.ppid === parent) return;
    clearInterval(watch);
    act();
  }, ORPHAN_POLL_MS);
  return watch.unref();
}

/**
 * Runs a program without input and keeps what it prints.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ code: number, output: string }>} `code` is -1 if it could not be started.
 */
export function runQuietly(program, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    const stop = (/** @type {NodeJS.Signals} */ signal) => {
      child.kill(signal);
      process.exitCode = 128 + constants.signals[signal];
      child.once('exit', () => process.exit());
    };
    for (const signal of FORWARDED) process.once(signal, stop);
    const settle = (/** @type {number} */ code) => {
      for (const signal of FORWARDED) process.off(signal, stop);
      resolve({ code, output });
    };
    child.once('error', (error) => {
      output += error.message;
      settle(-1);
    });
    child.once('close', (code) => settle(code ?? -1));
  });
}
