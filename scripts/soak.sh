#!/usr/bin/env bash
# An hour (or as many seconds as asked for) of broken input: the codec and what reads secrets against an oracle, then a broker under mutated traffic and random
# histories of sessions, which must leave neither faults nor memory behind.   scripts/soak.sh [SECONDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds="${1:-3600}"
third=$((seconds / 3))
seed="$(date +%s)"
echo "seed $seed"
dotnet run --project tests/EdgeBroker.Fuzz -c Release -- replay tests/EdgeBroker.Fuzz/corpus
dotnet run --project tests/EdgeBroker.Fuzz -c Release --no-build -- mutate --seconds "$third" --seed "$seed"
EDGEBROKER_SOAK_SECONDS="$third" EDGEBROKER_SOAK_SEED="$seed" dotnet test tests/EdgeBroker.Mqtt.Tests -c Release --nologo \
  --filter "FullyQualifiedName~MutatedTraffic|FullyQualifiedName~SessionHistory"
