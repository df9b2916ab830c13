import type { Protocol } from '../../contract/protocol.ts';
import { KafkaRoute } from './route.ts';

export const kafka: Protocol = { name: 'kafka', createRoute: (context) => new KafkaRoute(context) };
