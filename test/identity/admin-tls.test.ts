import { rmSync } from 'node:fs';
import t from 'tap';
import { openAdminTls } from '../../src/identity/admin-tls.ts';
import { FileWatch } from '../../src/identity/file-watch.ts';
import { certify } from '../support/certificates.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MountedFolder } from '../support/mounted-folder.ts';

const pairOf = () => {
  const { certificate, key } = certify({ name: 'admin', hosts: ['localhost'] });
  return { 'tls.crt': certificate, 'tls.key': key };
};

t.test('the admin listener shows another certificate once its files were swapped', async (t) => {
  const clock = new ManualClock();
  const watch = new FileWatch(clock);
  t.teardown(() => watch.close());
  const folder = new MountedFolder(t, pairOf());
  const told: string[] = [];
  const tls = await openAdminTls(
    { certificateFile: folder.file('tls.crt'), keyFile: folder.file('tls.key') },
    { clock, watch, told: (change, detail) => told.push(`${change}: ${detail}`) },
  );
  let changes = 0;
  tls.onChange(() => {
    changes += 1;
  });
  const pass = async (milliseconds: number) => {
    for (let left = milliseconds; left > 0; left -= 250) {
      clock.advance(250);
      await watch.settled();
    }
  };
  t.match(tls.certificates(), [{ use: 'admin_server', subject: 'CN=admin' }]);
  const before = tls.current().cert;
  folder.swap(pairOf());
  await pass(2000);
  t.equal(changes, 1);
  t.not(tls.current().cert, before);
  t.strictSame(told.splice(0), ['read: admin.tls: another certificate is shown from now on']);
  const good = tls.current();
  folder.swap({ ...pairOf(), 'tls.key': pairOf()['tls.key'] });
  await pass(10_000);
  t.match(told.splice(0), [/^unreadable: admin.tls: the key in .* does not belong to the certificate/]);
  t.equal(tls.current(), good);
  t.equal(changes, 1);
  rmSync(folder.file('tls.crt'));
  await t.rejects(
    openAdminTls(
      { certificateFile: folder.file('tls.crt'), keyFile: folder.file('tls.key') },
      { clock, watch, told: () => undefined },
    ),
    { message: /^admin.tls.certificateFile: .*tls.crt does not exist$/ },
  );
});
