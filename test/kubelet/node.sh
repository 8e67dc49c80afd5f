#!/usr/bin/env bash
# node.sh DIRECTORY CGROUP CNI: a Kubernetes node in mount, network and PID namespaces of its own, until standard input
# ends. Then all of it ends, however the caller ended, and the cgroups and the directory are removed. It says `started` and
# its first process when the kubelet was started, and `ended` at its end.
# DIRECTORY/images has docker archives and archives of OCI layouts; DIRECTORY/log gets the log of each program.
# PATH has containerd, ctr, runc, etcd, kube-apiserver, kubelet and kubectl; CNI is the folder of the CNI plugins.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
inner=${NODE_SH_INNER:-}
directory=$1 cgroup=$2 cni=$3

# The folders of the node's cgroup: one for each hierarchy of cgroup v1, or the one of cgroup v2.
cgroups() {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo "/sys/fs/cgroup/$cgroup"; else
    for hierarchy in /sys/fs/cgroup/*/; do [ -L "${hierarchy%/}" ] || echo "$hierarchy$cgroup"; done
  fi
}

outer() {
  local folders folder status=0
  # The pipe's end does not tell the caller: another process of the caller's shell has it open.
  trap 'echo ended' EXIT
  folders=$(cgroups)
  for folder in $folders; do mkdir -p "$folder"; done
  if [ -d "/sys/fs/cgroup/cpuset/$cgroup" ]; then
    for file in cpuset.cpus cpuset.mems; do cat "/sys/fs/cgroup/cpuset/$file" >"/sys/fs/cgroup/cpuset/$cgroup/$file"; done
  fi
  NODE_SH_INNER=1 unshare --mount --net --pid --fork --kill-child "$0" "$@" || status=$?
  # The last processes of the PID namespace may still be in their cgroups.
  for _ in $(seq 100); do
    for folder in $folders; do find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null || true; done
    # shellcheck disable=SC2086
    ls -d $folders >/dev/null 2>&1 || break
    sleep 0.1
  done
  rm -rf --one-file-system "$directory"
  exit "$status"
}

start() { "$@" >"$directory/log/$(basename "$1").log" 2>&1 </dev/null & }

# until_done COMMAND: until it succeeds, for at most a minute.
until_done() {
  for _ in $(seq 600); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.1; done
  echo "node.sh: in vain for a minute: $*" >&2
  exit 1
}

network() {
  ip link set lo up
  # An empty bridge is the node's interface: not every kernel has the type "dummy".
  ip link add node0 type bridge
  ip address add 10.77.0.1/24 dev node0
  ip link set node0 up
  ip route add default via 10.77.0.1 dev node0
}

# kubelet and containerd have these paths built in.
directories() {
  mkdir -p "$directory"/{log,var-lib,var-log}
  mount --bind "$directory/var-lib" /var/lib
  mount --bind "$directory/var-log" /var/log
  mount -t tmpfs tmpfs /run
  mount --make-rshared /
  mkdir -p /run/cni/bin
  mount --bind "$cni" /run/cni/bin
  cp "$here/etc/network.conflist" /run/cni/
}

control_plane() {
  start etcd --data-dir=/run/etcd --listen-client-urls=http://127.0.0.1:2379 --unsafe-no-fsync \
    --advertise-client-urls=http://127.0.0.1:2379 --listen-peer-urls=http://127.0.0.1:2380
  openssl genrsa -out /run/service-accounts.key 2>/dev/null
  echo 'token,admin,1,system:masters' >/run/tokens.csv
  start kube-apiserver --etcd-servers=http://127.0.0.1:2379 --bind-address=10.77.0.1 --cert-dir=/run/kube-apiserver \
    --service-cluster-ip-range=10.96.0.0/24 --service-account-issuer=https://node \
    --service-account-key-file=/run/service-accounts.key --service-account-signing-key-file=/run/service-accounts.key \
    --authorization-mode=AlwaysAllow --token-auth-file=/run/tokens.csv --disable-admission-plugins=ServiceAccount \
    --allow-privileged --kubelet-preferred-address-types=InternalIP
}

images() {
  local archive name
  until_done ctr version
  for archive in "$directory"/images/*.tar; do
    ctr --namespace k8s.io images import --base-name "registry.example/$(basename "$archive" .tar)" "$archive" >/dev/null
  done
  # Variants are published as tags of one repository.
  for name in $(ctr --namespace k8s.io images list --quiet | grep -e -nonroot:); do
    ctr --namespace k8s.io images tag "$name" "${name/-nonroot/}-nonroot" >/dev/null
  done
}

inner() {
  local first
  # In /proc of this machine still.
  read -r first _ </proc/self/stat
  mount -t proc proc /proc
  network
  directories
  control_plane
  start containerd --config "$here/etc/containerd.toml"
  images
  until_done kubectl --kubeconfig "$here/etc/kubeconfig.yaml" get --raw /readyz
  # A request to it costs less than a start of kubectl.
  start kubectl --kubeconfig "$here/etc/kubeconfig.yaml" proxy --unix-socket="$directory/api.sock"
  # Without --node-ip the kubelet asks DNS for its own name, and waits 10 s for each pod.
  start kubelet --config="$here/etc/kubelet.yaml" --kubeconfig="$here/etc/kubeconfig.yaml" --cgroup-root="/$cgroup" \
    --hostname-override=node --node-ip=10.77.0.1 --cert-dir=/run/kubelet --v=2
  echo "started $first"
  cat >/dev/null
}

if [ -n "$inner" ]; then inner; else outer "$@"; fi
