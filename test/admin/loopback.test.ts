import t from 'tap';
import { comesFromAnotherSite, isLoopback, isSameOrigin, namesLoopback } from '../../src/admin/loopback.ts';

t.test('loopback is localhost, 127.0.0.0/8 and ::1, also as an IPv4-mapped address', async (t) => {
  for (const host of ['localhost', 'LocalHost', '127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1']) {
    t.ok(isLoopback(host), host);
  }
  for (const host of [
    '',
    '0.0.0.0',
    '::',
    '128.0.0.1',
    '10.0.0.1',
    '::2',
    '::ffff:10.0.0.1',
    'example',
    '127.1',
    '2130706433',
  ]) {
    t.notOk(isLoopback(host), host);
  }
});

t.test('a Host header names loopback with or without a port, and nothing else does', async (t) => {
  for (const header of ['localhost', 'localhost:9901', '127.0.0.1:9901', '[::1]', '[::1]:9901']) {
    t.ok(namesLoopback(header), header);
  }
  for (const header of [
    undefined,
    '',
    ':9901',
    '::1',
    'localhost:',
    'localhost:1:2',
    'a@localhost',
    'localhost.',
    '[127.0.0.1',
    'x localhost',
  ]) {
    t.notOk(namesLoopback(header), String(header));
  }
});

t.test('an Origin must be the origin that was asked, to the letter', async (t) => {
  t.ok(isSameOrigin(undefined, 'http://localhost:9901'));
  t.ok(isSameOrigin('http://localhost:9901', 'http://localhost:9901'));
  for (const origin of ['null', '', 'http://localhost', 'http://localhost:99011', 'https://localhost:9901']) {
    t.notOk(isSameOrigin(origin, 'http://localhost:9901'), origin);
  }
});

t.test('pages of other sites, other ports of this host included, say so in Sec-Fetch-Site', async (t) => {
  for (const header of [undefined, 'same-origin', 'none']) t.notOk(comesFromAnotherSite(header), String(header));
  for (const header of ['cross-site', 'same-site', '', ['none', 'none']])
    t.ok(comesFromAnotherSite(header), String(header));
});
