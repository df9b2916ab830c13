package slackwater.test;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Members of groups, which commit what they processed before they give a partition up. */
final class Members {
    private static final Logger LOG = LoggerFactory.getLogger(Members.class);

    private static final class Member implements Runnable, ConsumerRebalanceListener {
        final String name;
        final Thread thread;
        final Map<String, List<Long>> records = new TreeMap<>();
        final Map<TopicPartition, OffsetAndMetadata> processed = new HashMap<>();
        private final KafkaConsumer<String, String> consumer;
        volatile boolean leaving;
        volatile RuntimeException death;
        volatile List<String> assigned = List.of();

        Member(String name, List<String> topics, Properties properties) {
            this.name = name;
            consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
            consumer.subscribe(topics, this);
            thread = new Thread(this, name);
            thread.setDaemon(true);
            thread.start();
        }

        @Override
        public void run() {
            try {
                long last = System.nanoTime();
                while (!leaving) {
                    for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                        TopicPartition partition = new TopicPartition(record.topic(), record.partition());
                        synchronized (records) {
                            records.computeIfAbsent(partition.toString(), key -> new ArrayList<>()).add(record.offset());
                        }
                        processed.put(partition, new OffsetAndMetadata(record.offset() + 1));
                    }
                    if (!processed.isEmpty() && System.nanoTime() - last > 500_000_000L) {
                        last = System.nanoTime();
                        commit();
                    }
                }
                commit();
                consumer.close(Duration.ofSeconds(15));
            } catch (RuntimeException e) {
                LOG.error(name + ": told", e);
                death = e;
            } finally {
                assigned = List.of();
            }
        }

        private void commit() {
            if (processed.isEmpty()) return;
            try {
                consumer.commitSync(processed, Duration.ofSeconds(10));
                processed.clear();
            } catch (RetriableException | RebalanceInProgressException e) {
                LOG.info("{}: commit to be repeated", name, e);
            } catch (CommitFailedException e) {
                // The partitions belong to somebody else by now, who takes their records again.
                LOG.info("{}: commit too late", name, e);
                processed.clear();
            }
        }

        private void look() {
            List<String> now = new ArrayList<>();
            consumer.assignment().forEach(partition -> now.add(partition.toString()));
            assigned = now;
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            look();
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            commit();
            List<String> rest = new ArrayList<>(assigned);
            partitions.forEach(partition -> rest.remove(partition.toString()));
            assigned = rest;
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            partitions.forEach(processed::remove);
            look();
        }
    }

    private final Map<String, Member> all = new ConcurrentHashMap<>();

    Object consume(JsonNode request) {
        for (String name : Driver.strings(request.get("members"))) {
            Properties properties = Driver.settings(request, "client.id", name, "group.id", request.get("group").asText(),
                "auto.offset.reset", "earliest", "enable.auto.commit", "false");
            all.put(name, new Member(name, Driver.strings(request.get("topics")), properties));
        }
        return Map.of();
    }

    Object received(JsonNode request) {
        Map<String, Object> out = new TreeMap<>();
        all.forEach((name, member) -> {
            if (member.death != null) throw new IllegalStateException(name + " has died", member.death);
            synchronized (member.records) {
                Map<String, List<Long>> copy = new TreeMap<>();
                member.records.forEach((partition, offsets) -> copy.put(partition, List.copyOf(offsets)));
                out.put(name, Map.of("assigned", member.assigned, "records", copy));
            }
        });
        return out;
    }

    Object leave(JsonNode request) throws Exception {
        List<String> names = Driver.strings(request.get("members"));
        names.forEach(name -> all.get(name).leaving = true);
        for (String name : names) {
            all.get(name).thread.join(20_000);
            if (all.get(name).thread.isAlive()) throw new TimeoutException(name + " does not leave");
        }
        return Map.of();
    }
}
