package slackwater.test;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;

/** Topics as the one who judges makes, sees and moves them. */
final class Topics {
    private static Admin admin(JsonNode request) {
        return Admin.create(Driver.settings(request, "client.id", "judge", "default.api.timeout.ms", "30000"));
    }

    /** {topics, partitions, replicas, configs?} */
    static Object create(JsonNode request) throws Exception {
        Map<String, String> configs = new HashMap<>();
        if (request.has("configs")) request.get("configs").properties().forEach(e -> configs.put(e.getKey(), e.getValue().asText()));
        List<NewTopic> topics = new ArrayList<>();
        for (String name : Driver.strings(request.get("topics")))
            topics.add(new NewTopic(name, request.get("partitions").asInt(), (short) request.get("replicas").asInt()).configs(configs));
        try (Admin admin = admin(request)) {
            admin.createTopics(topics).all().get();
        }
        return Map.of();
    }

    /** {"topic-0": {leader, replicas, inSync}} for {topics} */
    static Object describe(JsonNode request) throws Exception {
        Map<String, Object> out = new TreeMap<>();
        try (Admin admin = admin(request)) {
            Map<String, TopicDescription> all = admin.describeTopics(Driver.strings(request.get("topics"))).allTopicNames().get();
            all.forEach((topic, description) -> {
                for (TopicPartitionInfo p : description.partitions())
                    out.put(topic + "-" + p.partition(), Map.of("leader", p.leader() == null ? -1 : p.leader().id(),
                        "replicas", p.replicas().stream().map(Node::id).toList(), "inSync", p.isr().stream().map(Node::id).toList()));
            });
        }
        return out;
    }

    /** Puts partitions on brokers, the first of which is to lead: {placement: {"topic-0": [1, 2, 3]}}; does not wait. */
    static Object place(JsonNode request) throws Exception {
        Map<TopicPartition, Optional<NewPartitionReassignment>> wanted = new HashMap<>();
        request.get("placement").properties().forEach(entry -> {
            List<Integer> replicas = new ArrayList<>();
            entry.getValue().forEach(id -> replicas.add(id.asInt()));
            wanted.put(partition(entry.getKey()), Optional.of(new NewPartitionReassignment(replicas)));
        });
        try (Admin admin = admin(request)) {
            admin.alterPartitionReassignments(wanted).all().get();
        }
        return Map.of();
    }

    /** Elects the first replica of each partition: {partitions: ["topic-0"]}. */
    static Object lead(JsonNode request) throws Exception {
        Set<TopicPartition> partitions = new HashSet<>();
        Driver.strings(request.get("partitions")).forEach(name -> partitions.add(partition(name)));
        try (Admin admin = admin(request)) {
            Map<TopicPartition, Optional<Throwable>> all = admin.electLeaders(ElectionType.PREFERRED, partitions).partitions().get();
            for (Map.Entry<TopicPartition, Optional<Throwable>> one : all.entrySet()) {
                // A partition that its first replica leads already needs no election.
                if (one.getValue().isPresent()
                    && !(one.getValue().get() instanceof org.apache.kafka.common.errors.ElectionNotNeededException))
                    throw new IllegalStateException(one.getKey() + ": " + one.getValue().get());
            }
        }
        return Map.of();
    }

    /** The id of the broker that coordinates {group}. */
    static Object coordinator(JsonNode request) throws Exception {
        String group = request.get("group").asText();
        try (Admin admin = admin(request)) {
            return admin.describeConsumerGroups(List.of(group)).all().get().get(group).coordinator().id();
        }
    }

    static TopicPartition partition(String name) {
        int dash = name.lastIndexOf('-');
        return new TopicPartition(name.substring(0, dash), Integer.parseInt(name.substring(dash + 1)));
    }
}
