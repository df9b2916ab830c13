/**
 * kafkajs 2.2.4 asks for timers in the past, which does no harm; Node warns of each on standard error, in the middle of the
 * story.
 *
 * @returns a function that lets the warnings through again
 */
export function muteTimerWarnings(): () => void {
  const { emitWarning } = process;
  process.emitWarning = (...given: [warning: string | Error, type?: unknown, ...rest: unknown[]]): void => {
    if (given[1] !== 'TimeoutNegativeWarning') Reflect.apply(emitWarning, process, given);
  };
  return () => {
    process.emitWarning = emitWarning;
  };
}
