#!/bin/sh
# An application that works now and then: one producer, open all the time, that sends three orders and is then quiet for
# two minutes. Kafka's console producer sends each line that it reads; while there is none it sits idle, as producers do.
set -eu

orders() {
  order=0
  while true; do
    for item in tea rope lantern; do
      order=$((order + 1))
      echo "order $order: $item"
    done
    sleep "${QUIET_SECONDS:-120}"
  done
}

orders | /opt/kafka/bin/kafka-console-producer.sh --bootstrap-server "${BOOTSTRAP:-127.0.0.1:9092}" --topic orders
