# The packages that leakrig's container sandbox needs. No source is copied in: the project is mounted read-only at start, so
# that a change needs no rebuild.
#
# The base needs Debian's apt and Node 24 on the PATH. Where no registry can be reached, `npm run base-image` makes a
# base: docker build --build-arg BASE=leakrig-base:bookworm .
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS sandbox
ENV LANG=C.UTF-8
RUN apt-get update \
 && apt-get install -y --no-install-recommends procps tini tmux \
 && rm -rf /var/lib/apt/lists/* \
 && if ! id 1000 >/dev/null 2>&1; then useradd --uid 1000 --create-home agent; fi
USER 1000
# tini is process 1: it adopts orphans and collects them.
ENTRYPOINT ["tini", "--"]
CMD ["bash"]

# Programs that orchestrators commonly need. Derive an image from this stage to add your own orchestrator.
FROM sandbox AS orchestrator
USER root
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git jq python3 \
 && rm -rf /var/lib/apt/lists/*
USER 1000
