/** What a broker is to be shown: usually it is at hand, else it comes later. */
import type { Credential } from '../contract/credential.ts';
import type { Login } from './login.ts';

export function present(
  login: Login,
  shown: (credential: Credential | null) => void,
  failed: (error: unknown) => void,
): void {
  try {
    const credential = login.credential();
    if (credential instanceof Promise) void credential.then(shown, failed);
    else shown(credential);
  } catch (error) {
    failed(error);
  }
}
