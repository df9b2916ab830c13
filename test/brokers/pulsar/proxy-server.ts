/** Pulsar's own proxy, to be compared with. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from '../child.ts';
import { until } from '../until.ts';
import { launchJava } from './jvm.ts';
import { propertyLines } from './pulsar-node.ts';

const READY_MILLISECONDS = 60_000;

export interface ProxyOptions {
  /** `host:port` of a broker's admin interface. */
  readonly web: string;
  /** See JvmOptions. */
  readonly tuned: boolean;
  /** It reads what it passes on, as it must with TLS; by default the kernel moves it (splice), unseen. */
  readonly copies: boolean;
}

export class ProxyServer {
  readonly url: string;
  readonly #child: Child;

  private constructor(url: string, child: Child) {
    this.url = url;
    this.#child = child;
  }

  /**
   * @param firstPort where it listens for clients; its admin interface follows
   * @param brokers ports of the brokers, the first of which is asked
   */
  static async start(
    folder: string,
    firstPort: number,
    brokers: readonly number[],
    { web, tuned, copies }: ProxyOptions,
  ): Promise<ProxyServer> {
    const name = copies ? 'proxy-copying' : 'proxy';
    const file = join(folder, `${name}.conf`);
    const settings = {
      clusterName: 'slackwater',
      bindAddress: '127.0.0.1',
      advertisedAddress: '127.0.0.1',
      servicePort: firstPort,
      webServicePort: firstPort + 1,
      brokerServiceURL: `pulsar://127.0.0.1:${brokers[0]}`,
      brokerWebServiceURL: `http://${web}`,
      proxyZeroCopyModeEnabled: !copies,
      brokerProxyAllowedHostNames: '127.0.0.1',
      brokerProxyAllowedIPAddresses: '127.0.0.1',
      brokerProxyAllowedTargetPorts: brokers.join(','),
    };
    writeFileSync(file, propertyLines(settings));
    const main = 'org.apache.pulsar.proxy.server.ProxyServiceStarter';
    const log = join(folder, `${name}.log`);
    const child = await launchJava(name, main, ['-c', file], { megabytes: 256, tuned, log, folder });
    try {
      await until('the proxy to serve', READY_MILLISECONDS, async () => {
        if (child.ending !== undefined) throw new Error(`the proxy has ended, see ${log}`);
        try {
          return (await fetch(`http://127.0.0.1:${firstPort + 1}/metrics`)).ok ? true : 'not yet';
        } catch (error) {
          return String(error);
        }
      });
    } catch (error) {
      await child.stop('SIGKILL');
      throw error;
    }
    return new ProxyServer(`pulsar://127.0.0.1:${firstPort}`, child);
  }

  get pid(): number {
    return this.#child.pid;
  }

  async stop(): Promise<void> {
    await this.#child.stop('SIGKILL');
  }
}
