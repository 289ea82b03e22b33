#!/usr/bin/env bash
# backlog.sh [MESSAGES]: has a bridge gather a backlog (default 1,000,000 messages of 80 bytes) on a real store and drains it over a link that is cut and over
# a kill; fails where a message is lost or out of order, and prints rates and memory.
set -euo pipefail
cd "$(dirname "$0")/.."
export EDGEBROKER_BACKLOG="${1:-1000000}"
dotnet test tests/EdgeBroker.Bridge.Tests -c Release --filter FullyQualifiedName~BacklogTests --logger "console;verbosity=detailed" |
  grep -E "a second|bytes of memory|more than once|Passed|Failed|Error|came"
