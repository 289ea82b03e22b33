#!/usr/bin/env bash
# Becomes the first process of a machine within this one: new namespaces, the root as an overlay that is gone afterwards, systemd, and one unit that runs
# scenarios.sh. Called by run.sh in the new namespaces.
set -euo pipefail
here="$1" binary="$2" packaging="$3" results="$4"
mount --make-rprivate /
root="$(mktemp -d)"
mount -t tmpfs none "$root"
mkdir "$root/upper" "$root/work" "$root/m"
mount -t overlay overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" "$root/m"
m="$root/m"
mount -t proc proc "$m/proc"
mount --rbind /dev "$m/dev"
# systemd talks to its console only.
[ -e "$m/dev/console" ] || mknod "$m/dev/console" c 5 1
mount --bind "$(tty)" "$m/dev/console"
mount -t sysfs sysfs "$m/sys"
mount -t tmpfs -o mode=755 none "$m/sys/fs/cgroup"
if mount -t cgroup -o none,name=systemd cgroup "$m/sys/fs/cgroup" 2>/dev/null; then
  umount "$m/sys/fs/cgroup"
  mkdir "$m/sys/fs/cgroup/systemd" "$m/sys/fs/cgroup/unified"
  mount -t cgroup -o none,name=systemd cgroup "$m/sys/fs/cgroup/systemd"
  mount -t cgroup2 cgroup2 "$m/sys/fs/cgroup/unified" || true
else
  mount -t cgroup2 cgroup2 "$m/sys/fs/cgroup"
fi
for folder in run tmp var/lib; do
  mkdir -p "$m/$folder"
  mount -t tmpfs -o mode=1777 none "$m/$folder"
done
chmod 755 "$m/run" "$m/var/lib"
ip link set lo up

# Nothing of the machine around it is started: only the broker's unit, as it is shipped, and the scenarios.
rm -rf "$m/etc/systemd/system" "$m/etc/edgebroker"
mkdir -p "$m/etc/systemd/system" "$m/etc/edgebroker" "$m/opt/results"
cp "$binary" "$m/usr/bin/edgebroker"
cp "$packaging/edgebroker.service" "$m/etc/systemd/system/"
mkdir -p "$m/usr/lib/sysusers.d"
cp "$packaging/edgebroker.sysusers" "$m/usr/lib/sysusers.d/edgebroker.conf"
cp "$here/scenarios.sh" "$here/past.so" "$m/opt/"
mount --bind "$results" "$m/opt/results"
cat > "$m/etc/systemd/system/scenarios.service" <<'UNIT'
[Unit]
Description=scenarios
[Service]
Type=oneshot
ExecStart=/bin/bash /opt/scenarios.sh
StandardOutput=file:/opt/results/log
StandardError=inherit
UNIT
printf '[Unit]\nDescription=test\nAllowIsolate=yes\nWants=scenarios.service\n' > "$m/etc/systemd/system/test.target"
ln -s test.target "$m/etc/systemd/system/default.target"
exec chroot "$m" env -i container=test "PATH=$PATH" /lib/systemd/systemd --system --log-target=console --log-level=info --show-status=no
