package slackwater.test;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A tour of admin operations. Every step's outcome is a value that is the same whichever way the cluster is reached,
 * but for `nodes`, which is what the client was told of the brokers' addresses.
 */
final class Administration {
    private final Map<String, Object> outcome = new TreeMap<>();

    static Object tour(JsonNode request) throws Exception {
        Administration tour = new Administration();
        try (Admin admin = Admin.create(Driver.settings(request, "client.id", "tour", "default.api.timeout.ms", "20000",
            "request.timeout.ms", "10000"))) {
            tour.walk(admin, request, request.get("topic").asText(), request.get("group").asText());
        }
        return tour.outcome;
    }

    private void step(String name, Callable<Object> work) throws Exception {
        try {
            outcome.put(name, work.call());
        } catch (ExecutionException e) {
            // What a broker refuses is an outcome too, as long as it is the same both ways.
            outcome.put(name, e.getCause().getClass().getSimpleName());
        }
    }

    private void walk(Admin admin, JsonNode request, String topic, String group) throws Exception {
        ConfigResource config = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        TopicPartition first = new TopicPartition(topic, 0);
        short replicas = (short) request.get("replicas").asInt();
        step("nodes", () -> {
            List<String> nodes = new ArrayList<>();
            for (Node node : admin.describeCluster().nodes().get()) nodes.add(node.id() + " " + node.host() + ":" + node.port());
            nodes.sort(null);
            return nodes;
        });
        step("cluster", () -> admin.describeCluster().clusterId().get());
        step("create topic", () -> admin.createTopics(List.of(new NewTopic(topic, 2, replicas))).numPartitions(topic).get());
        step("create topic again", () -> admin.createTopics(List.of(new NewTopic(topic, 2, replicas))).all().get());
        step("list topics", () -> seen(true, () -> admin.listTopics().names().get().contains(topic)));
        step("more partitions", () -> {
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3))).all().get();
            return seen(3, () -> admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size());
        });
        step("alter config", () -> {
            AlterConfigOp op = new AlterConfigOp(new ConfigEntry("retention.ms", "12345678"), AlterConfigOp.OpType.SET);
            return admin.incrementalAlterConfigs(Map.of(config, List.of(op))).all().get();
        });
        step("describe config", () -> seen("12345678",
            () -> admin.describeConfigs(List.of(config)).all().get().get(config).get("retention.ms").value()));
        step("produce", () -> {
            Properties properties = Driver.settings(request, "client.id", "tour-producer");
            try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
                long last = -1;
                for (int i = 0; i < 10; i++) last = producer.send(new ProducerRecord<>(topic, 0, null, "m" + i)).get().offset();
                return last;
            }
        });
        step("commit offsets", () -> {
            Properties properties = Driver.settings(request, "client.id", "tour-consumer", "group.id", group, "enable.auto.commit", "false");
            try (KafkaConsumer<String, String> consumer =
                     new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
                consumer.assign(List.of(first));
                consumer.commitSync(Map.of(first, new OffsetAndMetadata(4)), Duration.ofSeconds(15));
                return consumer.committed(Set.of(first)).get(first).offset();
            }
        });
        step("list groups", () -> admin.listConsumerGroups().all().get().stream().anyMatch(g -> g.groupId().equals(group)));
        step("describe group", () -> admin.describeConsumerGroups(List.of(group)).all().get().get(group).members().size());
        step("group offsets", () -> admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(first).offset());
        step("alter group offsets", () -> {
            admin.alterConsumerGroupOffsets(group, Map.of(first, new OffsetAndMetadata(6))).all().get();
            return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(first).offset();
        });
        step("delete group offsets", () -> {
            admin.deleteConsumerGroupOffsets(group, Set.of(first)).all().get();
            return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().size();
        });
        step("delete group", () -> admin.deleteConsumerGroups(List.of(group)).all().get());
        step("list offsets", () -> admin.listOffsets(Map.of(first, OffsetSpec.latest())).partitionResult(first).get().offset());
        step("delete records", () -> admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(3))).lowWatermarks().get(first).get().lowWatermark());
        step("log folders", () -> {
            List<Integer> ids = admin.describeCluster().nodes().get().stream().map(Node::id).toList();
            return admin.describeLogDirs(ids).allDescriptions().get().values().stream()
                .flatMap(dirs -> dirs.values().stream()).filter(dir -> dir.replicaInfos().containsKey(first)).count();
        });
        step("producers of a partition", () -> admin.describeProducers(List.of(first)).all().get().get(first).activeProducers().size());
        step("transactions", () -> admin.listTransactions().all().get() != null);
        step("quorum", () -> new TreeSet<>(admin.describeMetadataQuorum().quorumInfo().get().voters().stream()
            .map(QuorumInfo.ReplicaState::replicaId).collect(Collectors.toSet())));
        step("features", () -> new TreeSet<>(admin.describeFeatures().featureMetadata().get().finalizedFeatures().keySet()));
        step("quotas", () -> {
            ClientQuotaEntity entity = new ClientQuotaEntity(Map.of(ClientQuotaEntity.CLIENT_ID, topic));
            ClientQuotaAlteration.Op op = new ClientQuotaAlteration.Op("producer_byte_rate", 1e6);
            admin.alterClientQuotas(List.of(new ClientQuotaAlteration(entity, List.of(op)))).all().get();
            return seen(true, () -> admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get().containsKey(entity));
        });
        step("access rules", () -> admin.describeAcls(org.apache.kafka.common.acl.AclBindingFilter.ANY).values().get().size());
        step("elect leaders", () -> {
            Map<TopicPartition, Optional<Throwable>> elected = admin.electLeaders(ElectionType.PREFERRED, Set.of(first)).partitions().get();
            return elected.get(first).map(e -> e.getClass().getSimpleName()).orElse("elected");
        });
        step("reassignments", () -> admin.listPartitionReassignments().reassignments().get().size());
        step("delete topic", () -> {
            admin.deleteTopics(List.of(topic)).all().get();
            return seen("gone", () -> admin.listTopics().names().get().contains(topic) ? "still there" : "gone");
        });
    }

    /** Looks until it is as wanted: news reach each broker in its own time, and an answer may come from any of them. */
    private static Object seen(Object wanted, Callable<?> look) throws Exception {
        for (int tries = 1; ; tries++) {
            Object now;
            try {
                now = look.call();
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) throw e;
                now = e.getCause();
            }
            if (wanted.equals(now)) return now;
            if (tries == 200) return "not seen: " + now;
            Thread.sleep(50);
        }
    }
}
