package slackwater.test;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pulsar.client.api.Producer;
import org.apache.pulsar.client.api.ProducerBuilder;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.TypedMessageBuilder;

/** Producers that send numbered messages, each at its own pace. */
final class Senders {
    private static final int SEND_SECONDS = 60;

    private static final class Sender {
        final String name;
        final Producer<byte[]> producer;
        final boolean sequenced;
        final String padding;
        int sent;
        int settled;
        int acknowledged;
        /** How many to send in all; negative: until told to finish. */
        int wanted;
        List<Double> latencies = new ArrayList<>();
        List<String> failures = new ArrayList<>();
        ScheduledFuture<?> pace;

        Sender(PulsarClient client, String name, String topic, JsonNode settings) throws Exception {
            this.name = name;
            this.sequenced = settings.path("sequenced").asBoolean();
            this.padding = " ".repeat(settings.path("padding").asInt());
            ProducerBuilder<byte[]> builder = client.newProducer().topic(topic).sendTimeout(SEND_SECONDS, TimeUnit.SECONDS);
            if (settings.path("named").asBoolean()) builder.producerName(name);
            this.producer = builder.create();
        }

        synchronized void due() {
            if (wanted >= 0 && sent >= wanted) {
                if (pace != null) pace.cancel(false);
                return;
            }
            int number = sent++;
            long begun = System.nanoTime();
            byte[] value = (padding + name + " " + number).getBytes(StandardCharsets.UTF_8);
            TypedMessageBuilder<byte[]> message = producer.newMessage().value(value);
            if (sequenced) message.sequenceId(number);
            message.sendAsync().whenComplete((id, error) -> settled(number, begun, error));
        }

        private synchronized void settled(int number, long begun, Throwable error) {
            settled++;
            if (error == null) {
                acknowledged++;
                latencies.add((System.nanoTime() - begun) / 10_000 / 100.0);
            } else {
                failures.add(name + " " + number + ": " + error);
                System.err.println("ERROR " + name + ": told " + error);
            }
            notifyAll();
        }

        synchronized boolean more() {
            return wanted < 0 || sent < wanted;
        }
    }

    private final Map<String, Sender> all = new ConcurrentHashMap<>();
    private final List<PulsarClient> clients = new ArrayList<>();
    private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(2);

    Object open(JsonNode request) throws Exception {
        for (JsonNode each : request.get("clients")) {
            PulsarClient client = Driver.client(request.get("url").asText(), false, request.path("tokenFile"));
            clients.add(client);
            for (JsonNode producer : each.get("producers")) {
                String name = producer.get("name").asText();
                all.put(name, new Sender(client, name, producer.get("topic").asText(), request.path("settings")));
            }
        }
        return Map.of();
    }

    Object start(JsonNode request) {
        long every = Math.max(1, request.get("everyMs").asLong());
        long spread = request.get("spreadMs").asLong();
        int messages = request.get("messages").asInt();
        int index = 0;
        for (Sender sender : all.values()) {
            synchronized (sender) {
                sender.wanted = messages == 0 ? -1 : sender.sent + messages;
                if (sender.pace != null) sender.pace.cancel(false);
                long first = spread * index++ / all.size();
                sender.pace = clock.scheduleAtFixedRate(sender::due, first, every, TimeUnit.MILLISECONDS);
            }
        }
        return Map.of();
    }

    Object finish(JsonNode request) throws Exception {
        long deadline = System.nanoTime() + request.get("withinMs").asLong() * 1_000_000;
        boolean stop = request.get("stop").asBoolean();
        Map<String, Object> counts = new LinkedHashMap<>();
        Map<String, Long> sequences = new LinkedHashMap<>();
        List<String> failures = new ArrayList<>();
        List<Double> latencies = new ArrayList<>();
        for (Sender sender : all.values()) {
            synchronized (sender) {
                if (stop) sender.wanted = sender.sent;
                while (sender.more() || sender.settled < sender.sent) {
                    long left = (deadline - System.nanoTime()) / 1_000_000;
                    if (left <= 0)
                        throw new TimeoutException("not delivered: " + sender.name + " " + sender.settled + "/" + sender.sent);
                    sender.wait(Math.min(left, 50));
                }
                counts.put(sender.name, Map.of("sent", sender.sent, "acknowledged", sender.acknowledged));
                sequences.put(sender.name, sender.producer.getLastSequenceId());
                failures.addAll(sender.failures);
                latencies.addAll(sender.latencies);
                sender.failures = new ArrayList<>();
                sender.latencies = new ArrayList<>();
            }
        }
        return Map.of("clients", counts, "sequences", sequences, "failures", failures, "latencies", latencies);
    }

    Object close(JsonNode request) throws Exception {
        for (PulsarClient client : clients) client.close();
        clients.clear();
        all.clear();
        return Map.of();
    }
}
