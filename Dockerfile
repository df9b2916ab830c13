# The image carries what runs and nothing else: dist/, the packages that it imports, and Node.
#
#   docker build -t slackwater .
#   docker run --rm --network host -v "$PWD/config.yaml:/etc/slackwater/config.yaml:ro" slackwater

# The base must have glibc, and not musl, for the two MALLOC_ variables below to mean anything.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
# The npm package `node` is for checkouts only and goes with the other devDependencies: here Node is the image's own.
# kafkajs is an optional dependency and stays, so that `docker run slackwater demo` works.
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="slackwater" \
      org.opencontainers.image.description="A sidecar that shares and reaps idle broker connections" \
      org.opencontainers.image.licenses="Apache-2.0"

# glibc gives freed memory back to the kernel and faults it in again with the next large read: twice the CPU in bulk.
# The variables must be set before Node starts. Without them `slackwater run` would start itself a second time.
ENV NODE_ENV=production \
    MALLOC_TRIM_THRESHOLD_=1000000000 \
    MALLOC_TOP_PAD_=16777216

WORKDIR /app
COPY LICENSE ./
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN ln -s /app/dist/main.js /usr/local/bin/slackwater

# By number, so that Kubernetes can tell that it is not root. Nothing is ever written but a stateFile, if a route has one: the
# root file system may be read-only.
USER 65532:65532

# A route's port is what its `listen` says; 9092 is the example's. The admin listener stays on loopback.
EXPOSE 9092 9902

STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9902/livez', { signal: AbortSignal.timeout(4000) }).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

# Other commands take the place of `run`: `docker run slackwater schema`, `docker exec CONTAINER slackwater status`.
ENTRYPOINT ["slackwater"]
CMD ["run", "-c", "/etc/slackwater/config.yaml"]
