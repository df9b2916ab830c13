package slackwater.test;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;

/** A share group (KIP-932): its members take records one by one and acknowledge or release each. */
final class ShareGroup {
    /**
     * {group, members, topics, messages, withinMs}: every tenth record is released at its first delivery, so that it
     * comes again. Returns {accepted: ["topic-0 OFFSET"], released, byMember}.
     */
    static Object consume(JsonNode request) throws Exception {
        String group = request.get("group").asText();
        int wanted = request.get("messages").asInt();
        long deadline = System.nanoTime() + request.get("withinMs").asLong() * 1_000_000;
        try (Admin admin = Admin.create(Driver.settings(request))) {
            ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, group);
            AlterConfigOp earliest = new AlterConfigOp(new ConfigEntry("share.auto.offset.reset", "earliest"), AlterConfigOp.OpType.SET);
            admin.incrementalAlterConfigs(Map.of(resource, List.of(earliest))).all().get();
        }
        AtomicInteger accepted = new AtomicInteger();
        AtomicInteger released = new AtomicInteger();
        Map<String, Future<List<String>>> members = new TreeMap<>();
        ExecutorService threads = Executors.newCachedThreadPool();
        for (String name : Driver.strings(request.get("members"))) {
            Properties properties = Driver.settings(request, "client.id", name, "group.id", group, "share.acknowledgement.mode", "explicit");
            members.put(name, threads.submit(() -> {
                List<String> mine = new ArrayList<>();
                try (KafkaShareConsumer<String, String> consumer =
                         new KafkaShareConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
                    consumer.subscribe(Driver.strings(request.get("topics")));
                    while (accepted.get() < wanted) {
                        if (System.nanoTime() > deadline) throw new TimeoutException("accepted " + accepted + " of " + wanted);
                        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                            boolean first = record.deliveryCount().orElse((short) 1) == 1;
                            if (first && record.offset() % 10 == 3) {
                                consumer.acknowledge(record, AcknowledgeType.RELEASE);
                                released.incrementAndGet();
                            } else {
                                consumer.acknowledge(record, AcknowledgeType.ACCEPT);
                                mine.add(record.topic() + "-" + record.partition() + " " + record.offset());
                                accepted.incrementAndGet();
                            }
                        }
                        consumer.commitSync(Duration.ofSeconds(10)).forEach((partition, error) -> error.ifPresent(e -> {
                            throw e;
                        }));
                    }
                }
                return mine;
            }));
        }
        List<String> all = new ArrayList<>();
        Map<String, Integer> byMember = new TreeMap<>();
        for (Map.Entry<String, Future<List<String>>> member : members.entrySet()) {
            all.addAll(member.getValue().get());
            byMember.put(member.getKey(), member.getValue().get().size());
        }
        threads.shutdown();
        return Map.of("accepted", all, "released", released.get(), "byMember", byMember);
    }
}
