# hopmesh in a container: docker build --tag hopmesh .
#
# The base is Debian with Python, in a small variant; PYTHON chooses its version (3.11 to 3.14).
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY pyproject.toml setup.py README.md LICENSE ./
COPY mesh_core mesh_core
COPY mesh_cp mesh_cp
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .
# A prefix of its own holds what the next stage takes: hopmesh and its dependencies.
RUN pip install --no-cache-dir --no-compile --prefix /install /wheels/*.whl

FROM python:${PYTHON}-slim-bookworm
RUN pip uninstall --yes pip \
    && groupadd --gid 1337 hopmesh \
    && useradd --uid 1337 --gid 1337 --no-create-home --shell /usr/sbin/nologin hopmesh
COPY --from=build /install /usr/local
# The root file system may be mounted read-only: nothing is written to it.
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
RUN python -m compileall -q /usr/local/lib/python3*/site-packages/ && hopmesh version
USER 1337:1337
# One listener and the admin endpoint, as examples/ have them; a port is what the configuration says.
EXPOSE 8080 9901
# SIGTERM drains: connections have drain_timeout_ms to end, so give `docker stop` at least that long.
STOPSIGNAL SIGTERM
ENTRYPOINT ["hopmesh"]
CMD ["proxy", "--config", "/etc/hopmesh/proxy.yaml"]
