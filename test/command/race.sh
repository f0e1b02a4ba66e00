#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2119 # cases are called by name
# Many processes at one store: never past a ceiling, never past the pool, each unit to one.
. "$ROOT/test/books.bash"

new_store
add_tenant a 1
for i in $(seq 32); do printf 't%d,org t%d,300-10-%05d,gwangju\n' "$i" "$i" "$i"; done >names
{ echo 'name,organisation,registration,attr:seat' && cat names; } >tenants.csv
allot tenant import tenants.csv >/dev/null
held() { sqlite3 "$STORE" "SELECT coalesce(sum(balance), 0) FROM account WHERE item = '$1' AND kind IN ('reserved', 'held')"; }

ceiling() { # 32 processes with 100 requests each for one tenant, whose ceiling holds eight units
    for i in $(seq 32); do
        seq 100 | sed "s/.*/{\"do\": \"submit\", \"key\": \"$i-&\", \"flavor\": \"v100\", \"units\": 1}/" >"lines.$i"
        "$ALLOT" --store "$STORE" --now "$NOW" serve --stdio --tenant a <"lines.$i" >"answers.$i" 2>"said.$i" &
    done
    wait
    cat answers.* >all
    tail -n 2 said.1
    tail -n 1 answers.1
    is 3200 "$(wc -l <all)"
    is 8 "$(grep -c '"status":0' all)"
    is 3192 "$(grep -c '"status":3' all)"
    is 8 "$(held unit/v100)"
    is 124800 "$(sqlite3 "$STORE" "SELECT compute_gflops FROM ceiling WHERE scope = 'tenant' AND owner = 1")"
}
it '32 processes with 100 requests each do not pass the ceiling of a tenant' ceiling
pool() { # 32 processes, each for a tenant of its own, at the 16 units that are left
    for i in $(seq 32); do
        (
            for n in 1 2 3; do
                status=0
                "$ALLOT" --store "$STORE" --now "$NOW" grant add "t$i" --flavor v100 --units 1 --no-provision >>"said.$i" 2>&1 || status=$?
                echo $status >>"status.$i"
            done
        ) &
    done
    wait
    is '16 0|80 8' "$(cat status.* | sort | uniq -c | awk '{ printf "%s%s %s", (NR > 1 ? "|" : ""), $1, $2 }')"
    is 24 "$(held unit/v100)"
    is 24 "$(sqlite3 "$STORE" "SELECT count(DISTINCT name || host) FROM slot WHERE operation IS NOT NULL")"
}
it '32 processes at one pool share its last units, each to one' pool
last() {
    for round in 1 2 3 4 5; do
        new_store
        add_tenant a 1 && add_tenant b 2 && add_tenant c 3
        exits 0 allot grant add c --flavor t4 --units 11 --no-provision
        for t in a b; do
            (
                status=0
                "$ALLOT" --store "$STORE" --now "$NOW" grant add $t --flavor t4 --units 1 --no-provision >/dev/null 2>&1 || status=$?
                echo $status >"last.$t"
            ) &
        done
        wait
        is '0 8' "$(cat last.a last.b | sort | tr '\n' ' ' | sed 's/ $//')" || { echo "round $round"; return 1; }
    done
}
it 'two processes at the last unit: exactly one gets it' last
mixed() { # submits, releases, ticks and reconciles at once, with the cloud behind them
    new_store
    allot tenant import tenants.csv >/dev/null
    for i in $(seq 8); do
        (
            for n in 1 2 3; do
                "$ALLOT" --store "$STORE" --now "$NOW" --json request submit --tenant "t$i" --flavor v100 --units $((n + 1)) --storage "$n TB" >"made.$i" 2>/dev/null
                g=$(jq -r '.grant // empty' "made.$i")
                [ -z "$g" ] || [ $((i % 2)) = 0 ] || "$ALLOT" --store "$STORE" --now "$NOW" grant release "$g" >/dev/null 2>&1
            done
        ) &
    done
    for n in 1 2 3 4; do
        "$ALLOT" --store "$STORE" --now "$NOW" tick >/dev/null 2>&1
        "$ALLOT" --store "$STORE" --now "$NOW" reconcile >/dev/null 2>&1 || [ $? = 6 ]
        "$ALLOT" --store "$STORE" --now "$NOW" notify >/dev/null 2>&1
    done
    wait
    exits 0 allot tick
    exits 0 allot reconcile
    is "$(sqlite3 "$STORE" "SELECT count(*) FROM operation WHERE desired = 'present'")" "$(things)"
    is 0 "$(sqlite3 "$STORE" "SELECT count(*) FROM operation WHERE desired <> observed")"
    is 24 "$(($(held unit/v100) + $(allot pool show p --json | jq '.flavors[0].free_units')))"
}
it 'submits, releases, ticks and reconciles at once leave books that close and no orphan' mixed
projects() { # eight tenants at once, three projects
    cloud_store
    for i in 5 6 7 8; do add_tenant "t$i" "$i"; done
    for tenant in a b c d t5 t6 t7 t8; do
        (
            status=0
            "$ALLOT" --store "$STORE" --now "$NOW" request submit --tenant "$tenant" --flavor v100 --units 1 --datalake '1 TB' >/dev/null 2>&1 || status=$?
            echo $status >"bound.$tenant"
        ) &
    done
    wait
    is '3 0|5 8' "$(cat bound.* | sort | uniq -c | awk '{ printf "%s%s %s", (NR > 1 ? "|" : ""), $1, $2 }')"
    is 3 "$(sqlite3 "$STORE" "SELECT count(DISTINCT tenant) FROM host")"
    exits 0 allot reconcile
    is 3 "$(jq -r '"\(.host) \(.tenant)"' "$CLOUD" | sort -u | wc -l)"
}
it 'each project goes to one tenant, the others wait for more of them' projects
finish
