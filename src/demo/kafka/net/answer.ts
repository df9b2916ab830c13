/** From a request to the frame that answers it. */
import { type Answer, HANG_UP, type Outcome, type Service } from '../handlers/service.ts';
import { ErrorCode } from '../state/error-codes.ts';
import { frame, writeResponse } from '../wire/api.ts';
import type { Broker } from './broker.ts';
import type { RequestAtHand, RequestPlan } from './requests.ts';

const API_VERSIONS = 18;

interface Client {
  readonly remote: string;
  readonly signal: AbortSignal;
}

/** What is not served, as at a real broker, ends the connection; but for versions of ApiVersions (KIP-511). */
export function answerOf(
  service: Service | undefined,
  request: RequestAtHand,
  plan: RequestPlan,
  broker: Broker,
  client: Client,
): Outcome<Buffer> | Promise<Outcome<Buffer>> {
  const { key, version, correlationId } = request;
  if (plan.answerBytes !== undefined) return raw(correlationId, plan.answerBytes);
  const offered = broker.versions.get(key);
  if (service === undefined || offered === undefined) return HANG_UP;
  const isOffered = version >= offered.min && version <= offered.max;
  if (!isOffered && key === API_VERSIONS) {
    const body = { errorCode: ErrorCode.unsupportedVersion, apiKeys: [{ key, ...offered }] };
    return writeResponse(service.api, 0, correlationId, body as never);
  }
  if (!isOffered || version < service.api.min || version > service.api.max) return HANG_UP;
  const outcome = service.handle(request.body, {
    version,
    clientId: request.clientId ?? '',
    clientHost: client.remote.slice(0, client.remote.lastIndexOf(':')),
    node: broker.node,
    state: broker.state,
    offered: broker.versions,
    signal: client.signal,
  });
  const encode = (given: Outcome<Answer>): Outcome<Buffer> =>
    typeof given === 'symbol'
      ? given
      : writeResponse(service.api, version, correlationId, changed(given, plan) as never);
  return outcome instanceof Promise ? outcome.then(encode) : encode(outcome);
}

function changed(answer: Answer, { throttleMilliseconds, change }: RequestPlan): Answer {
  const throttled = throttleMilliseconds === undefined ? answer : { ...answer, throttleTimeMs: throttleMilliseconds };
  return change === undefined ? throttled : change(throttled);
}

function raw(correlationId: number, bytes: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeInt32BE(correlationId);
  return frame(head, bytes);
}
