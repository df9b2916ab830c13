package slackwater.test;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Kafka's own Java clients behind the JSON lines that driver.ts describes. */
public final class Driver {
    interface Operation {
        Object run(JsonNode request) throws Exception;
    }

    static final ObjectMapper JSON = new ObjectMapper();
    private static final PrintStream OUT = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    private static final Map<String, Operation> OPERATIONS = new HashMap<>();

    public static void main(String[] args) throws Exception {
        System.setOut(System.err);
        Senders senders = new Senders();
        OPERATIONS.put("open", senders::open);
        OPERATIONS.put("start", senders::start);
        OPERATIONS.put("finish", senders::finish);
        OPERATIONS.put("close", senders::close);
        Members members = new Members();
        OPERATIONS.put("consume", members::consume);
        OPERATIONS.put("received", members::received);
        OPERATIONS.put("leave", members::leave);
        OPERATIONS.put("transact", Transactions::transact);
        OPERATIONS.put("pipe", Transactions::pipe);
        OPERATIONS.put("read", ReadBack::read);
        OPERATIONS.put("topics", Topics::create);
        OPERATIONS.put("describe", Topics::describe);
        OPERATIONS.put("place", Topics::place);
        OPERATIONS.put("lead", Topics::lead);
        OPERATIONS.put("coordinator", Topics::coordinator);
        OPERATIONS.put("password", Security::password);
        OPERATIONS.put("allow", Security::allow);
        OPERATIONS.put("alter", Security::alter);
        OPERATIONS.put("administer", Administration::tour);
        // Loaded only when asked for: clients older than 4.1 have no share groups.
        OPERATIONS.put("share", request -> ShareGroup.consume(request));

        ExecutorService workers = Executors.newCachedThreadPool();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            JsonNode request = JSON.readTree(line);
            workers.execute(() -> serve(request));
        }
        // Whoever is gone wants no goodbye from what it left open.
        Runtime.getRuntime().halt(0);
    }

    private static void serve(JsonNode request) {
        ObjectNode answer = JSON.createObjectNode().put("id", request.get("id").asInt());
        try {
            Operation operation = OPERATIONS.get(request.get("op").asText());
            if (operation == null) throw new IllegalArgumentException("no operation " + request.get("op"));
            answer.set("result", JSON.valueToTree(operation.run(request)));
        } catch (Throwable e) {
            Throwable cause = e instanceof java.util.concurrent.ExecutionException && e.getCause() != null ? e.getCause() : e;
            answer.put("error", cause.toString());
        }
        synchronized (OUT) {
            OUT.println(answer);
            OUT.flush();
        }
    }

    /** The request's bootstrap address and settings, over these defaults. */
    static Properties settings(JsonNode request, String... defaults) {
        Properties properties = new Properties();
        for (int i = 0; i < defaults.length; i += 2) properties.put(defaults[i], defaults[i + 1]);
        properties.put("bootstrap.servers", request.get("bootstrap").asText());
        if (request.has("settings"))
            request.get("settings").properties().forEach(e -> properties.put(e.getKey(), e.getValue().asText()));
        return properties;
    }

    static java.util.List<String> strings(JsonNode array) {
        java.util.List<String> out = new java.util.ArrayList<>();
        array.forEach(item -> out.add(item.asText()));
        return out;
    }
}
