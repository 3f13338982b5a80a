#!/usr/bin/env bash
# Start a cluster on a data directory of its own, run the example Pod in it, and wait for Ctrl-C.
# Usage: tools/run.sh [FLAGS OF podium up]        (make run UP='--port 7443 …')
set -euo pipefail
cd "$(dirname "$0")/.."
data=${PODIUM_DATA_DIR:-$PWD/.data}
podium="$PWD/.venv/bin/podium"
if kubectl version --client >/dev/null 2>&1; then kubectl=kubectl; else kubectl="$PWD/.venv/bin/kubectl"; fi
export KUBECONFIG="$data/kubeconfig"

bold='' dim='' plain=''
if [ -t 1 ]; then bold=$'\033[1m' dim=$'\033[2m' plain=$'\033[0m'; fi
step() { printf '%s▸ %s%s\n' "$dim" "$*" "$plain"; }
show() { printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"; "$@"; }

finish() {
  trap - EXIT INT TERM
  printf '\n'
  step "podium down"
  [ ! -e "$data" ] || "$podium" down --data-dir "$data" || true
  wait "$up" 2>/dev/null || true
}

step "podium up --data-dir $data${*:+ $*} (log: $data.log)"
mkdir -p "$(dirname "$data")"
"$podium" up --data-dir "$data" "$@" >"$data.out" 2>"$data.log" &
up=$!
trap finish EXIT
trap 'exit 0' INT TERM
seen=0
while [ "$seen" -lt 2 ]; do
  kill -0 "$up" 2>/dev/null || {
    cat "$data.out" "$data.log" >&2
    echo "make run UP='--flag value …' hands flags to podium up" >&2
    exit 1
  }
  lines=$(wc -l <"$data.out")
  if [ "$lines" -gt "$seen" ]; then
    seen=$((seen + 1))
    step "$(sed -n "${seen}p" "$data.out")"
  else
    sleep 0.05
  fi
done

step "making and loading the demo image localhost/kuard:demo"
"$PWD/.venv/bin/python" tools/demo_image.py "$data.image.tar"
"$podium" image load "$data.image.tar" --data-dir "$data"
rm -f "$data.image.tar"

show "$kubectl" apply -f examples/kuard-pod.yaml
show "$kubectl" wait --for=condition=Ready pod/kuard --timeout=60s
show "$kubectl" get pods -o wide
show "$kubectl" describe pod kuard

address=$("$kubectl" get pod kuard -o 'jsonpath={.status.podIP}')
cat <<TEXT

${bold}It runs. In another terminal:${plain}
  export KUBECONFIG=$KUBECONFIG
  $kubectl get pods
  $kubectl logs -f kuard
  $kubectl exec -it kuard -- sh
  wget -qO- http://$address:8080/        # the Pod answers on its own address
  $kubectl delete -f examples/kuard-pod.yaml

Ctrl-C here stops the cluster and removes what it made on this machine; objects and images stay in
$data for the next time.
TEXT
wait "$up"
