import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { LoginError } from '../../src/core/login.ts';
import { type Importer, loadSigner, SIGNER_PACKAGE, signedToken } from '../../src/identity/aws-signer.ts';
import { temporaryFolder } from '../support/mounted-folder.ts';

/** A package of the signer's name and functions, built as CommonJS like the real one, in a node_modules of its own. */
function installed(t: Test, code: string): Importer {
  const folder = temporaryFolder(t);
  const home = join(folder, 'node_modules', SIGNER_PACKAGE);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: SIGNER_PACKAGE, main: './index.js' }));
  writeFileSync(join(home, 'index.js'), code);
  const resolve = createRequire(join(folder, 'index.js')).resolve;
  return (name) => import(pathToFileURL(resolve(name)).href);
}

const ECHO = `
const give = (kind) => async (options) => ({
  token: Buffer.from(JSON.stringify([kind, options])).toString('base64url'),
  expiryTime: 1700000900000,
});
exports.generateAuthToken = give('default');
exports.generateAuthTokenFromProfile = give('profile');
exports.generateAuthTokenFromRole = give('role');
`;

t.test('the signer is asked for the default chain, a profile or a role', async (t) => {
  const signer = await loadSigner(installed(t, ECHO));
  const region = 'eu-west-1';
  const cases = [
    [{ region }, ['default', { region }]],
    [{ region, profile: 'prod' }, ['profile', { region, awsProfileName: 'prod' }]],
    [{ region, roleArn: 'arn:x' }, ['role', { region, awsRoleArn: 'arn:x' }]],
  ] as const;
  for (const [access, expected] of cases) {
    const { token, lifeMilliseconds } = await signedToken(signer, access, 1_700_000_000);
    t.strictSame(JSON.parse(Buffer.from(token.reveal(), 'base64url').toString()), expected);
    t.equal(lifeMilliseconds, 900_000, 'its expiry is in milliseconds since 1970');
  }
});

t.test('functions below the default export are found as well', async (t) => {
  const wrapped = { default: { generateAuthToken: async () => ({ token: 'abc' }) } };
  await t.rejects(
    loadSigner(async () => wrapped),
    { message: /has no generateAuthTokenFromProfile: install version 1/ },
  );
  const whole = { generateAuthToken: 1, generateAuthTokenFromProfile: 1, generateAuthTokenFromRole: 1 };
  const give = async () => ({ token: 'abc' });
  const signer = await loadSigner(async () => ({
    ...whole,
    default: Object.fromEntries(Object.keys(whole).map((name) => [name, give])),
  }));
  t.strictSame((await signedToken(signer, { region: 'x' }, 0)).lifeMilliseconds, null);
});

t.test('without the package the error says what to install', async (t) => {
  const error = await loadSigner((name) => import(name)).catch((failure: unknown) => failure);
  t.ok(error instanceof LoginError);
  t.match(error, { message: /npm install aws-msk-iam-sasl-signer-js next to slackwater$/ });
});

t.test('a package that breaks while it is loaded is not called missing', async (t) => {
  await t.rejects(loadSigner(installed(t, 'throw new Error("no")')), { message: /cannot be loaded: install it anew$/ });
});

t.test('what the signer throws is told by its name, and nothing it says', async (t) => {
  const fails = (statement: string) =>
    installed(t, `${ECHO}\nexports.generateAuthToken = async () => { ${statement} };`);
  const cases = [
    [
      'throw Object.assign(new Error("planted"), { name: "CredentialsProviderError" })',
      /CredentialsProviderError; look at/,
    ],
    ['throw Object.assign(new Error("x"), { name: "planted secret" })', /unknown cause; look at/],
    ['throw "planted"', /unknown cause; look at/],
    ['return {}', /has answered without a token$/],
    ['return { token: "planted secret" }', /is not a bearer token: it holds other characters$/],
  ] as const;
  for (const [statement, words] of cases) {
    const signer = await loadSigner(fails(statement));
    const error: unknown = await signedToken(signer, { region: 'x' }, 0).catch((failure: unknown) => failure);
    if (!(error instanceof LoginError)) return t.fail(statement);
    t.match(error.message, words);
    t.notMatch(`${error.stack}${String(error.cause)}`, /planted/);
  }
});
