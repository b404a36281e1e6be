# The system packages of leakrig's container sandbox. Contains no source: the rig copies its programs into an image of its
# own above this one, which takes a second.
#
# The base needs Debian's apt and Node 24 on the PATH. Without access to a registry, make one with
# `npm run base-image`, then: docker build --build-arg BASE=leakrig-base:bookworm .
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS sandbox
ENV LANG=C.UTF-8
RUN apt-get update \
 && apt-get install -y --no-install-recommends procps tini tmux \
 && rm -rf /var/lib/apt/lists/* \
 && if ! id 1000 >/dev/null 2>&1; then useradd --uid 1000 --create-home agent; fi
USER 1000
# The kernel reparents orphans to process 1. tini reaps them where the image is used by hand; in a sandbox the rig does.
ENTRYPOINT ["tini", "--"]
CMD ["bash"]

# Adds what orchestrators commonly need. Base your own image on it to test your orchestrator.
FROM sandbox AS orchestrator
USER root
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git jq python3 \
 && rm -rf /var/lib/apt/lists/*
USER 1000
