/** Child processes of the task runner. */

import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** Ends a task with its message, without a stack trace, and exit code 1. */
export class SetupError extends Error {}

/** To standard error: standard output belongs to the task. @param {string} text */
export const say = (text) => {
  process.stderr.write(`${text}\n`);
};

const ORPHAN_POLL_MS = 250;

const FORWARDED = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * Runs a program in place of this process: with its standard streams and its signals.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>} The exit code; 128 + the signal's number if a signal ended it.
 */
export function runForeground(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: 'inherit' });
    let isSignalled = false;
    const forward = (/** @type {NodeJS.Signals} */ signal) => {
      isSignalled = true;
      // Ctrl-C in a terminal reaches the whole foreground group, the child included.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of FORWARDED) process.on(signal, forward);
    const watch = whenOrphaned(() => {
      // Many programs stop at once at a second signal.
      if (!isSignalled) child.kill('SIGTERM');
    });
    const cleanUp = () => {
      clearInterval(watch);
      for (const signal of FORWARDED) process.off(signal, forward);
    };
    child.once('error', (error) => {
      cleanUp();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      cleanUp();
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}

/**
 * npm passes SIGTERM to the shell between it and this process; the shell dies of it and passes nothing on.
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
    const finish = (/** @type {number} */ code) => {
      for (const signal of FORWARDED) process.off(signal, stop);
      resolve({ code, output });
    };
    child.once('error', (error) => {
      output += error.message;
      finish(-1);
    });
    child.once('close', (code) => finish(code ?? -1));
  });
}
