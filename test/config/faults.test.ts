import t from 'tap';
import { ConfigError } from '../../src/config/fault.ts';
import { parseConfig } from '../../src/config/load.ts';
import { FAULT_CASES, GOOD } from './fault-cases.ts';

function faultsOf(text: string): ConfigError {
  try {
    parseConfig(text, 'config.yaml');
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('no fault was found');
}

/** Whether a line says what is expected, which may end early with an ellipsis. */
function says(line: string | undefined, expected: string): boolean {
  const whole = `config.yaml:${expected}`;
  return whole.endsWith('…') ? line?.startsWith(whole.slice(0, -1)) === true : line === whole;
}

t.test('the file that the fault cases start from has no fault', async (t) => {
  t.doesNotThrow(() => parseConfig(GOOD, 'config.yaml'));
});

t.test('every fault is told with its exact place', async (t) => {
  for (const { name, text, faults } of FAULT_CASES) {
    const lines = faultsOf(text).message.split('\n');
    t.equal(lines.length, faults.length, `${name}: as many lines as faults\n${lines.join('\n')}`);
    for (const [index, fault] of faults.entries())
      t.ok(says(lines[index], fault), `${name}: ${lines[index]} / ${fault}`);
    t.notMatch(lines.join(), 'planted', `${name}: no secret is told`);
  }
});

t.test('a configuration error carries a stable code and its faults as fields', async (t) => {
  const error = faultsOf(`${GOOD}maxClient: 1\n`);
  t.equal(error.code, 'CONFIG_INVALID');
  t.equal(error.fileName, 'config.yaml');
  t.strictSame(error.faults, [
    { line: 7, column: 1, path: 'maxClient', message: 'unknown key; did you mean "maxClients"?' },
  ]);
});

t.test('a fault in a value that an alias repeats is told wherever the value is used', async (t) => {
  const text = `${GOOD}    pool: &small { maxWaiters: 0 }\npool: *small\n`;
  t.strictSame(
    faultsOf(text).faults.map(({ line, column, path }) => `${line}:${column} ${path}`),
    ['7:32 routes[0].pool.maxWaiters', '7:32 pool.maxWaiters'],
  );
});
