package slackwater.test;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** Users, what they may do, and what brokers show of themselves, as the one who judges sets them. */
final class Security {
    private static Admin admin(JsonNode request) {
        return Admin.create(Driver.settings(request, "client.id", "judge", "default.api.timeout.ms", "30000"));
    }

    /** Gives a user of both kinds of SCRAM another password: {user, password}. */
    static Object password(JsonNode request) throws Exception {
        String user = request.get("user").asText();
        try (Admin admin = admin(request)) {
            // One after the other: a broker takes no request that alters a user twice.
            for (ScramMechanism mechanism : List.of(ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)) {
                ScramCredentialInfo info = new ScramCredentialInfo(mechanism, 4096);
                admin.alterUserScramCredentials(List.of(
                    new UserScramCredentialUpsertion(user, info, request.get("password").asText()))).all().get();
            }
        }
        return Map.of();
    }

    /** Lets a user write and read topics, in groups of any name: {user, topics}. */
    static Object allow(JsonNode request) throws Exception {
        String principal = "User:" + request.get("user").asText();
        List<AclBinding> bindings = new ArrayList<>();
        for (String topic : Driver.strings(request.get("topics")))
            for (AclOperation operation : List.of(AclOperation.WRITE, AclOperation.READ, AclOperation.DESCRIBE))
                bindings.add(binding(ResourceType.TOPIC, topic, principal, operation));
        bindings.add(binding(ResourceType.GROUP, "*", principal, AclOperation.READ));
        try (Admin admin = admin(request)) {
            admin.createAcls(bindings).all().get();
        }
        return Map.of();
    }

    private static AclBinding binding(ResourceType type, String name, String principal, AclOperation operation) {
        ResourcePattern pattern = new ResourcePattern(type, name, PatternType.LITERAL);
        return new AclBinding(pattern, new AccessControlEntry(principal, "*", operation, AclPermissionType.ALLOW));
    }

    /** Sets properties of a running broker: {broker, properties}. */
    static Object alter(JsonNode request) throws Exception {
        ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, request.get("broker").asText());
        List<AlterConfigOp> operations = new ArrayList<>();
        request.get("properties").properties().forEach(e ->
            operations.add(new AlterConfigOp(new ConfigEntry(e.getKey(), e.getValue().asText()), AlterConfigOp.OpType.SET)));
        try (Admin admin = admin(request)) {
            admin.incrementalAlterConfigs(Map.of(broker, operations)).all().get();
        }
        return Map.of();
    }
}
