package slackwater.test;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.pulsar.client.api.CompressionType;
import org.apache.pulsar.client.api.Consumer;
import org.apache.pulsar.client.api.Message;
import org.apache.pulsar.client.api.MessageId;
import org.apache.pulsar.client.api.Producer;
import org.apache.pulsar.client.api.ProducerAccessMode;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.PulsarClientException;
import org.apache.pulsar.client.api.Reader;
import org.apache.pulsar.client.api.Schema;
import org.apache.pulsar.client.api.SubscriptionInitialPosition;
import org.apache.pulsar.client.api.SubscriptionType;
import org.apache.pulsar.client.api.transaction.Transaction;

/**
 * What a Java client can do, one method each: it sends, receives and acknowledges, and returns what it saw, in a form
 * that is the same every time.
 */
final class Tour {
    private static final int WAIT_SECONDS = 15;
    private static final int QUIET_MILLISECONDS = 300;
    private static final int MESSAGES = 20;

    interface Stop {
        Object run(PulsarClient client, String topic) throws Exception;
    }

    public static final class Order {
        public int number;
        public String customer;
    }

    private static final Map<String, Stop> STOPS = new LinkedHashMap<>();

    static {
        for (SubscriptionType type : SubscriptionType.values())
            STOPS.put("subscription-" + type, (client, topic) -> subscription(client, topic, type));
        STOPS.put("reader", Tour::reader);
        STOPS.put("regex", Tour::regex);
        STOPS.put("batch", Tour::batch);
        STOPS.put("chunk", Tour::chunk);
        STOPS.put("compression", Tour::compression);
        STOPS.put("schema", Tour::schema);
        STOPS.put("partitioned", Tour::partitioned);
        STOPS.put("access", Tour::access);
        STOPS.put("transaction", Tour::transaction);
    }

    /** All at once, each with a client of its own. */
    static Object tour(JsonNode request) throws Exception {
        Set<String> only = new TreeSet<>();
        request.path("only").forEach(name -> only.add(name.asText()));
        Map<String, Object> outcome = new ConcurrentSkipListMap<>();
        List<Thread> threads = new ArrayList<>();
        STOPS.forEach((name, stop) -> {
            if (only.isEmpty() || only.contains(name)) threads.add(new Thread(() -> outcome.put(name, visit(request, name, stop))));
        });
        for (Thread thread : threads) thread.start();
        for (Thread thread : threads) thread.join();
        return outcome;
    }

    private static Object visit(JsonNode request, String name, Stop stop) {
        try (PulsarClient client = Driver.client(request.get("url").asText(), name.equals("transaction"), request.path("tokenFile"))) {
            return stop.run(client, request.get("prefix").asText() + "-" + name);
        } catch (Throwable e) {
            System.err.println("ERROR " + name + ": " + e);
            return e.getClass().getSimpleName() + ": " + e.getMessage();
        }
    }

    private static List<String> values() {
        List<String> values = new ArrayList<>();
        for (int i = 0; i < MESSAGES; i++) values.add("value " + i);
        return values;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(Message<byte[]> message) {
        return new String(message.getValue(), StandardCharsets.UTF_8);
    }

    /** So many messages, acknowledged, and then silence. */
    private static List<String> take(Consumer<byte[]> consumer, int count) throws PulsarClientException {
        List<String> taken = new ArrayList<>();
        while (taken.size() < count) {
            Message<byte[]> message = consumer.receive(WAIT_SECONDS, TimeUnit.SECONDS);
            if (message == null) {
                taken.add("nothing more");
                return taken;
            }
            consumer.acknowledge(message);
            taken.add(text(message));
        }
        Message<byte[]> extra = consumer.receive(QUIET_MILLISECONDS, TimeUnit.MILLISECONDS);
        if (extra != null) taken.add("too many: " + text(extra));
        return taken;
    }

    private static Object subscription(PulsarClient client, String topic, SubscriptionType type) throws Exception {
        List<Consumer<byte[]>> consumers = new ArrayList<>();
        String second = "let in";
        for (int i = 0; i < 2; i++) {
            try {
                consumers.add(client.newConsumer().topic(topic).subscriptionName("s").subscriptionType(type)
                    .negativeAckRedeliveryDelay(100, TimeUnit.MILLISECONDS).subscribe());
            } catch (PulsarClientException.ConsumerBusyException e) {
                second = "busy";
            }
        }
        try (Producer<byte[]> producer = client.newProducer().topic(topic).enableBatching(false).create()) {
            for (int i = 0; i < MESSAGES; i++) producer.newMessage().key("key-" + i % 5).value(bytes("value " + i)).send();
        }
        Map<String, List<String>> byKey = new TreeMap<>();
        int taken = 0;
        boolean refused = false;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
        while (taken < MESSAGES && System.nanoTime() < deadline) {
            for (Consumer<byte[]> consumer : consumers) {
                Message<byte[]> message = consumer.receive(20, TimeUnit.MILLISECONDS);
                if (message == null) continue;
                if (type == SubscriptionType.Shared && !refused) {
                    refused = true;
                    consumer.negativeAcknowledge(message);
                    continue;
                }
                consumer.acknowledge(message);
                byKey.computeIfAbsent(message.getKey(), key -> new ArrayList<>()).add(text(message));
                taken++;
            }
        }
        // Nobody promises an order to those who share a subscription without keys.
        if (type == SubscriptionType.Shared) byKey.values().forEach(Collections::sort);
        return Map.of("second", second, "by key", byKey);
    }

    private static Object reader(PulsarClient client, String topic) throws Exception {
        Producer<byte[]> producer = client.newProducer().topic(topic).create();
        for (String value : values()) producer.send(bytes(value));
        List<String> read = new ArrayList<>();
        Reader<byte[]> early = client.newReader().topic(topic).startMessageId(MessageId.earliest).create();
        while (early.hasMessageAvailable()) read.add(text(early.readNext(WAIT_SECONDS, TimeUnit.SECONDS)));
        early.seek(MessageId.earliest);
        Message<byte[]> again = early.readNext(WAIT_SECONDS, TimeUnit.SECONDS);
        return Map.of("read", read, "again", text(again));
    }

    private static Object regex(PulsarClient client, String topic) throws Exception {
        String whole = "persistent://public/default/" + topic;
        for (String part : List.of("a", "b"))
            try (Producer<byte[]> producer = client.newProducer().topic(whole + "-" + part).create()) {
                producer.send(bytes("in " + part));
            }
        Consumer<byte[]> consumer = client.newConsumer().topicsPattern(Pattern.compile(whole + "-.*")).subscriptionName("s")
            .patternAutoDiscoveryPeriod(2, TimeUnit.SECONDS)
            .subscriptionInitialPosition(SubscriptionInitialPosition.Earliest).subscribe();
        List<String> early = take(consumer, 2);
        Collections.sort(early);
        try (Producer<byte[]> producer = client.newProducer().topic(whole + "-c").create()) {
            producer.send(bytes("in c"));
        }
        return Map.of("early", early, "late", take(consumer, 1));
    }

    private static Object batch(PulsarClient client, String topic) throws Exception {
        Consumer<byte[]> consumer = client.newConsumer().topic(topic).subscriptionName("s").subscribe();
        Producer<byte[]> producer = client.newProducer().topic(topic).batchingMaxPublishDelay(50, TimeUnit.MILLISECONDS).create();
        for (int i = 0; i < 200; i++) producer.sendAsync(bytes("value " + i));
        producer.flush();
        return take(consumer, 200);
    }

    private static Object chunk(PulsarClient client, String topic) throws Exception {
        Consumer<byte[]> consumer = client.newConsumer().topic(topic).subscriptionName("s").subscribe();
        Producer<byte[]> producer = client.newProducer().topic(topic).enableBatching(false).enableChunking(true).create();
        byte[] large = new byte[12_000_000];
        for (int i = 0; i < large.length; i++) large[i] = (byte) (i % 251);
        producer.send(large);
        producer.send(bytes("small"));
        Message<byte[]> first = consumer.receive(WAIT_SECONDS, TimeUnit.SECONDS);
        consumer.acknowledge(first);
        return Map.of("whole", Arrays.equals(first.getValue(), large), "then", take(consumer, 1));
    }

    private static Object compression(PulsarClient client, String topic) throws Exception {
        Consumer<byte[]> consumer = client.newConsumer().topic(topic).subscriptionName("s").subscribe();
        for (CompressionType type : CompressionType.values())
            try (Producer<byte[]> producer = client.newProducer().topic(topic).compressionType(type).create()) {
                producer.send(bytes(type.name().repeat(500)));
            }
        List<String> seen = new ArrayList<>();
        for (String value : take(consumer, CompressionType.values().length)) seen.add(value.substring(0, 4) + value.length());
        return seen;
    }

    private static Object schema(PulsarClient client, String topic) throws Exception {
        Map<String, Object> outcome = new TreeMap<>();
        Map<String, Schema<Order>> kinds = Map.of("avro", Schema.AVRO(Order.class), "json", Schema.JSON(Order.class));
        for (Map.Entry<String, Schema<Order>> kind : kinds.entrySet()) {
            String name = topic + "-" + kind.getKey();
            Consumer<Order> consumer = client.newConsumer(kind.getValue()).topic(name).subscriptionName("s").subscribe();
            Order order = new Order();
            order.number = 7;
            order.customer = "c";
            client.newProducer(kind.getValue()).topic(name).create().send(order);
            outcome.put(kind.getKey(), consumer.receive(WAIT_SECONDS, TimeUnit.SECONDS).getValue().number);
        }
        // A producer that tells the schema only with its first message, and a consumer that asks for it.
        String automatic = topic + "-json";
        Producer<byte[]> late = client.newProducer(Schema.AUTO_PRODUCE_BYTES()).topic(automatic).create();
        late.send(bytes("{\"number\":8,\"customer\":\"d\"}"));
        var reader = client.newReader(Schema.AUTO_CONSUME()).topic(automatic).startMessageId(MessageId.earliest).create();
        reader.readNext(WAIT_SECONDS, TimeUnit.SECONDS);
        outcome.put("automatic", String.valueOf(reader.readNext(WAIT_SECONDS, TimeUnit.SECONDS).getValue().getField("customer")));
        try {
            client.newProducer(Schema.STRING).topic(automatic).create();
            outcome.put("other schema", "let in");
        } catch (PulsarClientException.IncompatibleSchemaException e) {
            outcome.put("other schema", "refused");
        }
        return outcome;
    }

    /** The test has made the topic, with four partitions. */
    private static Object partitioned(PulsarClient client, String topic) throws Exception {
        Consumer<byte[]> consumer = client.newConsumer().topic(topic).subscriptionName("s").subscribe();
        Producer<byte[]> producer = client.newProducer().topic(topic).enableBatching(false).create();
        for (String value : values()) producer.send(bytes(value));
        List<String> taken = take(consumer, MESSAGES);
        Collections.sort(taken);
        return Map.of("partitions", client.getPartitionsForTopic(topic).get().size(), "taken", taken);
    }

    private static Object access(PulsarClient client, String topic) throws Exception {
        List<String> outcome = new ArrayList<>();
        Producer<byte[]> first = client.newProducer().topic(topic).accessMode(ProducerAccessMode.Exclusive).create();
        try {
            client.newProducer().topic(topic).create();
            outcome.add("let in");
        } catch (PulsarClientException e) {
            outcome.add(e.getClass().getSimpleName());
        }
        var waiting = client.newProducer().topic(topic).accessMode(ProducerAccessMode.WaitForExclusive).createAsync();
        first.close();
        waiting.get(WAIT_SECONDS, TimeUnit.SECONDS).send(bytes("x"));
        outcome.add("the waiting one is let in");
        Producer<byte[]> fencing = client.newProducer().topic(topic).accessMode(ProducerAccessMode.ExclusiveWithFencing).create();
        fencing.send(bytes("y"));
        outcome.add("and fenced");
        return outcome;
    }

    private static Object transaction(PulsarClient client, String topic) throws Exception {
        Consumer<byte[]> from = client.newConsumer().topic(topic + "-in").subscriptionName("s").subscribe();
        Consumer<byte[]> to = client.newConsumer().topic(topic + "-out").subscriptionName("s").subscribe();
        try (Producer<byte[]> producer = client.newProducer().topic(topic + "-in").create()) {
            for (String value : values()) producer.send(bytes(value));
        }
        Producer<byte[]> out = client.newProducer().topic(topic + "-out").sendTimeout(0, TimeUnit.SECONDS).enableBatching(false).create();
        for (int round = 0; round < 4; round++) {
            Transaction transaction = client.newTransaction().withTransactionTimeout(1, TimeUnit.MINUTES).build().get();
            List<Message<byte[]>> mine = new ArrayList<>();
            for (int i = 0; i < MESSAGES / 4; i++) {
                Message<byte[]> message = from.receive(WAIT_SECONDS, TimeUnit.SECONDS);
                mine.add(message);
                out.newMessage(transaction).value(bytes((round == 1 ? "aborted " : "") + text(message))).send();
                if (round != 1) from.acknowledgeAsync(message.getMessageId(), transaction).get();
            }
            if (round == 1) {
                transaction.abort().get();
                for (Message<byte[]> message : mine) from.negativeAcknowledge(message);
            } else {
                transaction.commit().get();
            }
        }
        return take(to, MESSAGES / 4 * 3);
    }
}
