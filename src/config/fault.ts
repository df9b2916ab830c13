/** What is wrong with a configuration file, and where. */

/** Keys and list indexes from the top of the file down. */
export type KeyPath = readonly (string | number)[];

export interface ConfigFault {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** Such as `routes[0].listen`; empty if the file as a whole is meant. */
  readonly path: string;
  readonly message: string;
}

/** Every fault of a file at once; `message` has one line for each, as `file:line:column path: message`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG_INVALID';
  readonly fileName: string;
  readonly faults: readonly ConfigFault[];

  constructor(fileName: string, faults: readonly ConfigFault[], options?: ErrorOptions) {
    const ordered = distinct(faults).sort((a, b) => a.line - b.line || a.column - b.column);
    super(ordered.map((fault) => faultLine(fileName, fault)).join('\n'), options);
    this.fileName = fileName;
    this.faults = ordered;
  }
}

export function pathText(path: KeyPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (!/^[\w-]+$/.test(part)) return `${text}[${JSON.stringify(part)}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

function faultLine(fileName: string, { line, column, path, message }: ConfigFault): string {
  return `${fileName}:${line}:${column}${path === '' ? '' : ` ${path}`}: ${message}`;
}

function distinct(faults: readonly ConfigFault[]): ConfigFault[] {
  return [...new Map(faults.map((fault) => [JSON.stringify(fault), fault])).values()];
}
