# shellcheck shell=bash
# Sourced by the other scripts: where things are, and the .NET SDK on the PATH. Changes nothing on the machine.

REPO_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export REPO_ROOT

export DOTNET_NOLOGO=1
export DOTNET_CLI_TELEMETRY_OPTOUT=1
export DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
export DOTNET_GENERATE_ASPNET_CERTIFICATE=false
export DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE=true

# What foreign arm64 programs see as their root under qemu. Outside the repository, so that a fresh clone need not fetch it again.
ARM64_ROOT="${EDGEBROKER_ARM64_ROOT:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/edgebroker/arm64-root}"
export ARM64_ROOT

# The SDK that setup.sh installs when the machine has none that satisfies global.json.
DOTNET_USER_DIR="${HOME:-/root}/.dotnet"

# True when the dotnet on the PATH has an SDK that global.json accepts.
sdk_present() {
  command -v dotnet >/dev/null && (cd "$REPO_ROOT" && dotnet --version >/dev/null 2>&1)
}

if [ -x "$DOTNET_USER_DIR/dotnet" ] && ! sdk_present; then
  export DOTNET_ROOT="$DOTNET_USER_DIR"
  export PATH="$DOTNET_USER_DIR:$PATH"
fi

# linux-x64 or linux-arm64: the runtime identifier of the machine this runs on.
host_rid() {
  case "$(uname -m)" in
    x86_64) echo linux-x64 ;;
    aarch64) echo linux-arm64 ;;
    *)
      echo "no build for $(uname -m): linux-x64 and linux-arm64 are supported" >&2
      return 1
      ;;
  esac
}
