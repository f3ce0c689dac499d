#!/usr/bin/env bash
# Take from a node what a machine loses when it boots: its processes, its
# network and mount namespaces, /run. Then up.sh builds them anew.
#   reboot.sh N        its kubelet waits as long as $STATE/nodeN/hold is there
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
. "$here/lib.sh"
i=$1 name=$(node_name "$1")
halt KILL 5 "kubelet$i" "kube-proxy$i" "containerd$i" "node$i"
# what is left: its shims and pods, and an agent on it
for _ in $(seq 1 50); do
  dirs=$(cgroups_of_lab | grep "/$name\$" || true)
  [ -n "$dirs" ] || break
  pids=$(find $dirs -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un | grep -v '^0$' || true)
  [ -z "$pids" ] || kill -9 $pids 2>/dev/null || true
  find $dirs -depth -type d -exec rmdir {} + 2>/dev/null || true
  [ -z "$pids" ] || sleep 0.05
done
# somebody may hold the namespace by a descriptor; its way out goes in any case
in_cp ip link del "node$i"
ip netns del "$name"
rm -rf "$STATE/node$i/run"
exec "$here/up.sh"
