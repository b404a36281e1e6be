# What leakrig's container sandbox needs from the system, and no more. No source is copied in: the project is
# mounted read-only at start, so that a change needs no rebuild.
#
# The base needs Debian's apt and Node 24 on the PATH. Where no registry can be reached, `npm run base-image`
# makes one: docker build --build-arg BASE=leakrig-base:bookworm .
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS sandbox
ENV LANG=C.UTF-8
RUN apt-get update \
 && apt-get install -y --no-install-recommends procps tini tmux \
 && rm -rf /var/lib/apt/lists/* \
 && if ! id 1000 >/dev/null 2>&1; then useradd --uid 1000 --create-home agent; fi
USER 1000
# Orphans go to process 1, and it collects them.
ENTRYPOINT ["tini", "--"]
CMD ["bash"]

# What other people's orchestrators commonly need. Derive from it to put your own inside.
FROM sandbox AS orchestrator
USER root
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git jq python3 \
 && rm -rf /var/lib/apt/lists/*
USER 1000
