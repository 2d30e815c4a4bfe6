#!/bin/busybox sh
# Process 1 of the guest: lays the host's files under a layer that is thrown away, and goes over to them.
/bin/busybox --install -s /bin
. /settings # dir, modules, config: paths of the host

mount -t proc proc /proc
mount -t devtmpfs dev /dev
fail() {
  echo "init: $*"
  poweroff -f
}
for module in $(ls /modules); do insmod "/modules/$module" || fail "cannot load $module"; done
mount -t virtiofs host /host || fail 'the files of the host cannot be mounted'
mount -t tmpfs layer /layer
mkdir /layer/upper /layer/work
mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work overlay /new || fail 'no overlay'

cd /new
umount /proc
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --move /dev dev
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=755 run run
mkdir -p dev/pts dev/shm run/lock run/vm boot usr/lib/modules "/new$dir"
ln -sf /proc/self/fd dev/fd
for stream in 0:stdin 1:stdout 2:stderr; do ln -sf "/proc/self/fd/${stream%:*}" "dev/${stream#*:}"; done
mount -t devpts -o ptmxmode=666 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t bpf bpf sys/fs/bpf
mount -t debugfs debugfs sys/kernel/debug
mount -t tracefs tracefs sys/kernel/tracing
mount -t securityfs securityfs sys/kernel/security

mount --bind "/host$dir" "/new$dir" || fail "no $dir"
mount --bind "/host$modules" /new/usr/lib/modules || fail "no $modules"
cp "/host$config" "boot/config-$(uname -r)"
umount -l /host
cp /bin/busybox /main.sh /command.sh run/vm/
echo 0 >/new/proc/sys/kernel/kptr_restrict
ip link set lo up
hostname vm
exec switch_root /new /run/vm/busybox sh /run/vm/main.sh
