import t from 'tap';
import { Portions } from '../../src/core/portions.ts';
import type { Tenant } from '../../src/core/tenant.ts';

/** Keeps the text of every write. */
function tenant(): { readonly tenant: Tenant; readonly writes: string[] } {
  const writes: string[] = [];
  const receive = (bytes: Buffer) => {
    writes.push(bytes.toString('latin1'));
    return true;
  };
  return { tenant: { receive } as unknown as Tenant, writes };
}

t.test('answers of one read reach each of its clients in one write, in their order', async (t) => {
  const [a, b] = [tenant(), tenant()];
  const portions = new Portions();
  const bytes = Buffer.from('A1A2B1A3B2');
  for (const [at, { tenant }] of [a, a, b, a, b].entries()) portions.add(tenant, bytes, 2 * at, 2 * at + 2);
  t.strictSame([a.writes, b.writes], [[], []], 'not before the read was dealt with');
  portions.handOut();
  t.strictSame(a.writes, ['A1A2A3']);
  t.strictSame(b.writes, ['B1B2']);
});

t.test('an answer that was written anew keeps its place between those that were not', async (t) => {
  const { tenant: one, writes } = tenant();
  const portions = new Portions();
  const bytes = Buffer.from('1 2 3 ');
  portions.add(one, bytes, 0, 2);
  portions.add(one, Buffer.from('two '), 0, 4);
  portions.add(one, bytes, 4, 6);
  portions.handOut();
  t.strictSame(writes, ['1 two 3 ']);
});

t.test('what a client does not get is left out between what it gets', async (t) => {
  const { tenant: one, writes } = tenant();
  const portions = new Portions();
  portions.add(one, Buffer.from('1 x 2 '), 0, 2);
  portions.add(one, Buffer.from('1 x 2 '), 4, 6);
  portions.handOut();
  t.strictSame(writes, ['1 2 ']);
});

t.test('long answers are not copied to be together', async (t) => {
  const [writes, portions] = [[] as Buffer[], new Portions()];
  const receive = (bytes: Buffer) => writes.push(bytes) > 0;
  const [first, second] = [Buffer.alloc(40_000, 'a'), Buffer.alloc(40_000, 'b')];
  for (const bytes of [first, second]) portions.add({ receive } as unknown as Tenant, bytes, 0, bytes.length);
  portions.handOut();
  t.ok(writes[0]?.buffer === first.buffer && writes[1]?.buffer === second.buffer);
  t.strictSame(Buffer.concat(writes), Buffer.concat([first, second]));
});

t.test('what was handed out is not handed out again', async (t) => {
  const { tenant: one, writes } = tenant();
  const portions = new Portions();
  portions.add(one, Buffer.from('1'), 0, 1);
  portions.handOut();
  portions.handOut();
  portions.add(one, Buffer.from('2'), 0, 1);
  portions.handOut();
  t.strictSame(writes, ['1', '2']);
});

t.test('what a client has not taken is told of', async (t) => {
  const portions = new Portions();
  t.equal(portions.handOut(), true);
  portions.add({ receive: () => false } as unknown as Tenant, Buffer.from('1'), 0, 1);
  portions.add(tenant().tenant, Buffer.from('2'), 0, 1);
  t.equal(portions.handOut(), false);
  t.equal(portions.handOut(), true);
});
