# One image for every process of Sojourn: the API, the workers, `sojourn`. docs/install.md says how it is run.

FROM python:3.11.15-slim-bookworm AS builder
ENV PYC_INVALIDATION_MODE=unchecked-hash \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
WORKDIR /app
# What is installed changes seldom: a layer of its own, from the lock file, without what only the local stack needs.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-default-groups --no-install-project
COPY README.md LICENSE alembic.ini ./
COPY cli.py clock.py collector.py faults.py keeper.py leaving.py observability.py probe.py secret_files.py settings.py worker.py worker_endpoint.py worker_parts.py ./
COPY activities activities
COPY api api
COPY channels channels
COPY console console
COPY domain domain
COPY ingest ingest
COPY migrations migrations
COPY models models
COPY rendering rendering
COPY services services
COPY store store
COPY telemetry telemetry
COPY workflows workflows
# Compiled here, because nothing is written where the image runs; the names of the project's files are not needed there.
RUN uv sync --frozen --no-default-groups \
    && python -m compileall -q --invalidation-mode unchecked-hash . \
    && rm pyproject.toml uv.lock README.md

FROM python:3.11.15-slim-bookworm
LABEL org.opencontainers.image.title="Sojourn" \
      org.opencontainers.image.description="Self-hosted customer engagement on PostgreSQL and Temporal" \
      org.opencontainers.image.version="0.1.0.dev0" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 sojourn \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin sojourn
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /app /app
WORKDIR /app
# Production refuses what only the local stack provides. A container listens on all its addresses: who may call is decided by
# what is published, and by networks.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SOJOURN_HOST=0.0.0.0 \
    SOJOURN_MODE=production
USER 10001:10001
EXPOSE 8010 8011 8020
# No HEALTHCHECK here, because the processes differ: `python probe.py http://127.0.0.1:8010/v1/health/ready` asks the API,
# `python probe.py http://127.0.0.1:8020/ready` a worker.
CMD ["python", "-m", "api.app"]
