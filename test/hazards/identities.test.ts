/** H11, H12, H13: whose connection it is, who may use it, and until when. */
import t from 'tap';
import { heardToken } from '../protocols/kafka/sasl/sasl-application.ts';
import { seeded } from '../support/seeded.ts';
import { type Application, AT_BROKERS, AT_SIDECAR, startStage, type User } from './principals.ts';

const USERS = Object.keys(AT_BROKERS) as readonly User[];
const SEEDS = 12;
const STEPS = 250;

t.test('whatever two users do in whatever order, brokers take nobody for the other', async (t) => {
  // H11
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const stage = await startStage(t, seed % 3 === 0 ? 20_000 : 0);
    const random = seeded(seed);
    const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
    let open: Application[] = [];
    for (let step = 0; step < STEPS; step += 1) {
      const dice = random();
      const user = pick(USERS) ?? 'alice';
      if (dice < 0.15 || open.length === 0) {
        const application = stage.connect(user);
        application.authenticate(AT_SIDECAR[user]);
        open.push(application);
      } else if (dice < 0.25) {
        const leaving = pick(open);
        leaving?.peer.fin();
        stage.network.pump();
        open = open.filter((each) => each !== leaving);
      } else if (dice < 0.35) {
        stage.pass(pick([0.1, 5, 100, 500]) ?? 1);
      } else {
        pick(open)?.work();
      }
      stage.pass(0.01);
    }
    const mixed = stage.came.filter(({ principal, sender }) => principal !== sender);
    t.strictSame(mixed, [], `seed ${seed}`);
    for (const user of USERS) t.ok(stage.came.some(({ principal }) => principal === user));
    t.strictSame(
      stage.served.flatMap(({ sasl }) => sasl.faults),
      [],
    );
  }
});

t.test('a wrong password at the sidecar is refused there, and no broker hears of it', async (t) => {
  // H12: a good connection of that user lies ready.
  const stage = await startStage(t);
  const good = stage.connect('alice');
  good.authenticate(AT_SIDECAR.alice);
  t.ok(good.work());
  const dials = stage.served.length;
  const before = stage.served.map(({ sasl }) => sasl.requests.length);
  for (const password of ['wrong', AT_BROKERS.alice, AT_SIDECAR.bob, '']) {
    const bad = stage.connect('alice');
    bad.authenticate(password);
    stage.pass(0.2); // who guesses passwords is kept waiting
    t.equal(heardToken(bad.heard, 2).error, 58);
    t.ok(bad.peer.over, 'it was told goodbye');
    bad.work();
  }
  const stranger = stage.connect('alice');
  stranger.work();
  stage.pass(1);
  t.equal(stage.served.length, dials);
  t.strictSame(
    stage.served.map(({ sasl }) => sasl.requests.length),
    before,
  );
  t.equal(stage.came.length, 1);
  t.strictSame(stage.closes, [...Array(4).fill('authentication_failed'), 'refused_api']);
  t.ok(good.work(), 'and the good one goes on');
});

t.test('steady load meets no session that is over, loses no request and no client', async (t) => {
  // H13: a broker closes a connection at the first request behind the end of its session.
  const stage = await startStage(t, 10_000);
  const applications = USERS.map((user) => stage.connect(user));
  for (const application of applications) application.authenticate(AT_SIDECAR[application.user as User]);
  let answered = 0;
  for (let tick = 0; tick < 5 * 60 * 10; tick += 1) {
    for (const application of applications) {
      stage.pass(0.05);
      application.work();
      stage.pass(0.001);
      if (application.heard.length > 0) answered += 1;
    }
  }
  t.equal(stage.late, 0);
  t.equal(
    answered,
    applications.reduce((sum, { sent }) => sum + sent, 0),
  );
  t.strictSame(stage.closes, []);
  t.ok(stage.releases.filter((reason) => reason === 'session_expired').length > 2 * 20);
  t.ok(stage.releases.every((reason) => reason === 'session_expired' || reason === 'housekeeping_done'));
});
