package slackwater.test;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Producers that send numbered messages, each at its own pace in a thread of its own: send() may block. */
final class Senders {
    private static final class Sender {
        final String name;
        final String topic;
        /** Messages go round them; with 0 the client chooses. */
        final int partitions;
        final KafkaProducer<String, String> producer;
        int sent;
        int settled;
        int acknowledged;
        /** How many to send in all; negative: until told to finish. */
        int wanted;
        List<Double> latencies = new ArrayList<>();
        List<String> failures = new ArrayList<>();

        Sender(String name, String topic, int partitions, Properties properties) {
            this.name = name;
            this.topic = topic;
            this.partitions = partitions;
            this.producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
        }

        synchronized boolean more() {
            return wanted < 0 || sent < wanted;
        }

        void send() {
            String value;
            Integer partition;
            synchronized (this) {
                partition = partitions > 0 ? Integer.valueOf(sent % partitions) : null;
                value = name + " " + sent++;
            }
            long begun = System.nanoTime();
            try {
                producer.send(new ProducerRecord<>(topic, partition, null, value), (where, error) -> settled(value, begun, error));
            } catch (RuntimeException e) {
                settled(value, begun, e);
            }
        }

        private synchronized void settled(String value, long begun, Exception error) {
            settled++;
            if (error == null) {
                acknowledged++;
                latencies.add((System.nanoTime() - begun) / 10_000 / 100.0);
            } else {
                failures.add(value + ": " + error);
            }
            notifyAll();
        }
    }

    private final Map<String, Sender> all = new ConcurrentHashMap<>();

    Object open(JsonNode request) {
        for (JsonNode client : request.get("clients")) {
            String name = client.get("name").asText();
            Properties properties = Driver.settings(request, "client.id", name);
            all.put(name, new Sender(name, client.get("topic").asText(), request.path("partitions").asInt(), properties));
        }
        return Map.of();
    }

    Object start(JsonNode request) {
        List<Sender> chosen = new ArrayList<>();
        if (request.has("clients")) Driver.strings(request.get("clients")).forEach(name -> chosen.add(all.get(name)));
        else chosen.addAll(all.values());
        long every = request.get("everyMs").asLong() * 1_000_000;
        int messages = request.get("messages").asInt();
        long spread = request.get("spreadMs").asLong() * 1_000_000;
        long now = System.nanoTime();
        for (int i = 0; i < chosen.size(); i++) {
            Sender sender = chosen.get(i);
            synchronized (sender) {
                sender.wanted = messages == 0 ? -1 : sender.sent + messages;
            }
            long first = now + spread * i / chosen.size();
            Thread thread = new Thread(() -> pace(sender, first, every), sender.name);
            thread.setDaemon(true);
            thread.start();
        }
        return Map.of();
    }

    private static void pace(Sender sender, long first, long every) {
        try {
            for (long due = first; sender.more(); due += every) {
                long wait = due - System.nanoTime();
                if (wait > 0) Thread.sleep(wait / 1_000_000, (int) (wait % 1_000_000));
                if (sender.more()) sender.send();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    Object finish(JsonNode request) throws Exception {
        long deadline = System.nanoTime() + request.get("withinMs").asLong() * 1_000_000;
        boolean stop = request.get("stop").asBoolean();
        Map<String, Object> clients = new LinkedHashMap<>();
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
                clients.put(sender.name, Map.of("sent", sender.sent, "acknowledged", sender.acknowledged));
                failures.addAll(sender.failures);
                latencies.addAll(sender.latencies);
                sender.failures = new ArrayList<>();
                sender.latencies = new ArrayList<>();
            }
        }
        return Map.of("clients", clients, "failures", failures, "latencies", latencies);
    }

    Object close(JsonNode request) {
        all.values().forEach(sender -> sender.producer.close(java.time.Duration.ofSeconds(10)));
        all.clear();
        return Map.of();
    }
}
