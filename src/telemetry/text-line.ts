/** A log line for people: `time LEVEL sentence key=value key="two words"`. */

/** @param json one line of our JSON log, with or without its newline @returns one line with its newline */
export function textLine(json: string): string {
  const entry: unknown = JSON.parse(json);
  if (typeof entry !== 'object' || entry === null) return json;
  const { time, level, msg, ...fields } = entry as Record<string, unknown>;
  const words = Object.entries(fields).map(([key, value]) => `${key}=${plain(value)}`);
  const line = [String(time), String(level).toUpperCase().padEnd(5), String(msg), ...words].join(' ');
  return `${escapeControls(line)}\n`;
}

/** Whatever could be read as another field is quoted. */
function plain(value: unknown): string {
  return typeof value === 'string' && /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
}

/** What would break the line or steer the terminal. */
function escapeControls(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
