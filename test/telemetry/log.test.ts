import t from 'tap';
import { Log } from '../../src/telemetry/log.ts';
import { textLine } from '../../src/telemetry/text-line.ts';

t.test('an error is a field with its type, message and stack', async (t) => {
  const lines: string[] = [];
  const log = new Log({ level: 'info', format: 'json', write: (line) => lines.push(line) });
  log.logger.error({ err: new TypeError('no such thing') }, 'a request failed');
  const entry = JSON.parse(lines[0] ?? '');
  t.match(entry, { level: 'error', msg: 'a request failed', err: { type: 'TypeError', message: 'no such thing' } });
});

t.test('format text is one line for people: time, level, sentence, fields', async (t) => {
  const lines: string[] = [];
  const log = new Log({ level: 'info', format: 'text', write: (line) => lines.push(line) });
  log.logger.warn({ route: 'orders', count: 3, detail: 'two words' }, 'a client was disconnected');
  t.match(
    lines[0],
    /^\d{4}-\d\d-\d\dT\S+Z WARN {2}a client was disconnected route=orders count=3 detail="two words"\n$/,
  );
});

t.test('nothing in a text line can look like another field, break the line or steer the terminal', async (t) => {
  const line = textLine(
    JSON.stringify({ time: 't', level: 'info', msg: 'm', detail: 'a=b level="x"\n\u001b[2J\u009b' }),
  );
  t.equal(line, 't INFO  m detail="a=b level=\\"x\\"\\n\\u001b[2J\\u009b"\n');
  t.equal(textLine('{"time":"t","level":"info","msg":"m","empty":""}'), 't INFO  m empty=""\n');
  t.equal(textLine('{"time":"t","level":"info","msg":"m","pins":["sasl"]}'), 't INFO  m pins=["sasl"]\n');
});

t.test('the sentence of a text line cannot break it either', async (t) => {
  t.notMatch(textLine(JSON.stringify({ time: 't', level: 'info', msg: 'a\nb' })).slice(0, -1), /\n/);
});
