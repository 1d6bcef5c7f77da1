# Postern from a checkout: `.ts` runs as it is, only the console is built.
FROM node:26-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN node_modules/.bin/vite build web && npm prune --omit=dev --ignore-scripts

FROM node:26-bookworm-slim
WORKDIR /app
COPY --from=build --chown=root:root /app /app
USER node
ENTRYPOINT ["node", "/app/src/main.ts"]
CMD ["--help"]
