package slackwater.test;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;

/**
 * Tells what a broker's own socket server counted, for each listener: connections made and open, bytes in and out,
 * requests, authentications. No dial is too short to be missed. Runs inside the broker as a metrics reporter and answers any HTTP
 * request on the loopback port of -Dslackwater.meter.port.
 */
public final class ListenerMeter implements MetricsReporter {
    private static final String GROUP = "socket-server-metrics";
    private static final Map<String, String> FIELDS = Map.of(
        "connection-count", "open",
        "connection-creation-total", "created",
        "incoming-byte-total", "bytesIn",
        "outgoing-byte-total", "bytesOut",
        "request-total", "requests",
        "successful-authentication-total", "authentications",
        "failed-authentication-total", "failedAuthentications",
        "expired-connections-killed-count", "expired");
    /** Kafka makes several instances of a reporter in one process; what they see is the same. */
    private static final Map<MetricName, KafkaMetric> METRICS = new ConcurrentHashMap<>();
    private static HttpServer server;

    @Override
    public void configure(Map<String, ?> configs) {
        synchronized (ListenerMeter.class) {
            if (server != null) return;
            try {
                int port = Integer.getInteger("slackwater.meter.port");
                server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 8);
            } catch (IOException e) {
                throw new IllegalStateException("the meter's port cannot be bound", e);
            }
            server.createContext("/", exchange -> {
                byte[] body = json().getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(200, body.length);
                exchange.getResponseBody().write(body);
                exchange.close();
            });
            server.start();
        }
    }

    @Override
    public void init(List<KafkaMetric> metrics) {
        metrics.forEach(this::metricChange);
    }

    @Override
    public void metricChange(KafkaMetric metric) {
        MetricName name = metric.metricName();
        if (name.group().equals(GROUP) && FIELDS.containsKey(name.name()) && name.tags().containsKey("listener"))
            METRICS.put(name, metric);
    }

    @Override
    public void metricRemoval(KafkaMetric metric) {
        // A listener's totals stay readable while its broker shuts down.
    }

    @Override
    public void close() {
        // The other instances of this process still count.
    }

    private static String json() {
        Map<String, Map<String, Long>> listeners = new TreeMap<>();
        METRICS.forEach((name, metric) -> listeners
            .computeIfAbsent(name.tags().get("listener"), listener -> new TreeMap<>())
            .merge(FIELDS.get(name.name()), ((Number) metric.metricValue()).longValue(), Long::sum));
        StringBuilder out = new StringBuilder("{");
        listeners.forEach((listener, figures) -> {
            out.append(out.length() > 1 ? "," : "").append('"').append(listener).append("\":{");
            StringBuilder inner = new StringBuilder();
            figures.forEach((field, value) ->
                inner.append(inner.length() > 0 ? "," : "").append('"').append(field).append("\":").append(value));
            out.append(inner).append('}');
        });
        return out.append('}').toString();
    }
}
