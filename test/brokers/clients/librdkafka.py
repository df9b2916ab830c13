"""
librdkafka, through confluent-kafka, behind the JSON lines that driver.ts describes: many clients in one process.

Delivery latency is librdkafka's own (from produce() to the acknowledgement), so how often this process polls does not
show in it.
"""
import heapq
import json
import logging
import sys
import threading
import time

from confluent_kafka import Consumer, KafkaException, Producer

RECHECK_SECONDS = 0.01
ANSWERS = threading.Lock()
LOG = logging.getLogger("librdkafka")
LOG.setLevel(logging.INFO)
HANDLER = logging.StreamHandler(sys.stderr)
HANDLER.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
LOG.addHandler(HANDLER)


def answer(reply):
    with ANSWERS:
        sys.stdout.write(json.dumps(reply, separators=(",", ":")) + "\n")
        sys.stdout.flush()


def told(name):
    """What the application is told by the error callback."""
    return lambda error: LOG.error("%s: told %s", name, error)


class Sender:
    """A producer that sends numbered messages at its own pace."""

    def __init__(self, name, topic, partitions, one_by_one, settings):
        self.name = name
        self.topic = topic
        self.partitions = partitions
        self.one_by_one = one_by_one
        self.sent = 0
        self.acknowledged = 0
        self.settled = 0
        self.wanted = 0
        self.every = 0.0
        self.latencies = []
        self.failures = []
        self.producer = Producer({"client.id": name, "error_cb": told(name), **settings}, logger=LOG)

    def delivered(self, error, message):
        self.settled += 1
        if error is not None:
            self.failures.append(f"{message.value().decode()}: {error}")
            return
        self.acknowledged += 1
        self.latencies.append(round(message.latency() * 1000, 2))

    @property
    def waits(self):
        return self.one_by_one and self.settled < self.sent

    def send(self):
        value = f"{self.name} {self.sent}".encode()
        where = {"partition": self.sent % self.partitions} if self.partitions else {}
        self.sent += 1
        self.producer.produce(self.topic, value=value, on_delivery=self.delivered, **where)


class Senders:
    """All producers of this process: one thread sends what is due, one polls."""

    def __init__(self):
        self.all = {}
        self.due = []
        self.lock = threading.Condition()
        for work in (self.pace, self.poll):
            threading.Thread(target=work, daemon=True).start()

    def open(self, bootstrap, clients, settings, partitions=0, oneByOne=False):
        for client in clients:
            name = client["name"]
            whole = {"bootstrap.servers": bootstrap, **settings}
            self.all[name] = Sender(name, client["topic"], partitions, oneByOne, whole)
        return {}

    def start(self, everyMs, messages, spreadMs, clients=None):
        now = time.monotonic()
        senders = [self.all[name] for name in clients or self.all]
        with self.lock:
            for index, sender in enumerate(senders):
                sender.wanted = sender.sent + messages if messages > 0 else None
                sender.every = everyMs / 1000
                heapq.heappush(self.due, (now + spreadMs / 1000 * index / len(senders), id(sender), sender))
            self.lock.notify()
        return {}

    def pace(self):
        while True:
            with self.lock:
                while not self.due or self.due[0][0] > time.monotonic():
                    self.lock.wait(self.due[0][0] - time.monotonic() if self.due else None)
                when, _, sender = heapq.heappop(self.due)
                if sender.wanted is not None and sender.sent >= sender.wanted:
                    continue
                if sender.waits:
                    heapq.heappush(self.due, (time.monotonic() + RECHECK_SECONDS, id(sender), sender))
                    continue
                sender.send()
                heapq.heappush(self.due, (when + sender.every, id(sender), sender))

    def poll(self):
        while True:
            for sender in list(self.all.values()):
                sender.producer.poll(0)
            time.sleep(0.02)

    def finish(self, stop, withinMs):
        deadline = time.monotonic() + withinMs / 1000
        senders = list(self.all.values())
        if stop:
            with self.lock:
                for sender in senders:
                    sender.wanted = sender.sent
        while any(s.wanted is None or s.sent < s.wanted or s.settled < s.sent for s in senders):
            if time.monotonic() > deadline:
                owing = [f"{s.name} {s.settled}/{s.sent}" for s in senders if s.settled < s.sent]
                raise TimeoutError(f"not delivered within {withinMs} ms: {', '.join(owing) or 'never stopped'}")
            time.sleep(0.005)
        report = {
            "clients": {s.name: {"sent": s.sent, "acknowledged": s.acknowledged} for s in senders},
            "failures": [failure for s in senders for failure in s.failures],
            "latencies": [latency for s in senders for latency in s.latencies],
        }
        for sender in senders:
            sender.latencies = []
            sender.failures = []
        return report

    def close(self):
        self.all.clear()
        return {}


class Member:
    """A consumer that belongs to a group and commits what it has processed before it gives a partition up."""

    def __init__(self, name, topics, settings):
        self.name = name
        self.records = {}
        self.assigned = []
        self.processed = {}
        self.leaving = threading.Event()
        self.consumer = Consumer({"client.id": name, "error_cb": told(name), **settings}, logger=LOG)
        self.consumer.subscribe(topics, on_assign=self.taken, on_revoke=self.given_up, on_lost=self.lost)
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def taken(self, _, partitions):
        self.assigned += [f"{p.topic}-{p.partition}" for p in partitions]

    def given_up(self, consumer, partitions):
        self.commit()
        self.lost(consumer, partitions)

    def lost(self, _, partitions):
        gone = {f"{p.topic}-{p.partition}" for p in partitions}
        self.assigned = [name for name in self.assigned if name not in gone]
        self.processed = {key: m for key, m in self.processed.items() if key not in gone}

    def commit(self):
        try:
            for message in self.processed.values():
                self.consumer.commit(message=message, asynchronous=False)
            self.processed = {}
        except KafkaException as error:
            LOG.info("%s: commit to be repeated: %s", self.name, error)

    def work(self):
        last = time.monotonic()
        while not self.leaving.is_set():
            message = self.consumer.poll(0.1)
            if message is not None and message.error() is None:
                key = f"{message.topic()}-{message.partition()}"
                self.records.setdefault(key, []).append(message.offset())
                self.processed[key] = message
            elif message is not None:
                LOG.error("%s: %s", self.name, message.error())
            if self.processed and time.monotonic() - last > 0.5:
                last = time.monotonic()
                self.commit()
        self.commit()
        self.consumer.close()
        self.assigned = []


class Members:
    def __init__(self):
        self.all = {}

    def consume(self, bootstrap, group, members, topics, settings):
        for name in members:
            base = {
                "bootstrap.servers": bootstrap,
                "group.id": group,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
            self.all[name] = Member(name, topics, {**base, **settings})
        return {}

    def received(self):
        return {
            name: {"assigned": list(m.assigned), "records": {k: list(v) for k, v in m.records.items()}}
            for name, m in list(self.all.items())
        }

    def leave(self, members):
        for name in members:
            self.all[name].leaving.set()
        for name in members:
            self.all[name].thread.join(20)
            if self.all[name].thread.is_alive():
                raise TimeoutError(f"{name} does not leave")
        return {}


def transact(bootstrap, name, topic, rounds, size, settings):
    """Every other transaction is aborted. Returns what was committed and what was aborted."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "client.id": name, "transactional.id": name, **settings}, logger=LOG
    )
    producer.init_transactions(30)
    outcome = {"committed": [], "aborted": []}
    number = 0
    for turn in range(rounds):
        producer.begin_transaction()
        values = [f"{name} {number + i}" for i in range(size)]
        number += size
        for value in values:
            producer.produce(topic, value=value.encode())
        producer.flush(30)
        if turn % 2 == 0:
            producer.commit_transaction(30)
            outcome["committed"] += values
        else:
            producer.abort_transaction(30)
            outcome["aborted"] += values
    return outcome


SENDERS = Senders()
MEMBERS = Members()
OPERATIONS = {
    "open": SENDERS.open,
    "start": SENDERS.start,
    "finish": SENDERS.finish,
    "close": SENDERS.close,
    "consume": MEMBERS.consume,
    "received": MEMBERS.received,
    "leave": MEMBERS.leave,
    "transact": transact,
}


def serve(request):
    try:
        arguments = {key: value for key, value in request.items() if key not in ("id", "op")}
        answer({"id": request["id"], "result": OPERATIONS[request["op"]](**arguments)})
    except Exception as error:  # whatever it is, the test must hear of it
        answer({"id": request["id"], "error": f"{type(error).__name__}: {error}"})


for line in sys.stdin:
    threading.Thread(target=serve, args=(json.loads(line),), daemon=True).start()
