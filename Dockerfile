# syntax=docker/dockerfile:1
# The daemon. Nothing but wheels is installed, each checked against its hash; no compiler or package manager's build
# tools are in the final image. It runs with a read-only root file system: it writes to /var/lib/reconciler and /tmp only.
#
#   docker build -t reconciler .
#   docker compose -f deploy/compose.yaml up        with OPA beside it
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.run.lock requirements.build.lock ./
RUN python -m venv /venv/build \
    && /venv/build/bin/pip install --quiet --only-binary :all: --require-hashes -r requirements.build.lock \
    && python -m venv /venv/reconciler \
    && /venv/reconciler/bin/pip install --quiet --only-binary :all: --require-hashes -r requirements.run.lock
COPY pyproject.toml README.md LICENSE ./
COPY reconciler reconciler
COPY policies policies
COPY desired desired
RUN /venv/build/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /venv/reconciler/bin/pip install --quiet --no-deps --no-index /wheels/*.whl \
    && /venv/reconciler/bin/python -m compileall -q -f /venv/reconciler/lib \
    && /venv/reconciler/bin/pip uninstall --quiet --yes pip setuptools

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="Reconciler" \
      org.opencontainers.image.description="Keeps AWS in the state that approved plans describe, under policy" \
      org.opencontainers.image.licenses="Apache-2.0"
# git and ssh: for plans in a Git repository, and for the branches of staging and production.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 reconciler \
    && useradd --uid 10001 --gid reconciler --home-dir /var/lib/reconciler --create-home --shell /usr/sbin/nologin reconciler \
    && mkdir -p /etc/reconciler/desired /etc/reconciler/policies
COPY --from=build /venv/reconciler /venv/reconciler
# Inside a container only every interface can be published; publish it on the host's loopback.
ENV PATH=/venv/reconciler/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/var/lib/reconciler \
    RECONCILER_SOURCE__PATH=/etc/reconciler/desired \
    RECONCILER_POLICY__DIRECTORY=/etc/reconciler/policies \
    RECONCILER_STATE_DIR=/var/lib/reconciler/state \
    RECONCILER_HTTP__HOST=0.0.0.0 \
    RECONCILER_HTTP__PORT=9595 \
    RECONCILER_LOG__FORMAT=json
USER 10001:10001
WORKDIR /var/lib/reconciler
VOLUME ["/var/lib/reconciler"]
EXPOSE 9595
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9595/healthz', timeout=4)"]
ENTRYPOINT ["reconciler"]
CMD ["run"]
