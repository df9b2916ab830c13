package slackwater.test;

import org.apache.pulsar.PulsarStandaloneStarter;

/**
 * A broker with its bookie and its metadata in one process. Pulsar's standalone tells every client to come through the
 * service URL, whatever broker owns the topic, which no broker of a cluster does: once all is set up, this one forgets
 * that it is standalone.
 */
public final class LoneBroker {
    public static void main(String[] args) {
        try {
            PulsarStandaloneStarter broker = new PulsarStandaloneStarter(args);
            broker.start();
            broker.getConfig().setRunningStandalone(false);
        } catch (Throwable e) {
            e.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }
}
