# One image for every command: `docker run IMAGE worker`, `docker run IMAGE topics check`, …

FROM python:3.11.15-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements.txt .
# Every version is pinned by requirements.txt, which holds the tools of development too: hence it
# is read as constraints.
RUN pip install --constraint requirements.txt setuptools \
    && python -m venv /opt/driftline

COPY pyproject.toml README.md LICENSE ./
COPY monitoring monitoring
COPY models models
COPY streams streams
RUN pip wheel --no-deps --no-build-isolation --wheel-dir wheels .
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/driftline/bin/pip install --only-binary :all: --constraint requirements.txt \
        "$(echo wheels/driftline-*.whl)[parquet,object-storage]"

# Kernels for any processor of the architecture, no slower than for the one at hand: those of
# another processor would be compiled anew at every start, half a minute.
ENV NUMBA_CPU_NAME=generic
RUN cd / && /opt/driftline/bin/python -m models.warm


FROM python:3.11.15-slim-bookworm
RUN useradd --system --uid 10001 --user-group --home-dir /nonexistent --no-create-home \
        --shell /usr/sbin/nologin driftline \
    && install --directory --owner driftline --group driftline /var/lib/driftline
COPY --from=build /opt/driftline /opt/driftline

# The root file system may be read-only: what is written goes to /tmp and to the volume. Numba uses
# no folder that it cannot write to, so the kernels are copied to the one named here.
ENV PATH=/opt/driftline/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    NUMBA_CPU_NAME=generic \
    NUMBA_CACHE_DIR=/tmp/driftline-kernels \
    DRIFTLINE_WORKER_SNAPSHOT_FOLDER=/var/lib/driftline/snapshots \
    DRIFTLINE_MONITORING_HOST=0.0.0.0 \
    DRIFTLINE_MONITORING_PORT=9108

USER driftline
WORKDIR /var/lib/driftline
VOLUME /var/lib/driftline

# Of a worker, the only command that runs on; the loop ticks while partitions are restored, too.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "monitoring.probe", "http://127.0.0.1:9108/healthz"]

# The exec form: SIGTERM reaches Python, not a shell.
STOPSIGNAL SIGTERM
ENTRYPOINT ["driftline"]
CMD ["worker"]
