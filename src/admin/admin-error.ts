/** What the listeners answer instead of what was asked for: `{code, message, remedy}`. Rows of docs/errors.md. */
export interface AdminFault {
  readonly status: number;
  readonly remedy: string;
}

const TOKEN =
  'Send the header Authorization: Bearer with the token in the file of admin.tokenFile; ' +
  'the command line does with --admin-token-file FILE.';

export const ADMIN_ERRORS = {
  NOT_FOUND: { status: 404, remedy: 'Use one of the endpoints that this answer lists.' },
  METHOD_NOT_ALLOWED: { status: 405, remedy: 'Use one of the methods that the header Allow names.' },
  REQUEST_INVALID: { status: 400, remedy: 'Correct what the message names; docs/api.md has every field.' },
  REQUEST_TIMEOUT: { status: 408, remedy: 'Send the request at once.' },
  URL_TOO_LONG: { status: 414, remedy: 'Send no more than 2048 characters, and ids as the lists give them.' },
  HEADERS_TOO_LARGE: { status: 431, remedy: 'Send no more than 8 KiB of headers.' },
  BODY_TOO_LARGE: { status: 413, remedy: 'Send no more than 16 KiB.' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, remedy: 'Send JSON, with the header content-type: application/json.' },
  HOST_REFUSED: { status: 403, remedy: 'Use localhost, 127.0.0.1 or [::1] in the URL.' },
  ORIGIN_REFUSED: { status: 403, remedy: 'Changes may not come from a page of another site; use the command line.' },
  TOKEN_MISSING: { status: 401, remedy: TOKEN },
  TOKEN_WRONG: { status: 401, remedy: TOKEN },
  TOO_MANY_ATTEMPTS: { status: 429, remedy: 'Try again in a second, with the right token.' },
  ROUTE_UNKNOWN: { status: 404, remedy: 'Use one of the routes that the message names.' },
  UPSTREAM_UNKNOWN: { status: 404, remedy: 'List them with GET /v1/upstreams; it may have been released already.' },
  CLIENT_UNKNOWN: { status: 404, remedy: 'List them with GET /v1/clients; it may have gone already.' },
  INTERNAL: { status: 500, remedy: 'Report it with the line of the log that has the same time.' },
} as const satisfies Readonly<Record<string, AdminFault>>;

export type AdminErrorCode = keyof typeof ADMIN_ERRORS;

export class AdminError extends Error {
  readonly code: AdminErrorCode;

  constructor(code: AdminErrorCode, message: string) {
    super(message);
    this.name = 'AdminError';
    this.code = code;
  }

  get status(): number {
    return ADMIN_ERRORS[this.code].status;
  }

  body(): { readonly code: AdminErrorCode; readonly message: string; readonly remedy: string } {
    return { code: this.code, message: this.message, remedy: ADMIN_ERRORS[this.code].remedy };
  }
}
