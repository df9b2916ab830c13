"""
What a Python client can do, one function each: it sends, receives and acknowledges, and returns what it saw, in a form
that is the same every time.
"""
import re
import time

import pulsar
from pulsar.schema import BytesSchema, Float, Integer, JsonSchema, Record, String

WAIT_MILLISECONDS = 10_000
QUIET_MILLISECONDS = 300
MESSAGES = 20
TYPES = pulsar.ConsumerType


class Order(Record):
    number = Integer()
    customer = String()
    total = Float()


def values(count=MESSAGES):
    return [f"value {number}" for number in range(count)]


def take(consumer, count, cumulative=False):
    """So many messages, acknowledged, and then silence."""
    taken = []
    for _ in range(count):
        message = consumer.receive(WAIT_MILLISECONDS)
        taken.append(message.data().decode())
        if cumulative:
            consumer.acknowledge_cumulative(message)
        else:
            consumer.acknowledge(message)
    try:
        message = consumer.receive(QUIET_MILLISECONDS)
        taken.append(f"too many: {message.data().decode()}")
    except pulsar.Timeout:
        pass
    return taken


def drain(consumers, count):
    """So many messages from several consumers, acknowledged: by consumer."""
    taken = [[] for _ in consumers]
    deadline = time.monotonic() + WAIT_MILLISECONDS / 1000
    while sum(len(each) for each in taken) < count and time.monotonic() < deadline:
        for index, consumer in enumerate(consumers):
            try:
                message = consumer.receive(20)
            except pulsar.Timeout:
                continue
            taken[index].append((message.partition_key(), message.data().decode()))
            consumer.acknowledge(message)
    return taken


def exclusive(client, topic):
    consumer = client.subscribe(topic, "s", consumer_type=TYPES.Exclusive)
    try:
        client.subscribe(topic, "s", consumer_type=TYPES.Exclusive)
        second = "let in"
    except pulsar.ConsumerBusy:
        second = "busy"
    producer = client.create_producer(topic)
    for value in values():
        producer.send(value.encode())
    taken = take(consumer, MESSAGES, cumulative=True)
    last = consumer.get_last_message_id().entry_id()
    consumer.seek(pulsar.MessageId.earliest)
    return {"second": second, "taken": taken, "last entry": last, "again": take(consumer, MESSAGES)}


def failover(client, topic):
    """Who is first is the broker's choice; there is one at a time."""
    consumers = [
        client.subscribe(topic, "s", consumer_type=TYPES.Failover, consumer_name=f"{index}") for index in range(2)
    ]
    producer = client.create_producer(topic)
    outcome = []
    for _ in range(2):
        for value in values():
            producer.send(value.encode())
        taken = drain(consumers, MESSAGES)
        active = next(index for index, each in enumerate(taken) if each)
        outcome.append({"consumers": sum(1 for each in taken if each), "taken": [value for _, value in taken[active]]})
        if len(consumers) > 1:
            consumers.pop(active).close()
    return outcome


def shared(client, topic):
    consumers = [
        client.subscribe(topic, "s", consumer_type=TYPES.Shared, negative_ack_redelivery_delay_ms=100) for _ in range(3)
    ]
    producer = client.create_producer(topic)
    for value in values():
        producer.send(value.encode())
    refused = consumers[0].receive(WAIT_MILLISECONDS)
    consumers[0].negative_acknowledge(refused)
    taken = drain(consumers, MESSAGES)
    return {"taken": sorted(value for each in taken for _, value in each)}


def key_shared(client, topic):
    consumers = [client.subscribe(topic, "s", consumer_type=TYPES.KeyShared) for _ in range(2)]
    producer = client.create_producer(topic)
    for number in range(MESSAGES):
        producer.send(f"{number}".encode(), partition_key=f"key-{number % 5}")
    taken = drain(consumers, MESSAGES)
    by_key = {}
    owners = {}
    for index, each in enumerate(taken):
        for key, value in each:
            by_key.setdefault(key, []).append(value)
            owners.setdefault(key, set()).add(index)
    return {"by key": dict(sorted(by_key.items())), "keys of one": all(len(o) == 1 for o in owners.values())}


def reader(client, topic):
    producer = client.create_producer(topic)
    for value in values():
        producer.send(value.encode())
    early = client.create_reader(topic, pulsar.MessageId.earliest)
    read = []
    while early.has_message_available():
        read.append(early.read_next(WAIT_MILLISECONDS).data().decode())
    late = client.create_reader(topic, pulsar.MessageId.latest)
    producer.send(b"later")
    return {"read": read, "late": late.read_next(WAIT_MILLISECONDS).data().decode()}


def regex(client, topic):
    for part in ("a", "b"):
        client.create_producer(f"persistent://public/default/{topic}-{part}").send(f"in {part}".encode())
    consumer = client.subscribe(
        re.compile(f"persistent://public/default/{topic}-.*"),
        "s",
        initial_position=pulsar.InitialPosition.Earliest,
    )
    return {"taken": sorted(take(consumer, 2))}


def batch(client, topic):
    consumer = client.subscribe(topic, "s")
    producer = client.create_producer(topic, batching_enabled=True, batching_max_publish_delay_ms=50)
    for value in values(200):
        producer.send_async(value.encode(), lambda *_: None)
    producer.flush()
    return {"taken": take(consumer, 200)}


def chunk(client, topic):
    consumer = client.subscribe(topic, "s")
    producer = client.create_producer(topic, chunking_enabled=True, batching_enabled=False)
    large = bytes(number % 251 for number in range(12_000_000))
    producer.send(large)
    producer.send(b"small")
    first = consumer.receive(WAIT_MILLISECONDS)
    consumer.acknowledge(first)
    return {"whole": first.data() == large, "then": take(consumer, 1)}


def compression(client, topic):
    consumer = client.subscribe(topic, "s")
    kinds = pulsar.CompressionType
    for kind in (kinds.LZ4, kinds.ZLib, kinds.ZSTD, kinds.SNAPPY):
        producer = client.create_producer(topic, compression_type=kind)
        producer.send((kind.name * 500).encode())
        producer.close()
    return {"taken": [value[:8] + str(len(value)) for value in take(consumer, 4)]}


def schema(client, topic):
    outcome = {}
    for name, kind in (("json", JsonSchema(Order)), ("string", pulsar.schema.StringSchema()), ("bytes", BytesSchema())):
        consumer = client.subscribe(f"{topic}-{name}", "s", schema=kind)
        producer = client.create_producer(f"{topic}-{name}", schema=kind)
        sent = {"json": Order(number=1, customer="c", total=2.5), "string": "text", "bytes": b"bytes"}[name]
        producer.send(sent)
        message = consumer.receive(WAIT_MILLISECONDS)
        consumer.acknowledge(message)
        outcome[name] = str(message.value() == sent) if name != "json" else message.value().customer
    try:
        client.create_producer(f"{topic}-json", schema=pulsar.schema.StringSchema())
        outcome["other schema"] = "let in"
    except pulsar.IncompatibleSchema:
        outcome["other schema"] = "refused"
    return outcome


def partitioned(client, topic):
    """The test has made the topic, with four partitions."""
    consumer = client.subscribe(topic, "s")
    producer = client.create_producer(
        topic, message_routing_mode=pulsar.PartitionsRoutingMode.RoundRobinDistribution, batching_enabled=False
    )
    for value in values(40):
        producer.send(value.encode())
    return {"partitions": len(client.get_topic_partitions(topic)), "taken": sorted(take(consumer, 40))}


def access(client, topic):
    """An exclusive producer keeps others out, and lets them in when it is gone."""
    first = client.create_producer(topic, access_mode=pulsar.ProducerAccessMode.Exclusive)
    try:
        client.create_producer(topic)
        outcome = "let in"
    except (pulsar.ProducerBusy, pulsar.ProducerFenced) as error:
        outcome = type(error).__name__
    first.close()
    client.create_producer(topic).send(b"x")
    return outcome


def non_persistent(client, topic):
    whole = f"non-persistent://public/default/{topic}"
    consumer = client.subscribe(whole, "s")
    producer = client.create_producer(whole)
    for value in values():
        producer.send(value.encode())
    return {"taken": take(consumer, MESSAGES)}


def names(client, topic):
    """One name is one producer's at a time."""
    first = client.create_producer(topic, producer_name="same")
    try:
        client.create_producer(topic, producer_name="same")
        second = "let in"
    except pulsar.ProducerBusy:
        second = "busy"
    first.close()
    again = client.create_producer(topic, producer_name="same")
    return {"second": second, "again": again.producer_name()}


TOUR = {
    "exclusive": exclusive,
    "failover": failover,
    "shared": shared,
    "key-shared": key_shared,
    "reader": reader,
    "regex": regex,
    "batch": batch,
    "chunk": chunk,
    "compression": compression,
    "schema": schema,
    "partitioned": partitioned,
    "access": access,
    "non-persistent": non_persistent,
    "names": names,
}
