#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2119 # functions with arguments that may be left out
# usage show, status and its --check on a store with one grant that lived and one that lives.
. "$ROOT/test/books.bash"

new_store
add_tenant a 1
add_tenant b 2

live() {
    at 2026-03-10T00:00:00Z
    exits 0 allot request submit --tenant a --flavor v100 --units 8 --storage '10 TB'
    at 2026-03-20T00:00:00Z
    exits 0 allot grant release g-1
    exits 0 allot reconcile
    at 2026-03-30T00:00:00Z
    exits 0 allot grant purge g-1
    exits 0 allot reconcile
    exits 0 allot request submit --tenant b --flavor t4 --units 4 --storage '5 TB'
}
it 'one grant lives from the 10th to the 30th, another from then on' live

at 2026-04-09T00:00:00Z
tenants() {
    exits 0 allot usage show --since 2026-03-02T00:00:00Z --json
    is '107827200000 17280000000000000000' \
        "$(value '.rows[] | select(.tenant == "a") | .compute_gflops_seconds + " " + .storage_byte_seconds')"
    is '27993600000 4320000000000000000' \
        "$(value '.rows[] | select(.tenant == "b") | .compute_gflops_seconds + " " + .storage_byte_seconds')"
    is 'true' "$(value .closes)"
    is 'fp32 37728.000 6000.000' "$(value '.totals[] | .basis + " " + .compute_tf_hours + " " + .storage_tb_hours')"
}
it 'usage is units times rating times seconds, and bytes held or kept times seconds' tenants

parts() { # the parts of a division of the time add up to the whole, in 128 bits
    exits 0 allot usage show --since 2026-03-02T00:00:00Z --by grant --json
    value '[.rows[].storage_byte_seconds]' | python3 -c 'import json, sys; print(sum(map(int, json.load(sys.stdin))))' >whole
    for day in 2026-03-02 2026-03-12 2026-03-22 2026-04-01; do
        until=$(date -u -d "$day + 10 days" +%FT%TZ)
        allot usage show --since "${day}T00:00:00Z" --until "$until" --by grant --json | jq '[.rows[].storage_byte_seconds]'
    done | jq -s 'add' | python3 -c 'import json, sys; print(sum(map(int, json.load(sys.stdin))))' >parts
    is "$(cat whole)" "$(cat parts)"
}
it 'the parts of a division of the time add up to the whole' parts

people() {
    exits 0 allot usage show --since 2026-03-02T00:00:00Z
    has "$out" '29952.000'
    has "$out" 'total at fp32: 37728.000 TF-hours, 6000.000 TB-hours'
    has "$out" ' closes'
    lacks "$out" 'DOES NOT'
    exits 0 allot usage show --since 2026-03-02T00:00:00Z --by flavor --format csv
    has "$out" 'v100,29952.000,0.000,107827200000,0'
}
it 'people see hours with three decimals, csv has the exact figures beside them' people

filters() {
    exits 0 allot usage show --since 2026-03-02T00:00:00Z --tenant b --json
    is 'b' "$(value '.rows[].tenant')"
    exits 4 allot usage show --tenant nobody
    exits 4 allot usage show --pool nowhere
    exits 2 allot usage show --by month
    has "$err" "tenant, grant or flavor"
    exits 2 allot usage show --since 2026-04-01 --until 2026-03-01
    exits 2 allot usage show --since yesterday
    exits 2 allot usage show --since 2026-05-01 --until 2026-06-01
}
it 'rows are filtered, and what cannot be asked is refused' filters

dates() { # a date reads as a civil day of Korea: from its first to its last second
    exits 0 allot usage show --since 2026-03-15 --until 2026-03-15 --json
    is '2026-03-14T15:00:00Z 2026-03-15T15:00:00Z' "$(value '.since + " " + .until')"
    is 10782720000 "$(value '.rows[0].compute_gflops_seconds')"
    exits 0 allot usage show --json
    is '2026-03-31T15:00:00Z 2026-04-09T00:00:00Z' "$(value '.since + " " + .until')"
    exits 0 allot usage show --since 2026-04-01 --until 2026-12-31 --json
    is 2026-04-09T00:00:00Z "$(value .until)"
}
it 'dates are whole civil days, the default is this month, and nothing is counted before it happened' dates

broken() {
    cp "$STORE" copy.db
    [ ! -e "$STORE-wal" ] || cp "$STORE-wal" copy.db-wal
    sqlite3 copy.db "UPDATE account SET balance = balance - 1 WHERE kind = 'free' AND item = 'storage'"
    exits 9 "$ALLOT" --store copy.db usage show --since 2026-03-02T00:00:00Z --now "$NOW"
    has "$out" 'DOES NOT CLOSE'
    has "$err" 'books do not close'
}
it 'books that do not close end with status 9' broken

screen() {
    exits 0 allot status
    has "$out" 'requests    0 queued, 0 held'
    has "$out" '1 active'
    exits 0 allot status --json
    is '471600 439200 0 32400' "$(value '.pools[0].compute | [.capacity_gflops, .free_gflops, .reserved_gflops, .held_gflops] | map(tostring) | join(" ")')"
    is '300000000000000 295000000000000 5000000000000 0' \
        "$(value '.pools[0].storage | [.capacity_bytes, .free_bytes, .held_bytes, .kept_bytes] | map(tostring) | join(" ")')"
    is true "$(value '.pools[0].counted_only')"
    is 1 "$(value .grants.active)"
}
it 'status shows each pool, what waits and what is under way' screen

stale() {
    exits 1 allot status --check
    has "$out" 'tick has never run well'
    is 1 "$(wc -l <"$out")"
    exits 0 allot tick --confirm
    exits 0 allot reconcile
    exits 0 allot notify
    exits 0 allot status --check
    has "$out" 'well'
    exits 0 allot status --check --quiet
    is 0 "$(wc -c <"$out")"
    at 2026-04-09T01:00:00Z
    exits 0 allot status --check
    at 2026-04-09T01:00:01Z
    exits 1 allot status --check
    has "$out" 'tick has not run well since 2026-04-09T00:00:00Z'
    printf 'notify: [/bin/true]\ncheck: {tick: 1 day, notify: 1 day}\n' >later.conf
    exits 0 allot status --check --config "$PWD/later.conf"
    exits 1 allot status --check --json --config "$ALLOT_CONFIG"
    is true "$(value '.jobs[] | select(.job == "tick") | .stale')"
}
it '--check notices when a job of cron has not run for longer than configured' stale

undelivered() {
    at 2026-04-09T00:00:00Z
    printf 'notify: [/bin/false]\ncheck: {tick: 30 days, reconcile: 30 days}\n' >false.conf
    exits 0 allot request submit --tenant a --flavor v100 --units 1
    at 2026-04-12T00:00:00Z
    exits 1 allot status --check --config "$PWD/false.conf"
    has "$out" 'undelivered'
}
it '--check notices messages that nobody gets' undelivered

drift() {
    rm -f "$CLOUD"
    exits 1 allot reconcile --dry-run # a host that shows nothing of what stood there is not believed
    pool_file | sed 's/^settings:/settings:\n  dead_hosts: [h2]/' >dead.yaml
    exits 0 allot pool set p --file dead.yaml
    allot reconcile >/dev/null 2>&1 || true
    exits 1 allot status --check
    has "$out" 'host h2 of pool p'
}
it '--check notices hosts that do not answer' drift

finish
