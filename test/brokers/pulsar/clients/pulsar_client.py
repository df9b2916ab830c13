"""
The C++ client, through pulsar-client, behind the JSON lines that pulsar-driver.ts describes: many clients in one
process, each with connections of its own.
"""
import heapq
import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pulsar

from tour import TOUR

# The client logs to the standard output, which is for answers: they get a descriptor of their own.
OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
ANSWERS = threading.Lock()
SEND_SECONDS = 60


def answer(reply):
    with ANSWERS:
        OUT.write(json.dumps(reply, separators=(",", ":")) + "\n")
        OUT.flush()


def say(level, text):
    sys.stderr.write(f"{level} {text}\n")
    sys.stderr.flush()


def client_of(url, level=pulsar.LoggerLevel.Info, token=None):
    """`token`: it, or a function that answers it."""
    shown = {} if token is None else {"authentication": pulsar.AuthenticationToken(token)}
    return pulsar.Client(url, operation_timeout_seconds=30, logger=pulsar.ConsoleLogger(level), **shown)


def content_of(path):
    with open(path, encoding="ascii") as file:
        return file.read()


class Sender:
    """A producer that sends numbered messages at its own pace."""

    def __init__(self, client, name, topic, settings):
        self.name = name
        self.sent = 0
        self.acknowledged = 0
        self.settled = 0
        self.wanted = 0
        self.every = 0.0
        self.latencies = []
        self.failures = []
        self.sequences = []
        options = dict(settings)
        self.padding = b" " * options.pop("padding", 0)
        self.sequenced = options.pop("sequenced", False)
        if options.pop("named", False):
            options["producer_name"] = name
        self.producer = client.create_producer(topic, send_timeout_millis=SEND_SECONDS * 1000, **options)

    def send(self):
        number = self.sent
        self.sent += 1
        begun = time.monotonic()
        value = self.padding + f"{self.name} {number}".encode()
        sequence = {"sequence_id": number} if self.sequenced else {}

        def done(result, _):
            self.settled += 1
            if result == pulsar.Result.Ok:
                self.acknowledged += 1
                self.latencies.append(round((time.monotonic() - begun) * 1000, 2))
            else:
                self.failures.append(f"{self.name} {number}: {result}")
                say("ERROR", f"{self.name}: told {result}")

        self.producer.send_async(value, done, **sequence)


class Senders:
    """All producers of this process: one thread sends what is due."""

    def __init__(self):
        self.all = {}
        self.clients = []
        self.due = []
        self.lock = threading.Condition()
        threading.Thread(target=self.pace, daemon=True).start()

    def open(self, url, clients, settings, tokenFile=None):
        token = None if tokenFile is None else lambda: content_of(tokenFile)
        for client in clients:
            opened = client_of(url, token=token)
            self.clients.append(opened)
            for producer in client["producers"]:
                name = producer["name"]
                self.all[name] = Sender(opened, name, producer["topic"], settings)
        return {}

    def start(self, everyMs, messages, spreadMs):
        now = time.monotonic()
        senders = list(self.all.values())
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
                heapq.heappush(self.due, (when + sender.every, id(sender), sender))
            # Out of the lock: a send may block while its queue is full.
            sender.send()

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
            "sequences": {s.name: s.producer.last_sequence_id() for s in senders},
            "failures": [failure for s in senders for failure in s.failures],
            "latencies": [latency for s in senders for latency in s.latencies],
        }
        for sender in senders:
            sender.latencies = []
            sender.failures = []
        return report

    def close(self):
        for client in self.clients:
            client.close()
        self.all.clear()
        self.clients.clear()
        return {}


def partitions_of(client, topic):
    return client.get_topic_partitions(topic)


def read(url, topics, token=None):
    """What every topic holds, partition by partition, in order."""
    client = client_of(url, pulsar.LoggerLevel.Error, token)
    try:
        held = {}
        for topic in topics:
            for partition in partitions_of(client, topic):
                reader = client.create_reader(partition, pulsar.MessageId.earliest)
                values = held.setdefault(partition.removeprefix("persistent://"), [])
                while reader.has_message_available():
                    values.append(reader.read_next(10_000).data().decode().strip())
                reader.close()
        return held
    finally:
        client.close()


def visit(url, name, topic):
    client = client_of(url)
    try:
        return TOUR[name](client, topic)
    except Exception as error:
        say("ERROR", f"{name}: {type(error).__name__}: {error}")
        return f"{type(error).__name__}: {error}"
    finally:
        client.close()


def tour(url, prefix, only=None):
    """Everything that a client can do, see tour.py, all at once, each with a client of its own."""
    names = [name for name in TOUR if only is None or name in only]
    with ThreadPoolExecutor(len(names)) as pool:
        return dict(zip(names, pool.map(lambda name: visit(url, name, f"{prefix}-{name}"), names)))


SENDERS = Senders()
OPERATIONS = {
    "open": SENDERS.open,
    "start": SENDERS.start,
    "finish": SENDERS.finish,
    "close": SENDERS.close,
    "read": read,
    "tour": tour,
}


def serve(request):
    reply = {"id": request.pop("id")}
    try:
        reply["result"] = OPERATIONS[request.pop("op")](**request)
    except Exception as error:
        reply["error"] = f"{type(error).__name__}: {error}"
    answer(reply)


def main():
    for line in sys.stdin:
        threading.Thread(target=serve, args=(json.loads(line),), daemon=True).start()
    # Whoever is gone wants no goodbye from what it left open.
    os._exit(0)


main()
