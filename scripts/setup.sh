#!/usr/bin/env bash
# Installs what a fresh Debian 12 lacks, asking nothing. What is there already is left alone, so a second run only looks.
#   scripts/setup.sh          everything the tests need
#   scripts/setup.sh build    only what building for this machine needs
#   scripts/setup.sh bench    that, and the broker to measure against
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scope="${1:-all}"
case "$scope" in
  all | build | bench) ;;
  *)
    echo "usage: scripts/setup.sh [all|build|bench]" >&2
    exit 64
    ;;
esac

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

missing=()

# need PACKAGE FILE...: the package is missing when none of the files exists.
need() {
  local package="$1" file
  shift
  for file in "$@"; do
    if [ -e "$file" ]; then return; fi
  done
  missing+=("$package")
}

# need_command PACKAGE COMMAND: the same, for a program wherever on the PATH it is.
need_command() {
  command -v "$2" >/dev/null || need "$1" "/usr/sbin/$2"
}

multiarch="$(uname -m)-linux-gnu"
need_command curl curl
need ca-certificates /etc/ssl/certs/ca-certificates.crt
need_command clang clang
need libc6-dev "/usr/lib/$multiarch/crt1.o"
need zlib1g-dev /usr/include/zlib.h
# The web console is bundled while building.
need_command nodejs node
need_command npm npm
if ! sdk_present; then
  need libicu72 "/usr/lib/$multiarch/libicuuc.so.72"
fi
if [ "$scope" != build ]; then
  need_command mosquitto mosquitto
fi
if [ "$scope" = all ]; then
  need_command gcc gcc
  need_command mosquitto-clients mosquitto_pub
  need python3 /usr/bin/python3
  need python3-paho-mqtt /usr/lib/python3/dist-packages/paho/mqtt/client.py
  need libpaho-mqtt-dev /usr/include/MQTTClient.h
  need libcoap3-bin /usr/bin/coap-client-notls
  need_command chromium chromium
  need fonts-dejavu-core /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
  if [ "$(host_rid)" = linux-x64 ]; then
    need_command gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc
    need libc6-dev-arm64-cross /usr/aarch64-linux-gnu/lib/crt1.o
    need_command qemu-user-static qemu-aarch64-static
  fi
fi

# While a package is being installed Debian asks this file whether its service may start; a broker of Debian's must not
# take port 1883. A policy of the machine's own is respected, and ours goes away with this script.
policy=/usr/sbin/policy-rc.d
policy_is_ours=false
remove_policy() {
  if "$policy_is_ours"; then as_root rm -f "$policy"; fi
}
trap remove_policy EXIT

if [ "${#missing[@]}" -gt 0 ]; then
  echo "installing: ${missing[*]}"
  if [ ! -e "$policy" ]; then
    policy_is_ours=true
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  fi
  as_root apt-get -q update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"
fi

# packages FOLDER: what npm brings, in the versions of the folder's lock file; npm notes what it installed in a file of that name.
packages() {
  if [ ! "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ]; then
    echo "installing the npm packages of ${1#"$REPO_ROOT/"}"
    (cd "$1" && npm ci --ignore-scripts --no-progress --no-audit --no-fund)
  fi
}

packages "$REPO_ROOT/src/EdgeBroker.Http/Console/web"
if [ "$scope" = all ]; then
  packages "$REPO_ROOT/tests/EdgeBroker.Interop.Tests/Clients/mqttjs"
  packages "$REPO_ROOT/tests/EdgeBroker.Interop.Tests/Clients/coapjs"
fi

if ! sdk_present; then
  version="$(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' "$REPO_ROOT/global.json")"
  echo "installing the .NET SDK $version into $DOTNET_USER_DIR"
  installer="$(mktemp)"
  curl -fsSL --retry 3 https://dot.net/v1/dotnet-install.sh -o "$installer"
  bash "$installer" --version "$version" --install-dir "$DOTNET_USER_DIR" --no-path
  rm -f "$installer"
fi

# libc, OpenSSL and their like for arm64, unpacked for qemu. A private apt state: the machine itself stays single-architecture.
fetch_arm64_root() {
  local work apt=()
  work="$(mktemp -d)"
  mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/debs" "$work/root"
  : >"$work/status"
  apt=(apt-get -q
    -o "Dir::State::Lists=$work/lists" -o "Dir::State::status=$work/status"
    -o "Dir::Cache::Archives=$work/archives" -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache="
    -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Sandbox::User=)
  "${apt[@]}" update
  (cd "$work/debs" && "${apt[@]}" download libc6 libgcc-s1 libstdc++6 zlib1g libssl3)
  local deb
  for deb in "$work"/debs/*.deb; do
    dpkg-deb -x "$deb" "$work/root"
  done
  mkdir -p "$(dirname "$ARM64_ROOT")"
  rm -rf "$ARM64_ROOT"
  mv "$work/root" "$ARM64_ROOT"
  rm -rf "$work"
}

arm64_root_complete() {
  [ -e "$ARM64_ROOT/lib/ld-linux-aarch64.so.1" ] && [ -e "$ARM64_ROOT/usr/lib/aarch64-linux-gnu/libssl.so.3" ]
}

if [ "$scope" = all ] && [ "$(host_rid)" = linux-x64 ] && ! arm64_root_complete; then
  echo "fetching an arm64 root for qemu into $ARM64_ROOT"
  fetch_arm64_root
  arm64_root_complete
fi
