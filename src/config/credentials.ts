/** The file of `listenSasl`: who may authenticate at a listener, and who they are for brokers. */
import { z } from 'zod';
import type { KeyPath } from './fault.ts';
import type { JsonSchema } from './json-schema.ts';
import { readText } from './load.ts';
import { type FileKind, parseFile } from './parse.ts';
import type { RuleFault } from './rule-fault.ts';
import { choiceFaults, saslFaults } from './sasl-rules.ts';
import { filePath, hidden, must, secret } from './scalars.ts';
import { upstreamSaslSchema } from './security.ts';
import { securityStandIn } from './stand-ins.ts';

const USER_NAME = /^[^\p{Cc}]{1,255}$/u;
const userName = z.string().regex(USER_NAME, {
  error: must('a user name: 1 to 255 characters, none of them a control character'),
});

const userSchema = z
  .strictObject(
    {
      password: secret().describe('What this user authenticates with.').optional(),
      passwordFile: filePath().describe('The file with the password, in place of `password`.').optional(),
      sasl: upstreamSaslSchema
        .describe('Who brokers take this user for. Without it, `upstream.sasl` of the route says.')
        .optional(),
    },
    { error: hidden('a mapping with password or passwordFile in it') },
  )
  .describe('One user.');

const credentialsSchema = z.strictObject(
  { users: z.record(userName, userSchema, { error: hidden('a mapping of user names to their keys') }) },
  { error: hidden('a mapping with users in it') },
);

/** Paths are absolute. */
export type CredentialsConfig = Readonly<z.output<typeof credentialsSchema>>;
export type UserConfig = Readonly<z.output<typeof userSchema>>;

export interface CredentialsOptions {
  /** False where clients are known by their certificates alone: then users need no password. */
  readonly passwordsRequired: boolean;
}

/**
 * @param fileName appears in messages; relative paths in the text are relative to its folder
 * @throws ConfigError with every fault in the text, and with no secret
 */
export function parseCredentials(
  text: string,
  fileName: string,
  options: CredentialsOptions = { passwordsRequired: true },
): CredentialsConfig {
  const kind: FileKind<typeof credentialsSchema> = {
    schema: credentialsSchema,
    jsonSchema: () => z.toJSONSchema(credentialsSchema, { target: 'draft-2020-12', io: 'input' }) as JsonSchema,
    emptyAdvice: 'give it users, as docs/security.md shows',
    rules: ({ users }) => Object.entries(users).flatMap(([name, user]) => userFaults(user, ['users', name], options)),
    standInFor,
  };
  return parseFile(text, fileName, kind);
}

/** @throws ConfigError with every fault of the file, or with one if it cannot be read */
export async function loadCredentials(file: string, options?: CredentialsOptions): Promise<CredentialsConfig> {
  return parseCredentials(await readText(file, 'check listenSasl.credentialsFile'), file, options);
}

function standInFor(path: KeyPath): unknown {
  if (path.length === 1) return {};
  if (path.length > 2) return securityStandIn(path);
  return USER_NAME.test(String(path[1])) ? { passwordFile: 'stand-in' } : undefined;
}

function userFaults(user: UserConfig, at: KeyPath, { passwordsRequired }: CredentialsOptions): RuleFault[] {
  const keys = ['passwordFile', 'password'] as const;
  const mayBeWithout = !passwordsRequired && keys.every((key) => user[key] === undefined);
  return [
    ...(mayBeWithout
      ? []
      : choiceFaults(user, keys, at, 'this user cannot authenticate: give it password or passwordFile')),
    ...(user.sasl === undefined ? [] : saslFaults(user.sasl, [...at, 'sasl'])),
  ];
}
