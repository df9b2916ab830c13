import t from 'tap';
import { fingerprintOf } from '../../src/identity/fingerprint.ts';

t.test('fingerprints are equal only if every part is', async (t) => {
  const same = fingerprintOf(['PLAIN', 'ann', Buffer.from('secret')]);
  t.equal(fingerprintOf(['PLAIN', 'ann', 'secret']), same);
  const others = [
    ['PLAIN', 'ann', 'Secret'],
    ['PLAIN', 'anns', 'ecret'],
    ['PLAIN', 'ann'],
    ['PLAIN', 'ann', 'secret', ''],
    ['PLAIN', '', 'annsecret'],
    ['PLAINann', 'secret'],
    ['ann', 'PLAIN', 'secret'],
  ];
  t.equal(new Set([same, ...others.map(fingerprintOf)]).size, others.length + 1);
});

t.test('a fingerprint says nothing of what it was made of', async (t) => {
  t.match(fingerprintOf(['secret']), /^[0-9a-f]{32}$/);
});
