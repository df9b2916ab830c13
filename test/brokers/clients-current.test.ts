import t from 'tap';
import { clientsWork } from './clients.ts';
import { KAFKA_CURRENT } from './versions.ts';

await clientsWork(t, KAFKA_CURRENT);
