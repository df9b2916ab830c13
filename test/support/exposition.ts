/**
 * A small reader of the Prometheus text format 0.0.4, written from its description and not from what we print.
 * Throws on everything that a scraper would refuse or misread.
 */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ReadFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)/y;

export function readExposition(text: string): Map<string, ReadFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line must end with a newline');
  const families = new Map<string, ReadFamily>();
  const helps = new Map<string, string>();
  const seen = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment;
      if (kind === 'HELP') helps.set(name, rest);
      else if (families.has(name)) throw new Error(`${name} has two TYPE lines`);
      else families.set(name, { type: rest, help: helps.get(name) ?? '', samples: [] });
      continue;
    }
    const parts = SAMPLE.exec(line);
    if (parts === null) throw new Error(`not a sample: ${line}`);
    const [, name = '', labelText, number = ''] = parts;
    const value = number === '+Inf' ? Infinity : Number(number);
    // Scrapers read NaN in any case.
    if (Number.isNaN(value) && number.toLowerCase() !== 'nan') throw new Error(`not a number: ${line}`);
    const labels = readLabels(labelText ?? '', line);
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(key)) throw new Error(`twice: ${line}`);
    seen.add(key);
    const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
    if (family === undefined) throw new Error(`no TYPE before: ${line}`);
    family.samples.push({ name, labels, value });
  }
  for (const [name, family] of families) if (family.type === 'histogram') checkHistogram(name, family);
  return families;
}

function readLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let at = 0;
  while (at < text.length) {
    LABEL.lastIndex = at;
    const match = LABEL.exec(text);
    if (match === null) throw new Error(`bad labels: ${line}`);
    const [whole, key = '', value = ''] = match;
    labels[key] = value.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
    at += whole.length;
  }
  return labels;
}

/** Buckets never fall, +Inf is there and equals the count. */
function checkHistogram(name: string, family: ReadFamily): void {
  const series = new Map<string, Sample[]>();
  for (const sample of family.samples) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const [key, samples] of series) {
    const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => (labels.le === '+Inf' ? Infinity : Number(labels.le)));
    const values = buckets.map(({ value }) => value);
    const count = samples.find((sample) => sample.name === `${name}_count`)?.value;
    if (!samples.some((sample) => sample.name === `${name}_sum`)) throw new Error(`${name}${key} has no sum`);
    if (bounds.at(-1) !== Infinity || values.at(-1) !== count) throw new Error(`${name}${key}: +Inf is not the count`);
    for (let i = 1; i < values.length; i++) {
      if ((values[i] ?? 0) < (values[i - 1] ?? 0)) throw new Error(`${name}${key}: buckets fall`);
      if ((bounds[i] ?? 0) <= (bounds[i - 1] ?? 0)) throw new Error(`${name}${key}: bounds do not rise`);
    }
  }
}

/** The value of one series; `undefined` if it is not there. */
export function sampleOf(
  families: ReadonlyMap<string, ReadFamily>,
  family: string,
  labels: Readonly<Record<string, string>>,
  name = family,
): number | undefined {
  const wanted = JSON.stringify(Object.entries(labels).sort());
  return families
    .get(family)
    ?.samples.find((sample) => sample.name === name && JSON.stringify(Object.entries(sample.labels).sort()) === wanted)
    ?.value;
}
