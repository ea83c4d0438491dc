#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The differential test (docs/differential.md): that the harness finds a judge that is wrong, random
# rules and packets, captures. COMPARISONS=n and SEED=n change the random part.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
program=build/tests/differential/differential
captures=../shared/data/pcaps
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run() {
    "$program" "$@"
    local status=$?
    [ $status -eq 0 ] || exit $status
}

# One seed for all, shown also when nothing fails: `SEED=n tests/differential/run.sh` does it again.
seed=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
run --prove --seed "$seed"
run --comparisons "${COMPARISONS:-40000}" --seed "$seed" | tee "$work/random" || exit $?
mkdir -p "$work/corpus"
"${PYTHON:-/usr/bin/python3}" tests/differential/corpus.py "$work/corpus/scapy.pcap" "$seed" || exit 1
run --pcap "$work/corpus" --seed "$seed"
if [ -d "$captures" ]; then
    run --pcap "$captures" --seed "$seed"
fi
echo "note: $(tail -n 1 "$work/random")"
