/**
 * Tokens for AWS_MSK_IAM, which is OAUTHBEARER with a signed request as token. They are signed by AWS's own package, which
 * finds the credentials in the usual places: environment, profile, role, container, instance. Whoever needs it installs it.
 */
import { LoginError } from '../core/login.ts';
import { bearer, type FetchedToken } from './token.ts';

export const SIGNER_PACKAGE = 'aws-msk-iam-sasl-signer-js';

export interface AwsAccess {
  readonly region: string;
  readonly profile?: string | undefined;
  readonly roleArn?: string | undefined;
}

type Generate = (options: Readonly<Record<string, string>>) => Promise<unknown>;

export interface AwsSigner {
  /** Rejects with what the package throws. */
  sign(access: AwsAccess): Promise<unknown>;
}

/** As `import()` of a package name does it. */
export type Importer = (name: string) => Promise<unknown>;

/** @throws {LoginError} if the package is not there, or is another one */
export async function loadSigner(load: Importer): Promise<AwsSigner> {
  let loaded: unknown;
  try {
    loaded = await load(SIGNER_PACKAGE);
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    throw new LoginError(
      missing
        ? `AWS_MSK_IAM needs AWS's own signer, which is not installed: npm install ${SIGNER_PACKAGE} next to slackwater`
        : `${SIGNER_PACKAGE} cannot be loaded: install it anew`,
    );
  }
  const byDefault = generate(loaded, 'generateAuthToken');
  const fromProfile = generate(loaded, 'generateAuthTokenFromProfile');
  const fromRole = generate(loaded, 'generateAuthTokenFromRole');
  return {
    sign: ({ region, profile, roleArn }) => {
      if (roleArn !== undefined) return fromRole({ region, awsRoleArn: roleArn });
      return profile === undefined ? byDefault({ region }) : fromProfile({ region, awsProfileName: profile });
    },
  };
}

/** An ES module that wraps a CommonJS one may have its functions below `default` alone. */
function generate(loaded: unknown, name: string): Generate {
  for (const place of [loaded, member(loaded, 'default')]) {
    const found = member(place, name);
    if (typeof found === 'function') return found as Generate;
  }
  throw new LoginError(`${SIGNER_PACKAGE} has no ${name}: install version 1`);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

/** Rejects with a LoginError. What AWS's code says in words may hold more than we may repeat: its error's name tells. */
export async function signedToken(signer: AwsSigner, access: AwsAccess, unixSeconds: number): Promise<FetchedToken> {
  let signed: unknown;
  try {
    signed = await signer.sign(access);
  } catch (error) {
    const name = error instanceof Error && /^\w{1,60}$/.test(error.name) ? error.name : 'unknown cause';
    throw new LoginError(
      `the AWS signer has no token for region ${access.region}: ${name}; look at the environment, profile or role that gives AWS credentials`,
    );
  }
  const text = member(signed, 'token');
  const expiry = member(signed, 'expiryTime');
  if (typeof text !== 'string') throw new LoginError(`${SIGNER_PACKAGE} has answered without a token`);
  const life = typeof expiry === 'number' ? expiry - unixSeconds * 1000 : null;
  return { token: bearer(text, `what ${SIGNER_PACKAGE} has given`), lifeMilliseconds: life };
}
