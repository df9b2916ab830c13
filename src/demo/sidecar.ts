/** The real sidecar in front of the embedded brokers, with short idle times, its log to nowhere. */
import { type App, startApp } from '../app.ts';
import { parseConfig } from '../config/load.ts';
import { freePorts } from './free-ports.ts';

export const MAX_IDLE_SECONDS = 2;
export const INTERVAL_SECONDS = 1;

const PREFERRED_ADMIN_PORT = 9901;
/** Bootstrap and health, and behind the health port one for each of three brokers. */
const PORTS = 5;

export interface Sidecar {
  readonly app: App;
  /** Where applications reach it. */
  readonly bootstrap: string;
}

export async function startSidecar(brokers: readonly string[]): Promise<Sidecar> {
  const { base, admin } = await freePorts(PORTS, PREFERRED_ADMIN_PORT);
  const bootstrap = `127.0.0.1:${base}`;
  const keys = {
    routes: [
      {
        name: 'demo',
        protocol: 'kafka',
        listen: bootstrap,
        upstream: { bootstrap: brokers },
        // Node ids count from 1.
        brokers: { portBase: base + 1 },
      },
    ],
    connectionMaxIdleSeconds: MAX_IDLE_SECONDS,
    connectionIdleDetectionIntervalSeconds: INTERVAL_SECONDS,
    allowShortIdle: true,
    shutdownGraceSeconds: 5,
    admin: { listen: `127.0.0.1:${admin}` },
    health: { listen: `127.0.0.1:${base + 1}` },
  };
  const config = parseConfig(JSON.stringify(keys), 'demo.yaml');
  return { app: await startApp(config, { writeLog: () => undefined }), bootstrap };
}
