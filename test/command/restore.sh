#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2119 # cases are called by name
# Yesterday's backup restored, and two stores at one cloud: nothing live is removed, nothing foreign is touched.
. "$ROOT/test/books.bash"

state() { allot grant show "$1" --json | jq -r .state; }

new_store
add_tenant a 1
add_tenant b 2

yesterday() {
    exits 0 allot request submit --tenant a --flavor v100 --units 2 --storage '1 TB'
    exits 0 allot request submit --tenant b --flavor t4 --units 1
    exits 0 allot backup "$PWD/backup.db"
}
it 'a backup of yesterday' yesterday
today() {
    at 2026-03-03T00:00:00Z
    exits 0 allot request submit --tenant b --flavor v100 --units 1 --storage '2 TB'
    exits 0 allot grant release g-2
    is 4 "$(things)"
    rm -f "$STORE"*
    exits 0 allot restore "$PWD/backup.db" --to "$STORE"
    is 4 "$(things)"
}
it 'more grants, one release, then the backup is restored' today
seen() {
    at 2026-03-03T01:00:00Z
    cp "$CLOUD" cloud.before
    exits 0 allot --dry-run reconcile --json
    is '2 backend-only|1 ledger-only' "$(value '[.things[].label] | group_by(.) | map("\(length) \(.[0])") | join("|")')"
    cmp "$CLOUD" cloud.before
    exits 0 allot reconcile --json
    has "$err" '2 things were found that the ledger does not know'
    is 5 "$(things)" # the four, and the server of g-2 that the ledger still wants
    is 0 "$(diff <(sort cloud.before) <(sort "$CLOUD") | grep -c '^<')"
    allot status >status.txt
    has status.txt 'backend-only'
}
it 'reconcile removes nothing that lives and reports what is newer' seen
newer() {
    at 2026-03-03T02:00:00Z
    exits 8 allot request submit --tenant b --flavor v100 --units 4 --storage '1 TB'
    has "$out" 'is used by' # a device that the ledger believes free
    add_tenant c 3
    exits 0 allot request submit --tenant c --flavor v100 --units 8 --storage '1 TB' --json
    g=$(value .grant)
    is active "$(state "$g")"
    is 2 "$(grep -c "\"token\":\"s$(sqlite3 "$STORE" 'SELECT id FROM store')\.2x[0-9a-f]*\." "$CLOUD")"
}
it 'after it new grants have names and tokens of their own' newer
ordered() {
    at 2026-03-03T03:00:00Z
    allot --dry-run reconcile --json >"$out"
    server=$(value '.things[] | select(.label == "backend-only" and .kind == "server") | .token')
    volume=$(value '.things[] | select(.label == "backend-only" and .kind == "volume") | .token')
    before=$(things)
    exits 1 allot reconcile --remove "$volume"
    has "$err" 'in use'
    exits 4 allot reconcile --remove "${server%.*}.999"
    live=$(sqlite3 "$STORE" "SELECT token FROM operation WHERE observed = 'present' AND kind = 'server' LIMIT 1")
    exits 4 allot reconcile --remove "$live"
    is "$before" "$(things)"
    exits 0 allot reconcile --remove "$server"
    is $((before - 1)) "$(things)"
    exits 4 allot reconcile --remove "$server"
    exits 0 allot reconcile --remove "$volume"
    is $((before - 2)) "$(things)"
    exits 0 allot audit show --json
    is 3 "$(sqlite3 "$STORE" "SELECT count(*) FROM entry WHERE kind = 'orphan.remove' AND actor LIKE 'admin %'")"
    exits 0 allot reconcile
    is '' "$(cat "$err")"
}
it 'a person removes one thing by its token, and only what the ledger does not know' ordered
backup_is_none() {
    STORE=$PWD/backup.db exits 5 allot tick
    exits 0 allot fsck
}
it 'a backup itself is not worked on' backup_is_none

# ---- two stores, one cloud ----

two() {
    NOW=2026-03-03T03:00:00Z
    exits 0 allot request submit --tenant a --flavor t4 --units 1
    first=$(sort "$CLOUD" | sha256sum)
    export STORE=$PWD/second.db
    allot init --test-clock >/dev/null
    allot pool add p --file "$PWD/pool.yaml" >/dev/null
    allot pool sync p >/dev/null
    allot policy load "$PWD/test.policy" >/dev/null 2>&1
    add_tenant a 1
    exits 0 allot reconcile --json
    is 0 "$(value '.backend_only + .matched + .differing')"
    is "$(things)" "$(value .foreign)"
    is "$first" "$(sort "$CLOUD" | sha256sum)"
    token=$(grep -o '"token":"[^"]*"' "$CLOUD" | head -n 1 | cut -d'"' -f4)
    exits 4 allot reconcile --remove "$token"
    is "$first" "$(sort "$CLOUD" | sha256sum)"
    # The same tenant and the same grant number at the same hosts.
    exits 0 allot request submit --tenant a --storage '1 TB' --json
    is g-1 "$(value .grant)"
    exits 0 allot grant release g-1
    exits 0 allot grant purge g-1
    is "$first" "$(sort "$CLOUD" | sha256sum)"
    exits 8 allot request submit --tenant a --flavor t4 --units 4
    has "$out" 'host h1 has 2 of 4 t4 left'
    is "$first" "$(sort "$CLOUD" | sha256sum)"
}
it 'two stores at one cloud: neither touches what is the other store'"'"'s' two
finish
