#!/bin/sh
# Installs what the project needs into the checkout, from its lock files, and only what has changed since last time.
set -eu
cd "$(dirname "$0")/.."

UV_VERSION=0.13.9
NODE_MAJOR_MIN=20

fail() {
    echo "setup: $1" >&2
    exit 1
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    found=$(python3 --version 2>/dev/null || echo "no python3")
    fail "Python 3.11 or newer is needed, found $found; install it (Debian 12: apt install python3 python3-venv; \
macOS: brew install python@3.13), or name it: make PYTHON=/path/to/python3.12"
}

check_node() {
    command -v node >/dev/null 2>&1 || fail "Node.js $NODE_MAJOR_MIN or newer is needed, found none; \
install it from https://nodejs.org or with your system's packages (apt install nodejs npm; brew install node)"
    version=$(node --version)
    major=${version#v}
    major=${major%%.*}
    case $major in
        '' | *[!0-9]*) fail "node --version answered '$version', which is no version; install Node.js $NODE_MAJOR_MIN or newer" ;;
    esac
    [ "$major" -ge "$NODE_MAJOR_MIN" ] || fail "Node.js $NODE_MAJOR_MIN or newer is needed, found $version; \
install it from https://nodejs.org or with your system's packages"
    command -v npm >/dev/null 2>&1 || fail "npm is needed and comes with Node.js; install it (apt install npm)"
}

uv_reads_lock() {
    uv --version 2>/dev/null | grep -Eq '^uv (0\.(9|[1-9][0-9])|[1-9])'
}

# uv from PATH when it is new enough to read the lock file, else this version from pip, inside the environment.
sync_with_uv() {
    unset VIRTUAL_ENV
    export UV_PROJECT_ENVIRONMENT=.venv
    if uv_reads_lock; then
        uv sync --frozen --quiet --python "$python"
        return
    fi
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear .venv || fail "python3 -m venv failed; on Debian: apt install python3-venv"
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION" ||
        fail "uv $UV_VERSION could not be installed with pip; check the network and pip's index settings"
    .venv/bin/uv sync --frozen --inexact --quiet --python .venv/bin/python
}

python_packages() {
    if .venv/bin/python -c '' 2>/dev/null && cmp -s uv.lock .venv/installed.lock &&
        cmp -s pyproject.toml .venv/installed.toml; then
        return
    fi
    echo "setup: Python packages into .venv" >&2
    rm -f .venv/installed.lock
    sync_with_uv >&2 || fail "the Python packages could not be installed; see the message above"
    cp pyproject.toml .venv/installed.toml
    cp uv.lock .venv/installed.lock
}

node_packages() {
    if [ ! -f "$1/package-lock.json" ] || cmp -s "$1/package-lock.json" "$1/node_modules/installed.lock"; then
        return
    fi
    echo "setup: npm packages into $1" >&2
    (cd "$1" && npm ci --no-audit --no-fund --loglevel=error >&2) || fail "npm ci failed in $1; see the message above"
    cp "$1/package-lock.json" "$1/node_modules/installed.lock"
}

python=$(find_python)
check_node
python_packages
node_packages hardhat-free-devnet
node_packages graphql_api/graphiql
