/** What a broker said, fit for a log: one line, not too long, and nothing of ours that it may have quoted. */
import type { OwnCredential } from '../../../contract/credential.ts';

const MOST_CHARACTERS = 300;
/** Of a token's parts; shorter ones are words that anybody may say. */
const SHORTEST_PART = 8;

export function brokersWords(text: string, credential: OwnCredential): string {
  let words = text;
  for (const secret of secretsOf(credential)) words = words.replaceAll(secret, '[secret]');
  return oneLine(words);
}

/** What anybody said, as one line that is not too long. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get into a log
  const words = text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
  return words.length > MOST_CHARACTERS ? `${words.slice(0, MOST_CHARACTERS)}...` : words;
}

function secretsOf(credential: OwnCredential): string[] {
  if (credential.mechanism !== 'OAUTHBEARER') return [credential.password.reveal()].filter((text) => text !== '');
  const token = credential.token.reveal();
  return [token, ...token.split('.').filter(({ length }) => length >= SHORTEST_PART)].filter((text) => text !== '');
}
