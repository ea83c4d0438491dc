#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the tests that `make tests` has built: tests/run.sh [unit|golden|prog|e2e|fuzz ...]
#
# One line a test, the output only of those that fail, and it keeps going. A test that exits 77 was
# skipped and says why in its last line. Which tests may be skipped stands in skips.expected: as
# root, any other skip is a failure.
set -u
cd "$(dirname "$0")/.." || exit 1

tiers=("$@")
[ ${#tiers[@]} -gt 0 ] || tiers=(unit golden prog e2e fuzz)
fuzz_seconds=${FUZZ_SECONDS:-5}
limit=${TEST_SECONDS:-600}
output=$(mktemp)
trap 'rm -f "$output"' EXIT
passed=0 failed=0 skipped=0

may_skip() {
    [ "$(id -u)" -ne 0 ] || sed 's/[[:space:]]*#.*//' tests/skips.expected | grep -qxF "$1"
}

report() { # RESULT NAME SECONDS [REASON]
    printf '%-5s %s (%ss)%s\n' "$1" "$2" "$3" "${4:+: $4}"
}

# Runs one test: NAME COMMAND...
run() {
    local name=$1 status started=$SECONDS seconds
    shift
    timeout --kill-after=10 "$limit" "$@" >"$output" 2>&1 </dev/null
    status=$?
    seconds=$((SECONDS - started))
    if [ $status -eq 0 ]; then
        passed=$((passed + 1))
        report ok "$name" $seconds "$(sed -n 's/^note: //p' "$output" | tail -n 1)"
    elif [ $status -eq 77 ] && may_skip "$name"; then
        skipped=$((skipped + 1))
        report skip "$name" $seconds "$(tail -n 1 "$output")"
    else
        failed=$((failed + 1))
        case $status in
        77) report FAIL "$name" $seconds "was skipped, but is not in tests/skips.expected" ;;
        124 | 137) report FAIL "$name" $seconds "did not end within $limit s" ;;
        *) report FAIL "$name" $seconds "exit status $status" ;;
        esac
        sed 's/^/    /' "$output"
    fi
}

# A tier whose sources are there but whose programs are not must not pass in silence.
run_built() { # DIRECTORY PREFIX: each source has its program in build/
    local source name
    for source in tests/"$1"/"$2"*.c; do
        [ -e "$source" ] || continue
        name=$1/$(basename "$source" .c)
        run "$name" "build/tests/$name"
    done
}

run_scripts() { # PATTERN...
    local script
    for script in "$@"; do
        [ -e "$script" ] || continue
        run "$(sed 's,^tests/,,; s,\.sh$,,' <<<"$script")" bash "$script"
    done
}

run_fuzzers() {
    local source name corpus seeds
    for source in tests/fuzz/fuzz_*.c; do
        [ -e "$source" ] || continue
        name=$(basename "$source" .c)
        corpus=build/corpus/$name
        mkdir -p "$corpus"
        seeds=()
        [ -d "tests/fuzz/corpus/$name" ] && seeds=("tests/fuzz/corpus/$name")
        run "fuzz/$name" "build/tests/fuzz/$name" -max_total_time="$fuzz_seconds" -timeout=10 \
            -dict=tests/fuzz/keywords.dict -artifact_prefix="build/corpus/$name-" "$corpus" \
            "${seeds[@]}"
    done
}

for tier in "${tiers[@]}"; do
    case $tier in
    unit) run_built unit test_ ;;
    golden) run_scripts tests/golden/run.sh ;;
    prog)
        run_built prog test_
        run_scripts tests/differential/run.sh
        ;;
    e2e) run_scripts tests/e2e/[0-9]*.sh ;;
    fuzz) run_fuzzers ;;
    *)
        echo "tests/run.sh: there is no tier '$tier'" >&2
        exit 2
        ;;
    esac
done

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
