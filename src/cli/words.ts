/** Numbers as people say them. */

/** `0.4 s`, `245 s`, `12 min`, `3 h 10 min`, `2 d 4 h`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 599.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return pair(`${hours} h`, minutes % 60, 'min');
  return pair(`${Math.floor(hours / 24)} d`, hours % 24, 'h');
}

function pair(large: string, small: number, unit: string): string {
  return small === 0 ? large : `${large} ${small} ${unit}`;
}

/** `never`, or how long ago. */
export function ago(seconds: number | null): string {
  return seconds === null ? 'never' : `${duration(seconds)} ago`;
}

/** `in 10 s to 75 s`; `-` while nobody can tell. */
export function within(window: { readonly earliest: number; readonly latest: number } | null): string {
  if (window === null) return '-';
  const [earliest, latest] = [duration(window.earliest), duration(window.latest)];
  return earliest === latest ? `in ${latest}` : `in ${earliest} to ${latest}`;
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
