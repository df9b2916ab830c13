/** Brokers that die, stall and join, and a sidecar that is started again, under load; round after round. */
import { Gate } from '../brokers/gate.ts';
import { Application, type ApplicationOutcome } from '../brokers/scenarios/application.ts';
import { freeze, grow, killAndRevive } from '../brokers/scenarios/broker-failures.ts';
import { argumentsOf, CLIENTS, kindsOf, latencyFigures, latencyText, publish, tell } from './arguments.ts';
import { onStage } from './stage.ts';

const values = argumentsOf(
  'failures',
  'Producers and a group work while brokers are killed, frozen and added, and the sidecar is started again.',
  {
    ...CLIENTS,
    librdkafka: { value: 30, help: 'librdkafka producers' },
    every: { value: 500, help: 'milliseconds between the messages of a producer' },
    rounds: { value: 3, help: 'kills, freezes and restarts' },
    frozen: { value: 20, help: 'seconds for which a broker is stopped' },
    dead: { value: 5, help: 'seconds between a kill and the start that follows' },
    grow: { value: ['yes', 'no'], help: 'whether a fourth broker joins in the first round' },
  },
);

interface Line {
  readonly what: string;
  readonly through: string;
  readonly outcome: ApplicationOutcome;
}

await onStage({ shutdownGraceSeconds: 7 }, async ({ cluster, judge, ways, later }) => {
  const applications: { through: string; application: Application }[] = [];
  for (const way of ways) {
    const options = { prefix: way.through, everyMilliseconds: values.every, partitions: 12 };
    const application = new Application(way, judge, { ...options, kinds: kindsOf(values) });
    later(() => application.stop());
    await application.open();
    applications.push({ through: way.through, application });
  }
  const topics = applications.flatMap(({ application }) => application.topics);
  const lines: Line[] = [];

  async function workThrough(what: string, happens: () => Promise<unknown>): Promise<void> {
    tell(what);
    const gate = new Gate(applications.length);
    const happening = gate.open.then(happens);
    await Promise.all(
      applications.map(async ({ through, application }) => {
        const outcome = await application.workThrough(what, async () => {
          gate.arrive();
          await happening;
        });
        lines.push({ what, through, outcome });
      }),
    );
  }

  const coordinator = () => judge.coordinator(applications.at(-1)?.application.group ?? '');
  const closings: Record<string, number>[] = [];
  for (let round = 1; round <= values.rounds; round++) {
    const killed = await coordinator();
    await workThrough(`${round}: broker ${killed} is killed`, () =>
      killAndRevive(cluster, judge, topics, { broker: killed, deadSeconds: values.dead }),
    );
    const frozen = await coordinator();
    await workThrough(`${round}: broker ${frozen} freezes`, () =>
      freeze(cluster, judge, topics, { broker: frozen, seconds: values.frozen }),
    );
    if (round === 1 && values.grow === 'yes') await workThrough('a broker joins', () => grow(cluster, judge, topics));
    for (const way of ways.filter(({ through }) => through === 'sidecar')) {
      closings.push(await way.sidecar.closeReasons());
      await workThrough(`${round}: the sidecar is started again`, async () => {
        await way.sidecar.terminate();
        await way.sidecar.launch();
      });
      closings.push(await way.sidecar.closeReasons());
    }
  }
  publish(
    'failures',
    [
      ['', '', 'sent so far', 'given up', 'lost', 'doubled', 'out of order', 'group took again', 'latency'],
      ...lines.map(
        ({ what, through, outcome }) =>
          [
            ...([what, through, outcome.sent, outcome.failures.length, outcome.lost.length] as const),
            ...([outcome.exact.doubled.length, outcome.exact.disordered.length, outcome.repeated] as const),
            latencyText(outcome.latencies),
          ] as const,
      ),
    ],
    {
      ...values,
      closings,
      lines: lines.map(({ what, through, outcome }) => ({
        ...{ what, through, ...outcome },
        latencies: latencyFigures(outcome.latencies),
      })),
    },
  );
});
