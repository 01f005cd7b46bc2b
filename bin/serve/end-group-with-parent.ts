/** Loaded first into the leader of a process group: neither it nor its children outlive what started it. */

process.once('disconnect', () => {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    process.exit(1);
  }
});
// Listening must not keep a process alive that has nothing left to do.
process.channel?.unref();
