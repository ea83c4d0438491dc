#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The benchmarks run, and what they compare does the same: every header is decided as the linear
# reference decides it, and no filter drops what it should pass. No time is looked at.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
[ "$(id -u)" -eq 0 ] || skip "needs root"
[ -x "$root/build/fwbench" ] || fail "build/fwbench is not built"
out=$(mktemp)
trap 'rm -f "$out"' EXIT

expect() { # WHAT PYTHON: an expression on `rows`
    /usr/bin/python3 -c "import json, sys
rows = [json.loads(line) for line in open('$out')]
sys.exit(0 if ($2) else 1)" || { cat "$out"; fail "$1"; }
}

cd "$root" || exit 1
build/fwbench classify --rules config/examples/gateway.conf --json >"$out" || fail "classify failed"
expect "headers of gateway.conf are decided wrongly" "rows[0]['mismatches'] == 0"
expect "the program was not verified" "rows[0]['verified_insns'] > 1000 and rows[0]['switch_ms'] > 0"

for hook in ingress egress; do
    measured=""
    for filter in fwctl nft-hash; do
        measured+=" and sum(r['link'] == '$filter' and r.get('ns', 0) > 0 for r in rows) == 4"
    done
    FILTERS='plain-drop plain-pass fwctl nft-hash' bench/traffic.sh $hook 10 >"$out" 2>/dev/null || fail "bench/traffic.sh $hook failed"
    expect "a filter on $hook does not do what it should, or packets were lost" "True$measured"
done

bench/state.sh 1000 >"$out" 2>/dev/null || fail "bench/state.sh failed"
expect "packets of flows were lost, or new flows" "len(rows) == 10 and all(r.get('ns', 0) > 0 for r in rows)"
