/** Asks a running sidecar. */
import { CommandError } from './command-error.ts';

export const DEFAULT_ADMIN = 'http://127.0.0.1:9901';
const TIMEOUT_MILLISECONDS = 10_000;

export type Query = Readonly<Record<string, string | number | undefined>>;

export class AdminClient {
  readonly #base: URL;

  /** @throws {CommandError} USAGE_INVALID if it is no http address */
  constructor(admin: string) {
    const url = URL.parse(admin.includes('://') ? admin : `http://${admin}`);
    if (url === null || url.protocol !== 'http:') {
      throw new CommandError('USAGE_INVALID', `--admin must be an address such as ${DEFAULT_ADMIN}, not ${admin}`);
    }
    this.#base = url;
  }

  /** The parsed answer. @throws {CommandError} */
  get<T>(path: string, query: Query = {}): Promise<T> {
    const url = new URL(path, this.#base);
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    return this.#request(url, { method: 'GET' });
  }

  /** The parsed answer. @throws {CommandError} */
  post<T>(path: string, body: object): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    return this.#request(new URL(path, this.#base), { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async #request<T>(url: URL, init: RequestInit): Promise<T> {
    const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
    const response = await fetch(url, { ...init, signal }).catch((error: unknown) => {
      throw this.#unreachable(error);
    });
    const answer: unknown = await response.json().catch((error: unknown) => {
      const message = `what answers at ${this.#base.origin} is not the admin listener of a sidecar: set --admin`;
      throw new CommandError('ANSWER_INVALID', message, { cause: error });
    });
    if (response.ok) return answer as T;
    throw new CommandError('SIDECAR_REFUSED', faultText(answer, response.status));
  }

  #unreachable(error: unknown): CommandError {
    const why = reasonOf(error);
    const message =
      `no sidecar answers at ${this.#base.origin} (${why}): ` +
      'start one with slackwater run -c FILE, or name its admin address with --admin URL';
    return new CommandError('SIDECAR_UNREACHABLE', message, { cause: error });
  }
}

/** The code of the system error below what `fetch` throws, which says only that it failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MILLISECONDS / 1000} s`;
  const { cause } = error;
  if (cause instanceof Error) return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
  return error.message;
}

function faultText(answer: unknown, status: number): string {
  if (typeof answer !== 'object' || answer === null || !('message' in answer)) return `the sidecar answered ${status}`;
  const remedy = 'remedy' in answer ? ` ${String(answer.remedy)}` : '';
  return `${String(answer.message)}.${remedy}`;
}
