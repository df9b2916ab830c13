import type { Protocol } from '../../contract/protocol.ts';
import { PulsarRoute } from './route.ts';

export const pulsar: Protocol = { name: 'pulsar', createRoute: (context) => new PulsarRoute(context) };
