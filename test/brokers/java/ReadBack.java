package slackwater.test;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

final class ReadBack {
    /** What topics hold, from their beginning to their present end, without a group: {"topic-0": [value]}. */
    static Object read(JsonNode request) throws Exception {
        long deadline = System.nanoTime() + request.get("withinMs").asLong() * 1_000_000;
        Properties properties = Driver.settings(request, "client.id", "read-back", "enable.auto.commit", "false",
            "isolation.level", request.get("isolation").asText());
        Map<String, List<String>> out = new TreeMap<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (String topic : Driver.strings(request.get("topics")))
                consumer.partitionsFor(topic).forEach(p -> partitions.add(new TopicPartition(p.topic(), p.partition())));
            partitions.forEach(partition -> out.put(partition.toString(), new ArrayList<>()));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                if (System.nanoTime() > deadline) throw new TimeoutException("not read to the end");
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200)))
                    out.get(record.topic() + "-" + record.partition()).add(record.value());
            }
        }
        return out;
    }
}
