#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2119 # cases are called by name
# The life of a grant by the clock: request, use, notice, grace, release, keeping, second notice, purge.
. "$ROOT/test/books.bash"

new_store
add_tenant a 1
add_tenant b 2

state() { allot grant show "$1" --json | jq -r .state; }
tick() { # TIME WANTED-STATE: the day's round as cron does it, notices delivered
    at "$1"
    exits 0 allot notify
    exits 0 allot tick --confirm
    exits 0 allot notify
    exits 0 allot reconcile
    is "$2" "$(state g-1)"
}

submit() {
    at 2026-03-02T00:00:00Z
    exits 0 allot request submit --tenant a --flavor v100 --units 4 --storage '20 TB' --json
    is granted "$(value .outcome)"
    is active "$(state g-1)"
    is 3 "$(things)"
    allot grant show g-1 --json >"$out"
    is 2026-05-31T00:00:00Z "$(value .end)"
    is 62400 "$(value .compute_gflops)"
    is '20000000000000' "$(value .storage_bytes)"
    is h1 "$(value '.things[0].host')"
}
it 'a request within the ceiling is granted and made real at once' submit
it 'nothing happens before the notice is due' tick 2026-05-16T23:59:59Z active
it 'fourteen days before its end the tenant is told' tick 2026-05-17T00:00:00Z notice
told() { is 1 "$(sqlite3 "$STORE" "SELECT count(*) FROM outbox WHERE kind = 'notice' AND delivered_at IS NOT NULL")"; }
it 'the notice was handed over' told
it 'a second tick of the same day changes nothing' tick 2026-05-17T00:10:00Z notice
it 'at its end the grace begins' tick 2026-05-31T00:00:00Z grace
it 'in grace the servers stay' tick 2026-06-06T23:59:59Z grace
still() { is 3 "$(things)"; }
it 'in grace nothing was removed' still
it 'after the grace the servers go and the volumes are kept' tick 2026-06-07T00:00:00Z kept
kept() {
    is 2 "$(things)"
    is 0 "$(things '"flavor"')"
    allot grant show g-1 --json >"$out"
    is 2026-07-07T00:00:00Z "$(value .keep_until)"
    is 0 "$(value .compute_gflops)"
    is 20000000000000 "$(value .storage_bytes)"
    allot pool show p --json >"$out"
    is 24 "$(value '.flavors[] | select(.name == "v100") | .free_units')"
    is 280000000000000 "$(value .storage_free_bytes)"
}
it 'kept volumes stay booked, units are free again' kept
purge_told() { is "$1" "$(sqlite3 "$STORE" "SELECT count(*) FROM outbox WHERE kind = 'purge-notice'")"; }
it 'before the second notice is due there is none' tick 2026-06-22T23:59:59Z kept
it 'no second notice yet' purge_told 0
it 'fourteen days before the purge the tenant is told again' tick 2026-06-23T00:00:00Z kept
it 'the second notice exists once' purge_told 1
it 'kept until the day named' tick 2026-07-06T23:59:59Z kept
it 'then the volumes go and the grant has ended' tick 2026-07-07T00:00:00Z ended
gone() {
    is 0 "$(things)"
    allot pool show p --json >"$out"
    is 300000000000000 "$(value .storage_free_bytes)"
    is 0 "$(allot grant list --json | jq length)"
    is 1 "$(allot grant list --all --json | jq length)"
}
it 'nothing is left of it but its history' gone

# ---- notices that nobody got ----

undelivered() {
    at 2026-07-08T00:00:00Z
    exits 0 allot tick --confirm
    exits 0 allot request submit --tenant a --flavor v100 --units 1 --storage '1 TB'
    at 2026-09-22T00:00:00Z
    exits 0 allot tick --confirm
    is notice "$(state g-2)"
    at 2026-12-31T00:00:00Z
    exits 0 allot tick --confirm
    is grace "$(state g-2)"
    at 2026-12-31T01:00:00Z
    exits 0 allot tick
    has "$err" 'cannot end because its notice was not delivered'
    is grace "$(state g-2)"
    exits 0 allot reconcile
    is 2 "$(things)"
}
it 'a grant does not end on a notice that was not delivered' undelivered
late() {
    at 2026-12-31T02:00:00Z
    exits 0 allot notify
    at 2027-01-07T01:59:59Z
    exits 0 allot tick --confirm
    is grace "$(state g-2)"
    at 2027-01-07T02:00:00Z
    exits 0 allot tick
    is releasing "$(state g-2)"
    exits 0 allot reconcile
    is kept "$(state g-2)"
}
it 'grace counts from the delivery of the notice' late
purge_undelivered() {
    at 2027-03-01T00:00:00Z
    exits 0 allot tick --confirm
    at 2027-05-01T00:00:00Z
    exits 0 allot tick --confirm
    is kept "$(state g-2)"
    exits 0 allot notify
    at 2027-05-08T00:00:00Z
    exits 0 allot tick --confirm
    exits 0 allot reconcile
    is ended "$(state g-2)"
    is 0 "$(things)"
}
it 'volumes are not purged on a second notice that was not delivered' purge_undelivered

# ---- what people do with a grant ----

T=2027-05-10T00:00:00Z
renewals() {
    at "$T"
    exits 0 allot tick --confirm
    exits 0 allot request submit --tenant a --flavor v100 --units 2 --storage '2 TB'
    exits 0 allot grant renew g-3 --json
    is 2027-11-06T00:00:00Z "$(value .end)"
    is 1 "$(value .renewals_left)"
    exits 0 allot grant renew g-3
    exits 3 allot grant renew g-3
    has "$err" 'no renewal left'
    has "$err" 'grant extend g-3'
}
it 'renewals are used up, then refused with what to do' renewals
extend() {
    at "$T"
    exits 2 allot grant extend g-3
    exits 2 allot grant extend g-3 --until 2027-06-01
    has "$err" 'must be later'
    exits 2 allot grant extend g-3 --until 2027-02-30
    exits 0 allot grant extend g-3 --for '10 days' --json
    is 2028-02-14T00:00:00Z "$(value .end)"
    exits 3 allot grant extend g-3 --for '1000 days'
    has "$err" 'g-3 cannot be held longer: a lease lasts 90 days'
    has "$err" '--override L1 --reason TEXT'
    exits 2 allot grant extend g-3 --for '1000 days' --override L1
    exits 2 allot grant extend g-3 --for '1000 days' --reason 'why not'
    exits 4 allot grant extend g-3 --for '1000 days' --override L7 --reason 'why not'
    exits 0 allot --dry-run grant extend g-3 --for '1000 days' --override L1 --reason 'a test bed'
    has "$out" "note: the policy's term is 90 days; this extends it by 1000 days"
    exits 0 allot --dry-run grant extend g-3 --for '10 days'
    lacks "$out" 'note:'
    exits 4 allot grant extend g-99 --for '1 day'
    exits 2 allot grant extend 99 --for '1 day'
}
it 'extend gives a later end and nothing else' extend
renew_in_notice() {
    at "$T"
    exits 0 allot request submit --tenant b --flavor t4 --units 1
    at 2027-08-01T00:00:00Z
    exits 0 allot tick --confirm
    is notice "$(state g-4)"
    exits 0 allot grant renew g-4
    is 0 "$(sqlite3 "$STORE" "SELECT count(*) FROM outbox WHERE grant_id = 4 AND kind LIKE 'notice%'")"
    is active "$(state g-4)"
    at 2027-08-09T00:00:00Z
    exits 0 allot tick --confirm
    is active "$(state g-4)"
    at 2027-10-24T00:00:00Z
    exits 0 allot tick --confirm
    is notice "$(state g-4)"
    at 2027-12-31T00:00:00Z
    exits 0 allot tick --confirm
    is grace "$(state g-4)"
    at 2028-01-01T00:00:00Z
    exits 0 allot tick
    has "$err" 'not delivered'
    is grace "$(state g-4)"
}
it 'a renewed grant is told of its new end anew' renew_in_notice
shrink() {
    at 2028-01-01T00:00:00Z
    exits 0 allot request submit --tenant a --flavor v100 --units 3 --storage '20 TB'
    allot grant show g-5 --json >"$out"
    is 'allot-a-g5-s1 allot-a-g5-s2' "$(value '[.things[] | select(.kind == "server") | .name] | join(" ")' | sed 's/-[0-9a-f]\{6\}\b//g')"
    server=$(value '[.things[] | select(.kind == "server") | .name] | last')
    units=$(value '[.things[] | select(.kind == "server") | .units] | last')
    exits 4 allot grant shrink g-5 nothing
    exits 2 allot grant shrink g-5 "$server" "$server"
    exits 0 allot --dry-run grant shrink g-5 "$server"
    has "$out" "held before: v100 x 3, 20 TB; now: v100 x $((3 - units)), 20 TB"
    exits 0 allot grant shrink g-5 "$server" --json
    allot grant show g-5 --json >"$out"
    is $((3 - units)) "$(value '.lines[0].units')"
    is $(((3 - units) * 15600)) "$(value .compute_gflops)"
    is 20000000000000 "$(value .storage_bytes)"
    cp "$out" things.json
    exits 5 allot grant shrink g-5 "$(value '[.things[] | select(.kind == "volume").name][0]')"
    has "$err" 'is in use by server'
    # shellcheck disable=SC2046 # names have no blanks
    exits 5 allot grant shrink g-5 $(jq -r '.things[] | select(.observed != "absent") | .name' things.json)
    has "$err" 'nothing of grant g-5 would be left'
}
it 'shrink gives back a whole server and refuses to give back all' shrink
release() {
    at 2028-01-01T00:00:00Z
    exits 5 allot grant purge g-5
    has "$err" 'grant release g-5'
    exits 0 allot grant release g-5 --reason 'done early' --json
    is kept "$(value .state)"
    exits 5 allot grant release g-5
    exits 5 allot grant extend g-5 --for '1 day'
    exits 5 allot grant shrink g-5 "$(allot grant show g-5 --json | jq -r '.things[] | select(.kind == "volume").name' | head -1)"
    exits 0 allot grant purge g-5 --json
    is ended "$(value .state)"
    exits 5 allot grant purge g-5
}
it 'released early, then purged by an administrator' release
volume() { # the first server carries the volumes: both go, the other server stays
    at 2028-01-01T00:00:00Z
    exits 0 allot request submit --tenant a --flavor v100 --units 3 --storage '20 TB' --json
    g=$(value .grant)
    allot grant show "$g" --json >things.json
    exits 5 allot grant shrink "$g" "$(jq -r '[.things[] | select(.kind == "server").name][0]' things.json)"
    has "$err" 'carries the volumes'
    mapfile -t names < <(jq -r '[.things[] | select(.kind == "server").name][0], (.things[] | select(.kind == "volume").name)' things.json)
    exits 0 allot grant shrink "$g" "${names[@]}"
    allot grant show "$g" --json >"$out"
    is 0 "$(value .storage_bytes)"
    is active "$(value .state)"
    exits 0 allot grant release "$g" --json
    is ended "$(value .state)"
}
it 'volumes go with the server that carries them' volume
no_storage() {
    at 2028-01-01T00:00:00Z
    exits 0 allot request submit --tenant b --flavor t4 --units 2 --json
    g=$(value .grant)
    exits 0 allot grant release "$g" --json
    is ended "$(value .state)"
}
it 'a grant without storage ends with its servers' no_storage
reserved() {
    at 2028-01-01T00:00:00Z
    exits 0 allot request submit --tenant b --flavor v100 --units 2 --storage '1 TB' --no-provision --json
    g=$(value .grant)
    is reserved "$(state "$g")"
    exits 5 allot grant extend "$g" --for '1 day'
    exits 0 allot grant release "$g" --no-provision
    is voiding "$(state "$g")"
    exits 0 allot reconcile
    is void "$(state "$g")"
    is 0 "$(things "\"$g\"")"
}
it 'released while it is reserved, nothing of it was ever made' reserved

# ---- tenants that stop ----

suspended() {
    at 2028-01-02T00:00:00Z
    exits 0 allot tenant suspend b --reason 'papers are missing'
    exits 3 allot request submit --tenant b --flavor t4 --units 1
    exits 3 allot grant renew g-4
    has "$err" suspended
    exits 0 allot tenant resume b --reason 'papers came'
    exits 0 allot grant renew g-4
}
it 'a suspended tenant gets nothing new, not a later end either' suspended
closing() {
    at 2028-01-02T00:00:00Z
    exits 5 allot tenant close b --reason gone
    has "$err" live
    exits 0 allot grant release g-4
    exits 0 allot tenant close b --reason gone
    exits 5 allot request submit --tenant b --flavor t4 --units 1
}
it 'a tenant with a live grant cannot be closed' closing

# ---- an administrator's direct grant ----

direct() {
    at 2028-01-02T00:00:00Z
    add_tenant m 3 moving
    add_tenant e 4 elsewhere
    exits 8 allot request submit --tenant m --flavor v100 --units 1
    exits 0 allot grant add m --flavor v100 --units 1 --json
    is granted "$(value .outcome)"
    exits 3 allot grant add e --flavor v100 --units 1
    exits 2 allot grant add e --flavor v100 --units 1 --override E1
    exits 2 allot grant add e --flavor v100 --units 1 --override E1 --reason 'test bed' --override-until 2027-01-01
    exits 3 allot grant add e --flavor v100 --units 16 --override E1 --reason 'too much' --override-until 2028-02-28
    exits 0 allot grant add e --flavor v100 --units 1 --override E1 --reason 'test bed' --override-until 2028-02-28 --json
    g=$(value .grant)
    is 1 "$(sqlite3 "$STORE" "SELECT count(*) FROM exception WHERE grant_id > 0")"
    is "${g#g-}" "$(sqlite3 "$STORE" "SELECT grant_id FROM exception WHERE reason = 'test bed'")"
    exits 3 allot grant add e --flavor v100 --units 16 --override E1 --reason 'test bed' --override-until 2028-02-28
    exits 3 allot grant add m --flavor v100 --units 24 --override C1 --reason 'test bed' --override-until 2028-02-28
    exits 4 allot grant add m --flavor v100 --units 24 --override C11 --reason 'test bed' --override-until 2028-02-28
    has "$err" "has no rule 'C11'"
    has "$err" "did you mean 'C1'?"
    exits 2 allot grant add m --flavor v100 --units 24 --override C1,C2 --reason 'test bed' --override-until 2028-02-28
    over_both=(--override C1 --override C2 --reason 'test bed' --override-until 2028-02-28)
    exits 3 allot grant add m --flavor v100 --units 2400 "${over_both[@]}"
    exits 2 allot grant add m --flavor v100 --units 16 "${over_both[@]}" --until 2028-02-29
    exits 0 allot grant add m --flavor v100 --units 16 "${over_both[@]}" --json
    g=$(value .grant)
    is granted "$(value .outcome)"
    is 'C1 C2' "$(sqlite3 "$STORE" "SELECT group_concat(rule, ' ') FROM exception WHERE grant_id = ${g#g-}")"
    is 2028-02-28T15:00:00Z "$(allot grant show "$g" --json | jq -r .end)"
    exits 0 allot audit verify
}
it 'a direct grant passes a review, and rules with a dated reason, never capacity' direct

volume_first() {
    new_store
    at 2026-03-02T00:00:00Z
    add_tenant a 1
    exits 0 allot request submit --tenant a --flavor v100 --units 2 --per-server 1 --storage '1 TB'
    allot grant show g-1 --json | jq -r '.things[] | select(.kind == "volume" or (.name | contains("-s1"))).name' >names
    mapfile -t names <names
    exits 0 allot grant shrink g-1 "${names[@]}" --no-provision
    exits 0 allot grant release g-1 --no-provision
    exits 0 allot reconcile
    is ended "$(state g-1)"
}
it 'a grant whose last volume was given back before its servers ends with it' volume_first
wrong_state() {
    exits 2 allot grant list --state actve
    has "$err" "did you mean 'active'"
    exits 2 allot tenant list --attr seat=gwangjo
    has "$err" "did you mean 'gwangju'"
    exits 2 allot tenant list --attr sat=gwangju
    exits 0 allot grant list --state voiding
    is none "$(cat "$out")"
    exits 4 allot explain g-1
    has "$err" 'neither a request, a decision nor a tenant'
    exits 2 env ALLOT_LOG=loud "$ALLOT" --store "$STORE" grant list
}
it 'a state or attribute that none can have is refused, one that none has lists none' wrong_state

dry() {
    exits 0 allot pool drain p --dry-run
    is 1 "$(grep -c 'dry run: nothing was done' "$out")"
    exits 0 allot pool drain p --dry-run --json
    lacks "$out" 'dry run'
    exits 0 allot pool drain p
    lacks "$out" 'dry run'
    exits 0 allot pool lose p --host h1 --confirm --dry-run
    lacks "$out" 'to do it'
}
it 'a dry run says once that it was one, to people only' dry

completed() { # WANT WORD...
    local want=$1
    shift
    exits 0 env ALLOT_STORE="$STORE" "$ALLOT" __complete -- "$@"
    is "$want" "$(tr '\n' ' ' <"$out")"
}
completion() {
    new_store
    at 2026-03-02T00:00:00Z
    add_tenant 'a b' 1
    exits 0 allot request submit --tenant 'a b' --flavor t4 --units 1 --no-provision
    completed 'g-1 ' grant show ''
    completed 'a b r-1 ' explain ''
    completed 't4 ' request submit --flavor t
    completed 'voiding void ' grant list --state v
    completed 'pilot pilot-fp16 :file ' policy load pi
}
it 'completion knows grants, requests, tenants, flavors, states and policies' completion

finish
