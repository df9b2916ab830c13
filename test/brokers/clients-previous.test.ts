import t from 'tap';
import { clientsWork } from './clients.ts';
import { KAFKA_PREVIOUS } from './versions.ts';

await clientsWork(t, KAFKA_PREVIOUS);
