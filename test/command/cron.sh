#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2119 # cases are called by name
# What cron runs: tick against wrong clocks, the queue as units come back, reconcile against backends that misbehave.
. "$ROOT/test/books.bash"

state() { allot grant show "$1" --json | jq -r .state; }
set_up() { # PATTERN-SETTINGS: how the simulated cloud misbehaves from now on, as JSON
    sqlite3 "$STORE" "UPDATE pool SET settings = json_patch(settings, '$1') WHERE id = 1"
}

# ---- the clock ----

new_store
add_tenant a 1
add_tenant b 2
first_late() {
    exits 0 allot request submit --tenant a --flavor v100 --units 1
    at 2027-03-02T00:00:00Z
    exits 5 allot tick
    has "$err" 'tick has never run'
    has "$err" 'give notice of g-1 of a (ended 2026-05-31)'
    is active "$(state g-1)"
}
it 'the first tick of all refuses a clock a year ahead' first_late
first() {
    exits 0 allot tick
    is '' "$(cat "$out" "$err")"
}
it 'a tick with nothing to do is silent' first
year_ahead() {
    at 2027-03-02T00:10:00Z
    exits 5 allot tick
    has "$err" 'tick refuses'
    has "$err" 'the last run was 2026-03-02T00:00:00Z'
    has "$err" 'g-1 of a'
    has "$err" 'tick --confirm'
    is active "$(state g-1)"
    exits 5 allot tick --json
    is 5 "$(jq .error.status "$err")"
}
it 'a clock a year ahead is refused with the list of what it would end' year_ahead
back() {
    at 2026-03-01T23:59:59Z
    exits 5 allot tick
    has "$err" 'was written before'
}
it 'a clock that went back is refused' back
gap() {
    at 2026-03-03T01:00:00Z
    exits 0 allot tick
    at 2026-03-04T02:00:01Z
    exits 5 allot tick
    at 2026-03-04T02:00:00Z
    exits 0 allot tick
}
it 'more than 25 hours since the last run are refused, 25 are not' gap
missed() {
    at 2026-06-20T00:00:00Z
    exits 5 allot tick
    exits 0 allot tick --confirm --json
    is '1 1 0' "$(value '"\(.notices) \(.graces) \(.releases)"')"
    is grace "$(state g-1)"
    is 'grace notice' "$(sqlite3 "$STORE" "SELECT group_concat(kind, ' ') FROM (SELECT kind FROM outbox WHERE grant_id = 1 AND kind IN ('notice', 'grace') ORDER BY kind)")"
    is 'grant.notice grant.grace' "$(sqlite3 "$STORE" "SELECT group_concat(kind, ' ') FROM (SELECT kind FROM entry WHERE grant_id = 1 AND kind LIKE 'grant.%ce' ORDER BY seq)")"
}
it 'days that were missed are caught up in order' missed
keyed() {
    at 2026-06-20T00:10:00Z
    exits 0 allot --idempotency-key t1 tick --json
    cp "$out" first
    at 2026-06-22T00:10:00Z
    exits 0 allot --idempotency-key t1 tick --json
    cmp first "$out"
    exits 0 allot tick --confirm
}
it 'a tick under a key is answered again' keyed
many() {
    at 2026-06-22T00:10:00Z
    printf 'tick: {releases: 2}\nnotify: [/bin/true]\n' >allot.conf
    for t in x1 x2 x3; do
        add_tenant $t $((10 + ${t#x}))
        exits 0 allot request submit --tenant $t --flavor t4 --units 1 --for '1 day'
    done
    at 2026-06-23T00:10:00Z
    exits 0 allot tick
    exits 0 allot notify
    at 2026-06-23T20:00:00Z
    exits 0 allot tick
    for day in 24 25 26 27 28 29; do
        at 2026-06-${day}T00:10:00Z
        exits 0 allot tick
    done
    at 2026-06-30T00:10:00Z
    exits 5 allot tick
    has "$err" 'it would end 4 grants at once, more than 2'
    exits 0 allot tick --confirm --json
    is 4 "$(value .releases)"
    exits 0 allot reconcile
    printf 'notify: [/bin/true]\n' >allot.conf
}
it 'more ends at once than configured are refused' many

ahead_once() { # a clock that was wrong once has written a time that lies a year ahead
    new_store
    add_tenant a 1
    add_tenant b 2
    exits 0 allot request submit --tenant a --flavor v100 --units 1
    exits 0 allot tick
    at 2027-05-01T00:00:00Z
    exits 0 allot request submit --tenant b --flavor v100 --units 1
    at 2026-03-02T01:00:00Z
    exits 5 allot tick
    has "$err" 'it would change nothing'
    exits 0 allot tick --confirm --json
    is '0 0 0' "$(value '"\(.notices) \(.graces) \(.releases)"')"
    is active "$(state g-1)"
}
it 'tick --confirm does what the refusal listed, though the books are ahead of the clock' ahead_once

# ---- the queue ----

queue() {
    new_store
    add_tenant whale 1
    exits 0 allot request submit --tenant whale --flavor v100 --units 8
    add_tenant shark 2
    exits 0 allot request submit --tenant shark --flavor v100 --units 8
    add_tenant squid 3
    exits 0 allot request submit --tenant squid --flavor v100 --units 8
    for i in $(seq 100); do
        printf 'q%03d,"org q%03d",300-10-%05d,gwangju\n' "$i" "$i" "$i"
    done >names
    { echo 'name,organisation,registration,attr:seat' && cat names; } >tenants.csv
    exits 0 allot tenant import tenants.csv
    for i in $(seq 100); do # each a second later: the place in the queue is the time of the request
        at "$(date -u -d "2026-03-02T00:00:00Z + $i seconds" +%Y-%m-%dT%H:%M:%SZ)"
        allot --quiet request submit --tenant "$(printf q%03d $((101 - i)))" --flavor v100 --units 1 >/dev/null 2>&1 || [ $? = 8 ]
    done
    is 100 "$(allot queue --json | jq length)"
    is 'q100 q099' "$(allot queue --json | jq -r '[.[0:2][].tenant] | join(" ")')"
    is 'r-53: 50' "$(allot queue --json | jq -r '.[49] | "\(.request): \(.position)"')"
    is 100 "$(sqlite3 "$STORE" "SELECT count(*) FROM entry WHERE kind = 'decision.queued'")"
    is 100 "$(sqlite3 "$STORE" "SELECT count(*) FROM outbox WHERE payload LIKE '%queued%'")"
    is 0 "$(sqlite3 "$STORE" "SELECT count(*) FROM plan WHERE id NOT IN (SELECT plan FROM decision)")"
}
it 'a hundred wait, each told and noted once' queue
served() {
    at 2026-03-02T01:00:00Z
    exits 0 allot grant release g-1
    exits 0 allot tick --json
    is 8 "$(value .decided)"
    is 'r-4 q100 granted g-4 15600' "$(value '.decisions[0] | "\(.request) \(.tenant) \(.outcome) \(.grant) \(.compute_gflops)"')"
    is true "$(value '.open_operations > 0')"
    exits 0 allot reconcile
    is 'q093 q094 q095 q096 q097 q098 q099 q100' "$(allot grant list --json | jq -r '[.[] | select(.request | ltrimstr("r-") | tonumber > 3) | .tenant] | sort | join(" ")')"
    is active "$(state g-11)"
    is 92 "$(allot queue --json | jq length)"
    is 'q092 1' "$(allot queue --json | jq -r '.[0] | "\(.tenant) \(.position)"')"
    exits 0 allot explain q092
    exits 0 allot explain q001
    exits 0 allot grant release g-2
    exits 0 allot tick
    has "$out" 'next: allot reconcile'
    is 8 "$(grep -c '^r-[0-9]* .* granted' "$out")"
    is 'q092 q085' "$(sqlite3 "$STORE" "SELECT group_concat(name, ' ') FROM (SELECT t.name FROM grants g JOIN tenant t ON t.id = g.tenant WHERE g.id IN (12, 19) ORDER BY g.id)")"
}
it 'units that come back go to who asked first' served
apart() { # eight free units, but on no host together
    new_store
    for t in a b c; do
        add_tenant "$t" "$(printf %d "'$t")"
        exits 0 allot request submit --tenant $t --flavor v100 --units 4
        exits 0 allot request submit --tenant $t --flavor v100 --units 4
    done
    for g in 1 3 5; do
        exits 0 allot grant release g-$g
    done
    add_tenant d 20
    add_tenant e 21
    exits 8 allot request submit --tenant d --flavor v100 --units 8 --per-server 8 --json
    has "$out" 'no host has room for a server of v100 x 8'
    r=$(value .request)
    exits 0 allot explain "$r"
    has "$out" 'no host has room'
    exits 0 allot tick
    exits 0 allot request submit --tenant e --flavor t4 --units 1
    exits 0 allot grant release g-2
    exits 0 allot tick
    is granted "$(allot request show "$r" --json | jq -r .state)"
}
it 'a server that fits no host waits, and stops nobody else' apart
drained() {
    new_store
    add_tenant a 1
    for h in h1 h2 h3; do exits 0 allot pool drain p --host $h; done
    exits 8 allot request submit --tenant a --storage '1 TB' --json
    has "$out" 'no host takes volumes now'
    exits 0 allot explain r-1
    exits 0 allot tick
    exits 0 allot pool undrain p --host h2
    exits 0 allot tick
    exits 0 allot reconcile
    is 'active h2' "$(allot grant show g-1 --json | jq -r '"\(.state) \(.things[0].host)"')"
}
it 'a volume waits while no host is active' drained

# ---- backends that misbehave ----

refused() {
    new_store
    add_tenant a 1
    set_up '{"fail_names": ["*-v2-*"]}'
    exits 8 allot request submit --tenant a --flavor v100 --units 2 --storage '20 TB' --json
    is held "$(value .outcome)"
    is null "$(value .grant)"
    has "$out" 'is told to fail'
    is void "$(state g-1)"
    is 0 "$(things)"
    is 24 "$(allot pool show p --json | jq '.flavors[0].free_units')"
    allot queue >"$out"
    has "$out" 'BACKEND_REFUSED'
    is 1 "$(sqlite3 "$STORE" "SELECT count(*) FROM outbox WHERE kind = 'refused'")"
    exits 0 allot reconcile
    exits 0 allot tick
    is held "$(allot request show r-1 --json | jq -r .state)"
    exits 0 allot explain r-1
    has "$out" 'BACKEND_REFUSED'
}
it 'a refusal holds the request with the words of the backend, and what was made goes' refused
again() {
    [ "$(id -u)" = 0 ] || return 0
    SUDO_USER=kim exits 8 allot request approve r-1
    is void "$(state g-2)"
    set_up '{"fail_names": null}'
    SUDO_USER=kim exits 0 allot request approve r-1 --json
    is g-3 "$(value .grant)"
    is active "$(state g-3)"
    is 3 "$(things)"
}
it 'approved again it is tried again, and works when the cause is gone' again
lost() {
    new_store
    add_tenant a 1
    set_up '{"lose_answers": ["*"]}'
    exits 7 allot --idempotency-key k request submit --tenant a --flavor v100 --units 3 --storage '20 TB'
    has "$err" 'reconcile'
    is reserved "$(state g-1)"
    is 4 "$(things)"
    exits 0 allot reconcile
    is active "$(state g-1)"
    is 4 "$(things)"
    exits 0 allot --idempotency-key k request submit --tenant a --flavor v100 --units 3 --storage '20 TB'
    is 4 "$(things)"
    exits 7 allot grant release g-1
    is releasing "$(state g-1)"
    exits 0 allot reconcile
    is kept "$(state g-1)"
}
it 'lost answers are unknown (exit 7), seen by reconcile, and nothing is made twice' lost
slow() {
    new_store
    add_tenant a 1
    set_up '{"slow": ["*"]}'
    exits 0 allot request submit --tenant a --flavor v100 --units 2 --storage '1 TB'
    has "$err" 'not ready yet'
    is reserved "$(state g-1)"
    exits 0 allot reconcile
    is active "$(state g-1)"
    exits 0 allot grant release g-1
    is releasing "$(state g-1)"
    is 22 "$(allot pool show p --json | jq '.flavors[0].free_units')"
    exits 0 allot reconcile
    is kept "$(state g-1)"
    is 24 "$(allot pool show p --json | jq '.flavors[0].free_units')"
}
it 'slow work is started, and units come free only when it is seen done' slow
dead() {
    new_store
    add_tenant a 1
    add_tenant b 2
    exits 0 allot request submit --tenant a --flavor v100 --units 8
    exits 0 allot request submit --tenant b --flavor t4 --units 1
    set_up '{"dead_hosts": ["h1"]}'
    exits 1 allot reconcile
    has "$err" 'host h1 of pool p: does not answer'
    exits 1 allot reconcile --json
    is unknown "$(value '[.things[].label] | unique | join(" ")')"
    exits 0 allot grant release g-1
    is releasing "$(state g-1)"
    exits 3 allot request submit --tenant a --flavor t4 --units 4
    add_tenant c 3
    exits 0 allot request submit --tenant c --flavor t4 --units 4 --json
    g=$(value .grant)
    is active "$(state "$g")"
    set_up '{"dead_hosts": null}'
    exits 0 allot reconcile
    is ended "$(state g-1)"
}
it 'a dead host is reported, its units stay booked, the others work on' dead
vanished() {
    new_store
    add_tenant a 1
    exits 0 allot request submit --tenant a --flavor v100 --units 1 --storage '1 TB'
    sed -i '/"flavor"/d' "$CLOUD"
    exits 0 allot --dry-run reconcile --json
    is 'ledger-only make' "$(value '.things[] | "\(.label) \(.action)"')"
    exits 0 allot reconcile
    is 2 "$(things)"
    is 0 "$(sqlite3 "$STORE" "SELECT count(*) FROM outbox WHERE kind = 'loss'")"
    rm "$CLOUD"
    exits 0 allot reconcile
    is 2 "$(things)"
    is 1 "$(sqlite3 "$STORE" "SELECT count(*) FROM outbox WHERE kind = 'loss'")"
    is 3 "$(sqlite3 "$STORE" "SELECT count(*) FROM entry WHERE kind = 'thing.vanished'")"
    is active "$(state g-1)"
}
it 'what vanished is made again; of a lost volume its tenant is told' vanished
returned() {
    new_store
    add_tenant a 1
    exits 0 allot request submit --tenant a --flavor v100 --units 1
    cp "$CLOUD" before.json
    exits 0 allot grant release g-1
    is ended "$(state g-1)"
    cp before.json "$CLOUD"
    exits 0 allot reconcile --json
    is 'differing remove' "$(value '.things[] | "\(.label) \(.action)"')"
    is 0 "$(things)"
}
it 'what has ended and is there again is removed' returned
two_pools() {
    new_store
    add_tenant a 1
    exits 0 allot request submit --tenant a --flavor v100 --units 1 --no-provision
    pool_file | sed "s,file: .*,file: $PWD/cloud2.json," >pool2.yaml
    allot pool add q --file pool2.yaml >/dev/null
    sqlite3 "$STORE" "UPDATE pool SET settings = json_set(settings, '\$.file', '$PWD/none/x') WHERE name = 'q'"
    exits 1 allot reconcile
    has "$err" 'pool q'
    is active "$(state g-1)"
}
it 'a pool whose backend fails does not stop the others' two_pools
unusable() {
    policy_text | sed 's/pool p/pool q/; s/"test"/"second"/' >second.policy
    allot policy load second.policy >/dev/null 2>&1
    sqlite3 "$STORE" "UPDATE pool SET backend = 'gone' WHERE name = 'q'"
    exits 7 allot request submit --tenant a --pool q --storage '1 TB' --json
    is granted "$(value .outcome)"
    has "$err" 'what was decided is booked'
    g=$(value .grant)
    is reserved "$(state "$g")"
    sqlite3 "$STORE" "UPDATE pool SET backend = 'simulated', settings = json_set(settings, '\$.file', '$PWD/cloud2.json') WHERE name = 'q'"
    exits 0 allot reconcile
    is active "$(state "$g")"
}
it 'a decision stands though its backend cannot be asked' unusable
never() {
    new_store
    add_tenant a 1
    set_up '{"dead_hosts": ["*"]}'
    exits 0 allot request submit --tenant a --flavor v100 --units 1 --for '2 days'
    is reserved "$(state g-1)"
    at 2026-03-03T23:59:59Z
    exits 0 allot tick --confirm
    is reserved "$(state g-1)"
    at 2026-03-04T00:00:00Z
    exits 0 allot tick
    is voiding "$(state g-1)"
    set_up '{"dead_hosts": null}'
    exits 0 allot reconcile
    is void "$(state g-1)"
}
it 'what never became ready ends with its term' never
healed() { # what a run made or removed is told as done, and is no drift after it
    new_store
    add_tenant a 1
    exits 0 allot request submit --tenant a --flavor v100 --units 2 --storage '1 TB' --no-provision
    exits 0 allot reconcile --dry-run --json
    is 'null' "$(value '[.things[].outcome] | unique[]')"
    exits 0 allot reconcile
    is 2 "$(grep -c '^ledger-only .* make  *done' "$out")"
    has "$out" 'of what was open: 2 done, 0 waiting, 0 refused, 0 failed'
    is '[]' "$(allot status --json | jq -c .drift)"
    set_up '{"slow": ["*"]}'
    exits 0 allot request submit --tenant a --flavor v100 --units 1 --no-provision
    exits 0 allot reconcile --json
    is 'make waiting' "$(value '.things[] | "\(.action) \(.outcome)"')"
    is 'ledger-only 1' "$(allot status --json | jq -r '.drift[] | "\(.label) \(.count)"')"
    set_up '{"slow": []}'
    exits 0 allot reconcile
    is '[]' "$(allot status --json | jq -c .drift)"
    exits 0 allot grant release g-1 --no-provision
    exits 0 allot reconcile --json
    is 'remove done' "$(value '.things[] | "\(.action) \(.outcome)"')"
    is '[]' "$(allot status --json | jq -c .drift)"
    set_up '{"fail_names": ["*"]}'
    exits 0 allot request submit --tenant a --flavor v100 --units 1 --no-provision
    exits 0 allot reconcile --json
    is 'make refused true' "$(value '.things[] | "\(.action) \(.outcome) \(.trouble | length > 0)"')"
}
it 'what a run has healed is told as done and is no drift' healed
quiet() {
    new_store
    add_tenant a 1
    exits 0 allot request submit --tenant a --flavor v100 --units 1
    at 2026-05-20T00:00:00Z
    exits 0 allot tick --confirm --quiet
    is '' "$(cat "$out" "$err")"
    is notice "$(state g-1)"
    exits 0 allot --quiet grant release g-1 --no-provision
    exits 0 allot reconcile --quiet
    is '' "$(cat "$out" "$err")"
    is ended "$(state g-1)"
    set_up '{"dead_hosts": ["h1"]}'
    exits 1 allot reconcile --quiet
    is '' "$(cat "$out")"
    has "$err" 'host h1 of pool p'
}
it 'with --quiet what is due is done without a word, and trouble is told' quiet
busy() {
    new_store
    add_tenant a 1
    flock "$STORE.reconcile" sleep 2 &
    sleep 0.2
    exits 6 allot reconcile
    has "$err" 'another reconcile is at work'
    exits 0 allot request submit --tenant a --flavor v100 --units 1
    is active "$(state g-1)"
    wait
}
it 'a second reconcile tries again later; a request waits its turn' busy
two_pools() { # on the same hosts
    new_store
    add_tenant a 1
    exits 0 allot pool add q --file pool.yaml
    exits 0 allot request submit --tenant a --pool p --flavor v100 --units 1
    exits 0 allot reconcile --pool q --json
    is '0 1' "$(value '"\(.backend_only) \(.foreign)"')"
    token=$(allot grant show g-1 --json | jq -r '.things[0].token')
    exits 4 allot reconcile --pool q --remove "$token"
    is 1 "$(things)"
}
it 'what another pool of the store has on the same host is no stranger, and cannot be ordered removed' two_pools
all_gone() { # a folder that is not mounted, say: the host answers and has nothing
    new_store
    add_tenant a 1
    exits 0 allot request submit --tenant a --flavor v100 --units 2 --per-server 1 --storage '20 TB'
    cp "$CLOUD" cloud.whole
    : >"$CLOUD"
    exits 1 allot reconcile
    has "$err" 'shows none of the'
    is 0 "$(things)"
    is active "$(state g-1)"
    cp cloud.whole "$CLOUD"
    exits 0 allot reconcile
    cmp cloud.whole "$CLOUD"
    : >"$CLOUD"
    exits 0 allot reconcile --confirm
    is 4 "$(things)"
}
it 'a host that shows nothing of what stood there is not believed without --confirm' all_gone
finish
