/** PLAIN (RFC 4616): `[authzid] NUL authcid NUL password`. */
import { PasswordCheck } from './password-check.ts';
import { refused, type ServerStage, type ServerStep } from './server-mechanism.ts';

export class PlainServer implements ServerStage {
  readonly #check: PasswordCheck;

  constructor(check: PasswordCheck) {
    this.#check = check;
  }

  take(token: Buffer): ServerStep {
    const parts = token.toString('utf8').split('\0');
    const [authorized = '', name = '', password = ''] = parts;
    if (parts.length !== 3 || name === '') return refused('a PLAIN token that is not of three parts');
    if (authorized !== '' && authorized !== name) return refused('a client that wants to act for somebody else');
    const user = this.#check.withPassword(name, password);
    if (user === undefined) return refused(PasswordCheck.refusal(name));
    return { kind: 'accepted', token: Buffer.alloc(0), who: { name, user } };
  }
}
