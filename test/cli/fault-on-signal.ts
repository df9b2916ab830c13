/** Preloaded into a process: SIGUSR2 becomes an error that nobody expects. */
process.on('SIGUSR2', () => {
  throw new Error('a fault of ours');
});
