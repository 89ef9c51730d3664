#!/usr/bin/env bash
# Makes sure of the system programs that a task needs: packages.sh GROUP [PACKAGE...]
#
# Groups: build, test, bench, fuzz, or "exactly" with names of packages. Nothing happens when all is
# there. What is missing is installed through apt as root or by passwordless sudo; else one line to run is
# printed and the task fails, so that no test is skipped for want of a program.
set -euo pipefail

PATH="$PATH:/usr/sbin:/sbin"
missing=()
services=(nginx haproxy redis-server)

need() { # PROGRAM PACKAGE
    command -v "$1" >/dev/null || missing+=("$2")
}

need_build() {
    need gcc gcc
    # gcc without the C library's headers is a usual half-installed state.
    if ! command -v gcc >/dev/null || ! echo '#include <stdlib.h>' | gcc -E - >/dev/null 2>&1; then
        missing+=(libc6-dev)
    fi
}

need_test() {
    need curl curl
    need socat socat
    need nginx nginx-light
    need redis-server redis-server
    need redis-cli redis-tools
    need openssl openssl
    need node nodejs
    need wrk wrk
    need ab apache2-utils
}

need_bench() {
    need_build
    need wrk wrk
    need haproxy haproxy
    need nginx nginx-light
    # The loads that speak TLS are linked with the system's libssl.
    if ! echo '#include <openssl/ssl.h>' | gcc -E - >/dev/null 2>&1; then
        missing+=(libssl-dev)
    fi
    # On Debian the stream module, which relays TCP, is a package of its own; elsewhere it may be built in.
    if ! compgen -G '/usr/lib/nginx/modules/ngx_stream_module.so' >/dev/null \
        && ! nginx -V 2>&1 | grep -q -- '--with-stream\b\( \|$\)'; then
        missing+=(libnginx-mod-stream)
    fi
}

need_fuzz() {
    local runtime
    need clang clang
    runtime=$(clang --print-runtime-dir 2>/dev/null || true)
    if ! compgen -G "$runtime/libclang_rt.fuzzer_no_main*.a" >/dev/null; then
        missing+=("$(clang_runtime_package)")
    fi
}

clang_runtime_package() {
    local major
    major=$(clang -dumpversion 2>/dev/null | cut -d. -f1 || true)
    echo "libclang-rt-${major:+$major-}dev"
}

# Keeps the daemons that a package would start from starting: this is a developer's machine, and the tests
# start private copies. Only units that are not there yet are held back, so a service in use is left alone.
hold_services() {
    held=()
    [[ -d /run/systemd/system ]] || return 0
    local unit
    for unit in "${services[@]}"; do
        systemctl cat "$unit.service" >/dev/null 2>&1 || held+=("$unit.service")
    done
    ((${#held[@]} == 0)) || "${as_root[@]}" systemctl --quiet --runtime mask "${held[@]}"
}

release_services() {
    local unit
    for unit in "${held[@]}"; do
        "${as_root[@]}" systemctl --quiet --runtime unmask "$unit" || true
        if systemctl cat "$unit" >/dev/null 2>&1; then
            "${as_root[@]}" systemctl --quiet disable "$unit" 2>/dev/null || true
        fi
    done
}

apt_get() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "$@" </dev/null
}

install_missing() {
    local line="apt-get install -y --no-install-recommends ${missing[*]}"
    if ! command -v apt-get >/dev/null; then
        echo "hopmesh: needed and not found, by their Debian names: ${missing[*]}" >&2
        exit 1
    elif ((EUID == 0)); then
        as_root=(env)
    elif sudo -n true 2>/dev/null; then
        as_root=(sudo -n)
    else
        echo "hopmesh: some system packages are missing. Run this line, then try again:" >&2
        echo "    sudo apt-get update && sudo $line" >&2
        exit 1
    fi
    echo "hopmesh: $line"
    trap release_services EXIT
    hold_services
    if ! apt_get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1; then
        # Most often the package lists are absent or old.
        apt_get -qq update
        apt_get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
    fi
}

group=${1:?usage: packages.sh GROUP [PACKAGE...]}
if [[ $group == exactly ]]; then
    missing=("${@:2}")
else
    "need_$group"
fi
if ((${#missing[@]} > 0)); then
    install_missing
fi
