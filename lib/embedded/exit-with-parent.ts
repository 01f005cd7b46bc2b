/** Loaded into each worker first: a worker does not outlive the engine that started it. */

process.once('disconnect', () => process.exit(1));
// Listening must not keep a worker alive that has nothing left to do.
process.channel?.unref();
