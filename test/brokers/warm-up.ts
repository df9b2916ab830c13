/**
 * The first InitProducerId of a broker is answered with COORDINATOR_LOAD_IN_PROGRESS while it fetches a block of ids;
 * clients log that as a warning. Asked once before any client comes, no client meets it.
 *
 *     InitProducerId v0 request   api_key=22 i16, version=0 i16, correlation_id i32, client_id=null i16(-1),
 *                                 transactional_id=null i16(-1), transaction_timeout_ms i32
 *     response                    correlation_id i32, throttle_time_ms i32, error_code i16, producer_id i64, epoch i16
 */
import { askBroker } from './ask-broker.ts';
import { until, within } from './until.ts';

const ERROR_CODE_AT = 4 + 4;

function request(): Buffer {
  const body = Buffer.alloc(2 + 2 + 4 + 2 + 2 + 4);
  body.writeInt16BE(22, 0);
  body.writeInt16BE(-1, 8);
  body.writeInt16BE(-1, 10);
  body.writeInt32BE(60_000, 12);
  return body;
}

/** @returns the broker's error code; 0 if it has ids to give */
async function askForProducerId(port: number): Promise<number> {
  return (await askBroker(port, request())).readInt16BE(ERROR_CODE_AT);
}

/** @throws Error if the broker on this local port has no producer ids within 30 s */
export async function warmUp(port: number): Promise<void> {
  await until(`the broker on port ${port} to give producer ids`, 30_000, async () => {
    const error = await within('an answer to InitProducerId', 10_000, askForProducerId(port));
    return error === 0 ? true : `error code ${error}`;
  });
}
