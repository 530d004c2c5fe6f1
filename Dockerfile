# One image for all processes; docker-compose.yml says which of them a container runs. The sources run as they are. Node
# strips their types only outside node_modules, so the repository is copied as a whole.
FROM node:26.10.0-bookworm-slim

WORKDIR /app
COPY . .
RUN npx --yes pnpm@12.21.0 install --frozen-lockfile --prod && rm -rf /root/.npm /root/.cache /root/.local

# DATA_DIR holds the spool: what could not be written to the database yet. Give it a volume that outlives the container.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node

ENV NODE_ENV=production NODE_COMPILE_CACHE=/tmp/compile-cache DATA_DIR=/data
STOPSIGNAL SIGTERM
CMD ["node", "apps/worker/src/main.ts"]
