/** Asks a running sidecar. */
import { readAuthority, readToken } from './admin-files.ts';
import { type Access, ask } from './admin-request.ts';
import { CommandError } from './command-error.ts';

export const DEFAULT_ADMIN = 'http://127.0.0.1:9901';
export const TOKEN_FILE_VARIABLE = 'SLACKWATER_ADMIN_TOKEN_FILE';

export type Query = Readonly<Record<string, string | number | undefined>>;

/** As the options of the commands have it. */
export interface AdminArguments {
  readonly admin: string;
  readonly adminTokenFile: string | undefined;
  readonly adminCaFile: string | undefined;
}

export class AdminClient {
  readonly #access: Access;
  readonly #tokenFile: string | undefined;

  private constructor(access: Access, tokenFile: string | undefined) {
    this.#access = access;
    this.#tokenFile = tokenFile;
  }

  /** @throws {CommandError} USAGE_INVALID if it is no http or https address, FILE_UNUSABLE */
  static async open(args: AdminArguments, environment: NodeJS.ProcessEnv = process.env): Promise<AdminClient> {
    const { admin, adminTokenFile, adminCaFile } = args;
    const url = URL.parse(admin.includes('://') ? admin : `http://${admin}`);
    if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
      // What stands before an @ may be a password.
      const shown = admin.includes('@') ? '' : `, not ${admin}`;
      throw new CommandError('USAGE_INVALID', `--admin must be an address such as ${DEFAULT_ADMIN}${shown}`);
    }
    const tokenFile = adminTokenFile ?? (environment[TOKEN_FILE_VARIABLE] || undefined);
    const token = tokenFile === undefined ? undefined : await readToken(tokenFile);
    const ca = adminCaFile === undefined ? undefined : await readAuthority(adminCaFile);
    return new AdminClient({ base: url, token, ca }, tokenFile);
  }

  /** The parsed answer. @throws {CommandError} */
  get<T>(path: string, query: Query = {}): Promise<T> {
    const url = new URL(path, this.#access.base);
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    return this.#request(url, 'GET');
  }

  /** The parsed answer. @throws {CommandError} */
  post<T>(path: string, body: object): Promise<T> {
    return this.#request(new URL(path, this.#access.base), 'POST', JSON.stringify(body));
  }

  async #request<T>(url: URL, method: string, body?: string): Promise<T> {
    const { status, text } = await ask(this.#access, url, method, body);
    let answer: unknown;
    try {
      answer = JSON.parse(text);
    } catch (error) {
      const message = `what answers at ${url.origin} is not the admin listener of a sidecar: set --admin`;
      throw new CommandError('ANSWER_INVALID', message, { cause: error });
    }
    if (status >= 200 && status < 300) return answer as T;
    throw new CommandError('SIDECAR_REFUSED', this.#faultText(status, answer));
  }

  #faultText(status: number, answer: unknown): string {
    if (typeof answer !== 'object' || answer === null || !('message' in answer))
      return `the sidecar answered ${status}`;
    const code = 'code' in answer ? answer.code : undefined;
    if (code === 'TOKEN_MISSING') {
      return `the sidecar asks for its admin token: name the file with --admin-token-file FILE, or in ${TOKEN_FILE_VARIABLE}`;
    }
    if (code === 'TOKEN_WRONG') {
      return `the sidecar does not take the token in ${this.#tokenFile}: it must be what admin.tokenFile of the sidecar holds`;
    }
    const remedy = 'remedy' in answer ? ` ${String(answer.remedy)}` : '';
    return `${String(answer.message)}.${remedy}`;
  }
}
