#!/bin/sh
# The first process of a Linux that has cgroup v2 alone, on the files of this machine: has processes of a driver's pod
# killed because memory ran out, and writes into the directory SAID what LIVENESSPROBE says meanwhile.
# For one Probe, DRIVER takes more memory than its container has.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /mnt

# As a kubelet does, with cgroupDriver: cgroupfs.
pod=/sys/fs/cgroup
for name in kubepods burstable pod8f3a7c52-1b2d-4e5f-9a0b-c1d2e3f40516; do
  echo +memory >$pod/cgroup.subtree_control
  pod=$pod/$name
  mkdir $pod
done
echo +memory >$pod/cgroup.subtree_control

in_container() { sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$container" "$@"; }

# start_container DIGIT: its id is 64 of them.
start_container() {
  container=$pod/$(printf "$1%.0s" $(seq 64))
  mkdir "$container"
  echo 64M >"$container/memory.max"
  rm -f /mnt/csi.sock
  in_container "${DRIVER:?}" --endpoint=unix:///mnt/csi.sock --leak-mib=64 >/dev/null &
  driver=$!
  until [ -S /mnt/csi.sock ]; do sleep 0.1; done
}

start_container a
in_container sh -c 'echo 1000 >/proc/self/oom_score_adj && exec tail /dev/zero'
"$LIVENESSPROBE" inspect /mnt/csi.sock >"$SAID/after-child" 2>&1
wait $driver
rmdir "$container"
start_container b
"$LIVENESSPROBE" inspect /mnt/csi.sock >"$SAID/after-driver" 2>&1

echo o >/proc/sysrq-trigger
sleep 60
