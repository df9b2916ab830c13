package slackwater.test;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.pulsar.client.api.AuthenticationFactory;
import org.apache.pulsar.client.api.ClientBuilder;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.PulsarClientException;

/** Pulsar's own Java client behind the JSON lines that pulsar-driver.ts describes. */
public final class Driver {
    interface Operation {
        Object run(JsonNode request) throws Exception;
    }

    static final ObjectMapper JSON = new ObjectMapper();
    private static final PrintStream OUT = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);

    public static void main(String[] args) throws Exception {
        System.setOut(System.err);
        Senders senders = new Senders();
        Map<String, Operation> operations = Map.of(
            "open", senders::open,
            "start", senders::start,
            "finish", senders::finish,
            "close", senders::close,
            "tour", Tour::tour);
        ExecutorService workers = Executors.newCachedThreadPool();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            JsonNode request = JSON.readTree(line);
            workers.execute(() -> serve(request, operations.get(request.get("op").asText())));
        }
        // Whoever is gone wants no goodbye from what it left open.
        Runtime.getRuntime().halt(0);
    }

    private static void serve(JsonNode request, Operation operation) {
        ObjectNode answer = JSON.createObjectNode().put("id", request.get("id").asInt());
        try {
            if (operation == null) throw new IllegalArgumentException("no operation " + request.get("op"));
            answer.set("result", JSON.valueToTree(operation.run(request)));
        } catch (Throwable e) {
            answer.put("error", e.toString());
        }
        synchronized (OUT) {
            OUT.println(answer);
            OUT.flush();
        }
    }

    /** @param tokenFile read whenever a token is to be shown; missing: nothing is shown */
    static PulsarClient client(String url, boolean transactions, JsonNode tokenFile) throws PulsarClientException {
        ClientBuilder builder = PulsarClient.builder();
        if (tokenFile.isTextual()) builder.authentication(AuthenticationFactory.token(() -> content(tokenFile.asText())));
        return builder
            .serviceUrl(url)
            .operationTimeout(30, TimeUnit.SECONDS)
            .ioThreads(1)
            .listenerThreads(1)
            .enableTransaction(transactions)
            .build();
    }

    private static String content(String path) {
        try {
            return Files.readString(Path.of(path));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
