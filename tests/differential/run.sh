#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The differential test (docs/differential.md): that the harness finds a judge that is wrong, random
# rules and packets, captures. COMPARISONS=n and SEED=n change the random part.
set -u
cd "$(dirname "$0")/../.." || exit 1
program=build/tests/differential/differential
captures=../shared/data/pcaps

run() {
    "$program" "$@"
    local status=$?
    [ $status -eq 0 ] || exit $status
}

run --prove ${SEED:+--seed "$SEED"}
run --comparisons "${COMPARISONS:-40000}" ${SEED:+--seed "$SEED"}
if [ -d "$captures" ]; then
    run --pcap "$captures" ${SEED:+--seed "$SEED"}
fi
