# The package as it is published: packed from a checkout, then installed as anybody would.
FROM node:26-bookworm-slim AS pack
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN node tools/pack.ts /package

FROM node:26-bookworm-slim AS install
COPY --from=pack /package /package
# The image has a Node already, so the one that the package brings for other places stays out (--omit=optional).
RUN npm install --prefix /opt/postern --ignore-scripts --no-audit --no-fund --omit=optional /package/postern-*.tgz

FROM node:26-bookworm-slim
COPY --from=install /opt/postern /opt/postern
# Volumes mounted there take over owner and mode.
RUN ln -s /opt/postern/node_modules/.bin/postern /usr/local/bin/postern \
  && install -d -m 700 -o node -g node /data /enroll
# What is freed goes back to the system; otherwise glibc keeps 40 MB and more of it.
ENV MALLOC_TRIM_THRESHOLD_=1048576
USER node
WORKDIR /data
ENTRYPOINT ["postern"]
CMD ["--help"]
