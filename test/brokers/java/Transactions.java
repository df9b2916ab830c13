package slackwater.test;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

final class Transactions {
    private static KafkaProducer<String, String> producer(JsonNode request, String name) {
        Properties properties = Driver.settings(request, "client.id", name, "transactional.id", name, "transaction.timeout.ms", "60000");
        KafkaProducer<String, String> producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
        producer.initTransactions();
        return producer;
    }

    /** Every other transaction is aborted. Returns what was committed and what was aborted. */
    static Object transact(JsonNode request) {
        String name = request.get("name").asText();
        String topic = request.get("topic").asText();
        List<String> committed = new ArrayList<>();
        List<String> aborted = new ArrayList<>();
        try (KafkaProducer<String, String> producer = producer(request, name)) {
            int number = 0;
            for (int round = 0; round < request.get("rounds").asInt(); round++) {
                boolean commit = round % 2 == 0;
                producer.beginTransaction();
                for (int i = 0; i < request.get("size").asInt(); i++) {
                    String value = name + " " + number++;
                    producer.send(new ProducerRecord<>(topic, value));
                    (commit ? committed : aborted).add(value);
                }
                producer.flush();
                if (commit) producer.commitTransaction();
                else producer.abortTransaction();
            }
        }
        return Map.of("committed", committed, "aborted", aborted);
    }

    /**
     * Read, process, write, with the read offsets in the transaction; every third transaction is aborted, and its
     * input is read again from the last commit. Returns how many of either there were.
     */
    static Object pipe(JsonNode request) throws Exception {
        String name = request.get("name").asText();
        int wanted = request.get("messages").asInt();
        long deadline = System.nanoTime() + request.get("withinMs").asLong() * 1_000_000;
        Properties reading = Driver.settings(request, "client.id", name + "-in", "group.id", name, "auto.offset.reset", "earliest",
            "enable.auto.commit", "false", "isolation.level", "read_committed", "max.poll.records", "20");
        int done = 0;
        int commits = 0;
        int aborts = 0;
        try (KafkaProducer<String, String> producer = producer(request, name);
             KafkaConsumer<String, String> consumer = new KafkaConsumer<>(reading, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(request.get("from").asText()));
            while (done < wanted) {
                if (System.nanoTime() > deadline) throw new TimeoutException("piped " + done + " of " + wanted);
                ConsumerRecords<String, String> batch = consumer.poll(Duration.ofMillis(200));
                if (batch.isEmpty()) continue;
                Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
                producer.beginTransaction();
                for (ConsumerRecord<String, String> record : batch) {
                    producer.send(new ProducerRecord<>(request.get("to").asText(), record.value()));
                    next.put(new TopicPartition(record.topic(), record.partition()), new OffsetAndMetadata(record.offset() + 1));
                }
                producer.sendOffsetsToTransaction(next, consumer.groupMetadata());
                if ((commits + aborts) % 3 == 1) {
                    producer.abortTransaction();
                    aborts++;
                    for (TopicPartition partition : batch.partitions())
                        consumer.seek(partition, batch.records(partition).get(0).offset());
                } else {
                    producer.commitTransaction();
                    commits++;
                    done += batch.count();
                }
            }
        }
        return Map.of("commits", commits, "aborts", aborts);
    }
}
