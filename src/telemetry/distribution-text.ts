/**
 * A histogram that the core keeps, in the Prometheus text format 0.0.4: buckets there are cumulated and end with +Inf.
 * Written here because a histogram of prom-client can only be observed, never set.
 */
import type { Distribution } from '../core/distribution.ts';

export interface LabelledDistribution {
  readonly labels: Readonly<Record<string, string>>;
  readonly distribution: Distribution;
}

/** The whole family, without a newline at the end. */
export function distributionText(name: string, help: string, series: readonly LabelledDistribution[]): string {
  const lines = [`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} histogram`];
  for (const { labels, distribution } of series) {
    let cumulated = 0;
    for (const [index, bound] of distribution.bounds.entries()) {
      cumulated += distribution.counts[index] ?? 0;
      lines.push(`${name}_bucket${labelText({ ...labels, le: String(bound) })} ${cumulated}`);
    }
    lines.push(`${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${distribution.count}`);
    lines.push(`${name}_sum${labelText(labels)} ${distribution.sum}`);
    lines.push(`${name}_count${labelText(labels)} ${distribution.count}`);
  }
  return lines.join('\n');
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
