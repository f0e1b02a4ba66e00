#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2119 # cases are called by name
# What is promised to one that waits, while the world around it changes: ceilings, dates, losses, what comes free.
. "$ROOT/test/books.bash"

rules() { tier_policy "$1" "${GUARANTEE:-0}" "${4:-360 days}" "$2" "$3"; } # VERSION CEILINGS MORE-RULES [LEASE]
C1='C1 ceiling per tenant compute 400 TF storage 50 TB;'
Q1='Q1 queue order share, wait, id hold 3 days;'
begin() { # CEILINGS MORE-RULES [LEASE]
    new_store
    rules 2 "$@" >waiting.policy
    allot policy load waiting.policy >load.out 2>&1 || { cat load.out; return 1; }
    for i in 1 2 3 4 5; do add_tenant "t$i" "$i" "${SEAT:-gwangju}"; done
}
ask() { # STATUS TENANT FLAVOR UNITS [OPTION...]
    local status=$1 tenant=$2 flavor=$3 units=$4
    shift 4
    exits "$status" allot request submit --tenant "$tenant" --flavor "$flavor" --units "$units" "$@" --json
}
state() { allot request show "$1" --json | jq -r .state; }
offered() { allot request show "$1" --json | jq -r 'if .offer then [.offer.lines[] | .size * .count] | add else 0 end'; }
night() { # what is due, what the cloud does, what that lets in
    exits 0 allot tick --confirm
    exits 0 allot reconcile
}

# ---- an offer is always taken within its time ----

wider() { # 62.4 TF is its ceiling for one flavor, 80 TF for another, which it reaches while the offer stands
    begin 'C1 ceiling per tenant compute 62.4 TF when request.flavor = v100;
C2 ceiling per tenant compute 80 TF when request.flavor = t4;
C3 ceiling per tenant units t4 4;' "$Q1"
    for t in t1 t2 t3 t5; do ask 0 $t v100 4; done
    add_tenant t6 6
    add_tenant t7 7
    ask 0 t6 v100 4
    ask 0 t7 v100 2
    ask 8 t4 v100 4
    is 2 "$(offered r-7)"
    ask 0 t4 t4 4
    exits 0 allot request accept r-7
    is granted "$(state r-7)"
    exits 0 allot explain r-7
}
it 'an offer is taken though a wider ceiling was used up meanwhile' wider
wider_organisation() { # the ceiling of the organisation was raised, and its other tenant has the rest
    begin 'C1 ceiling per tenant compute 400 TF;
C2 ceiling per organisation compute 62.4 TF;' "$Q1"
    exits 0 allot tenant add u1 --organisation 'org 1' --registration 100-10-00001 --set seat=gwangju
    for t in t2 t3 t4 t5; do ask 0 $t v100 4; done
    for i in 6 7; do add_tenant "t$i" "$i"; done
    ask 0 t6 v100 4
    ask 0 t7 v100 2
    ask 8 t1 v100 4
    is 2 "$(offered r-7)"
    rules 3 'C1 ceiling per tenant compute 400 TF;
C2 ceiling per organisation compute 80 TF;' "$Q1" >wider.policy
    exits 0 allot policy load wider.policy
    ask 0 u1 t4 4
    exits 0 allot request accept r-7
}
it 'an offer is taken though the organisation has used a raised ceiling' wider_organisation
dated() { # it wants the cards until the tenth of March; held for thirty days, it would be given what has ended
    begin "$C1" 'Q1 queue order share, wait, id hold 30 days;'
    ask 0 t1 v100 20
    ask 8 t2 v100 8 --until 2026-03-10
    exits 0 allot request show r-2 --json
    is 2026-03-10T15:00:00Z "$(value .offer.until)"
    day '12 days'
    exits 5 allot request accept r-2
}
it 'an offer is not held past the wanted end' dated
lost() { # twelve and eight are lent; four are offered, one of which is lost
    begin "$C1" "$Q1"
    ask 0 t1 v100 12
    ask 0 t2 v100 8
    ask 8 t3 v100 8
    is 4 "$(offered r-3)"
    host=$(sqlite3 "$STORE" 'SELECT host FROM slot WHERE offer IS NOT NULL LIMIT 1')
    exits 0 allot pool lose p --host "$host" --flavor v100 --units 1 --confirm
    is 0 "$(offered r-3)"
    exits 0 allot pool restore p --host "$host" --flavor v100 --units 1
    night
    is 4 "$(offered r-3)"
    exits 0 allot request accept r-3
}
it 'one whose offer was lost may have the same again' lost

drained() { # the host of the four that are offered, and then the pool, give nothing new any more
    begin "$C1" "$Q1"
    ask 0 t1 v100 12
    ask 0 t2 v100 8
    ask 8 t3 v100 8
    is 4 "$(offered r-3)"
    host=$(sqlite3 "$STORE" 'SELECT DISTINCT host FROM slot WHERE offer IS NOT NULL')
    other=$(sqlite3 "$STORE" "SELECT name FROM host WHERE name <> '$host' ORDER BY name LIMIT 1")
    exits 0 allot pool drain p --host "$other"
    is 4 "$(offered r-3)"
    exits 0 allot pool drain p --host "$host"
    is 0 "$(offered r-3)"
    exits 5 allot request accept r-3
    has "$err" '(drained)'
    is 'The offer for request r-3 has ended: what it set aside gives nothing new any more. The request keeps its place.' \
        "$(sqlite3 "$STORE" "SELECT json_extract(payload, '$.en') FROM outbox ORDER BY id DESC LIMIT 1")"
    night
    is 0 "$(offered r-3)"
    exits 0 allot pool undrain p --host "$host"
    night
    is 4 "$(offered r-3)"
    exits 0 allot pool drain p
    is 0 "$(offered r-3)"
    exits 0 allot pool undrain p
    night
    exits 0 allot request accept r-3
}
it 'an offer ends where its host or pool is drained' drained
suspended() { # what was kept for it comes free at once, for the next
    begin "$C1" "$Q1"
    ask 0 t1 v100 12
    ask 0 t2 v100 8
    ask 8 t3 v100 8
    is 4 "$(offered r-3)"
    ask 8 t4 v100 8
    is 0 "$(offered r-4)"
    exits 0 allot --dry-run tenant suspend t3 --reason 'papers missing'
    is 4 "$(offered r-3)"
    exits 0 allot tenant suspend t3 --reason 'papers missing'
    is 0 "$(offered r-3)"
    ask 0 t5 v100 4
    exits 3 allot request accept r-3
    exits 0 allot tenant resume t3 --reason 'papers are here'
    exits 5 allot request accept r-3
    has "$err" '(suspended)'
}
it 'an offer ends where its tenant is suspended' suspended

# ---- one with an offer keeps its place ----

units_of() { allot grant show "$1" --json | jq '[.lines[].units] | add // 0'; }
grown() { # it waits for eight with four set aside; of the eight that come back it needs four, another waits behind
    begin "$C1" "$Q1"
    ask 0 t1 v100 12
    ask 0 t5 v100 8
    ask 8 t2 v100 8
    ask 8 t3 v100 8
    is '4 0' "$(offered r-3) $(offered r-4)"
    day '1 day'
    exits 0 allot reconcile
    exits 0 allot grant release g-2
    exits 0 allot reconcile
    night
    is 'granted queued' "$(state r-3) $(state r-4)"
    is '8 4' "$(units_of g-3) $(offered r-4)"
    is 'it can have more' "$(sqlite3 "$STORE" "SELECT detail FROM entry_detail JOIN entry USING (seq) WHERE kind = 'offer.end'")"
    exits 0 allot explain r-3
    exits 0 allot explain r-4
}
it 'what comes free makes the whole of it: it is granted before those behind it' grown
not_yet() { # four come back, and twelve are needed: the offer stands as it was, device for device
    begin "$C1" "$Q1"
    ask 0 t1 v100 12
    ask 0 t5 v100 4
    ask 0 t4 v100 4
    ask 8 t2 v100 16
    before=$(sqlite3 "$STORE" 'SELECT * FROM offer, offer_line; SELECT host, name, offer FROM slot WHERE offer IS NOT NULL')
    exits 0 allot reconcile
    exits 0 allot grant release g-2
    exits 0 allot reconcile
    night
    is "$before" "$(sqlite3 "$STORE" 'SELECT * FROM offer, offer_line; SELECT host, name, offer FROM slot WHERE offer IS NOT NULL')"
    exits 0 allot request accept r-4
    is 4 "$(units_of g-4)"
}
it 'an offer stands while the whole does not fit' not_yet
several() { # two with offers; what comes back is enough for the first of them, then for both
    begin "$C1" "$Q1"
    ask 0 t1 v100 8
    ask 0 t5 v100 8
    ask 0 t4 v100 2
    ask 8 t2 v100 8 --per-server 2
    ask 8 t3 v100 8 --per-server 1
    is '6 0' "$(offered r-4) $(offered r-5)"
    exits 0 allot reconcile
    exits 0 allot grant release g-1
    exits 0 allot reconcile
    ask 8 t1 v100 20
    is 'granted queued' "$(state r-4) $(state r-5)"
    exits 0 allot grant release g-2
    exits 0 allot reconcile
    night
    is 'granted granted' "$(state r-4) $(state r-5)"
}
it 'two that wait with offers are served in their order, by the next request too' several

# ---- a call ----

share() { # others have guarantees of 62.4 TF each; outside the share of the call far more than that stays free
    SEAT=elsewhere GUARANTEE=62.4 begin "$C1" "${Q1/ hold 3 days/}
B1 borrow lend-max 0 %, notice 7 days, min-hold 14 days;"
    for i in 6 7 8; do add_tenant "t$i" "$i"; done
    exits 0 allot call open spring --compute '62.4 TF'
    ask 8 t1 v100 4 --call spring
    exits 0 allot call close spring
    printf 'request,reviewer,score,remark\nr-1,kim,80,good\n' >scores.csv
    exits 0 allot call score spring scores.csv
    exits 0 allot call award spring
    is granted "$(state r-1)"
    exits 0 allot explain r-1 --json
    is true "$(value .same_again)"
}
it 'the share of a call is not all that is free for the guarantees of others' share

# ---- what is taken back for one that waits ----

notices() { allot queue notices --all --json | jq -c 'map([.notice, .grant, .state])'; }
reviewed() { # the day the notice takes effect its holder has given back all else, and others have taken that
    GUARANTEE=62.4 begin "$C1" "${Q1/ hold 3 days/}
B1 borrow lend-max 100 %, notice 7 days, min-hold 14 days, most 2 tenants;"
    add_tenant t6 6 elsewhere
    for i in 1 2; do ask 0 t1 v100 8 --per-server 8; done
    ask 0 t1 v100 4 --per-server 4
    ask 0 t2 v100 4
    exits 0 allot reconcile
    night
    day '1 day'
    ask 8 t3 v100 4
    night
    is '[["n-1","g-3","noticed"]]' "$(notices)"
    exits 0 allot notify
    day '20 days'
    for g in g-1 g-2; do exits 0 allot grant release $g; done
    night
    is '[["n-1","g-3","withdrawn"]]' "$(notices)"
    is 4 "$(units_of g-3)"
    is granted "$(state r-5)"
}
it 'a notice is looked at again before it takes effect' reviewed

noticed() { # all is lent until the end of its lease; what is under notice comes back before
    GUARANTEE=62.4 begin "$C1" 'Q1 queue order share, wait, id;
B1 borrow lend-max 100 %, notice 7 days, min-hold 14 days;'
    add_tenant t6 6 elsewhere
    ask 0 t6 v100 24
    exits 0 allot reconcile
    ask 8 t1 v100 12
    has "$out" '62.4 TF of its guarantee are unused: ask with --minimum 4 to claim that now'
    ask 8 t2 v100 4
    is '["2027-03-04T00:00:00Z","g-1",null]' "$(allot request show r-3 --json | jq -c '.decision.earliest | [.at, .grant, .notice]')"
    day '14 days'
    night
    is '[["n-1","g-1","noticed"]]' "$(notices)"
    is '["2026-03-23T00:00:00Z","g-1","n-1"]' "$(allot request show r-3 --json | jq -c '.decision.earliest | [.at, .grant, .notice]')"
    exits 0 allot request show r-3
    has "$out" '2026-03-23 09:00 (notice n-1 on g-1)'
    exits 0 allot request show r-3 --lang ko
    has "$out" '(통지 n-1, g-1에서 회수)'
    exits 0 allot explain r-3
    has "$out" 'All of it fits on 2026-03-23 at the earliest, when notice n-1 takes back from g-1'
    has "$out" 'all of it fits on 2026-03-23 at the earliest, when what is under notice comes back'
    exits 0 allot explain t2
    has "$out" 'when notice n-1 takes effect'
    is null "$(allot request show r-2 --json | jq -c .decision.earliest.notice)"
    exits 0 allot notify
    day '22 days'
    night
    is '[["n-1","g-1","done"]]' "$(notices)"
    night
    is granted "$(state r-3)"
}
it 'what is under notice counts for the earliest date' noticed

# ---- one that waited long ----

renewal() { # twenty of 24 cards are needed; the barrier stands from the tenth day
    GUARANTEE=62.4 begin "$C1" 'Q1 queue order share, wait, id barrier 10 days;
B1 borrow lend-max 100 %, notice 7 days, min-hold 14 days;' '30 days'
    add_tenant t6 6 elsewhere
    ask 0 t6 v100 12
    ask 0 t1 v100 4
    ask 0 t6 t4 4
    ask 8 t2 v100 20
    exits 0 allot reconcile
    day '9 days'
    night
    exits 0 allot grant renew g-3
    day '11 days'
    night
    exits 3 allot grant renew g-1
    has "$err" 'g-1 cannot be renewed now: a request that waited long needs v100, and t6 holds more than its guarantee'
    exits 0 allot grant renew g-2
    exits 0 allot grant renew g-3
    exits 0 allot request withdraw r-4
    exits 0 allot grant renew g-1
}
it 'what a barrier waits for is not renewed above a guarantee' renewal

# ---- budgets ----

budget() { # 124.8 TF for 15 days are 44928 TF-hours; half of it lies in an offer
    begin "$C1" "$Q1
M1 budget per organisation compute 45000 TF-hours each month;" '15 days'
    exits 0 allot tenant add u1 --organisation 'org 1' --registration 100-10-00001 --set seat=gwangju
    ask 0 t2 v100 8
    ask 0 t3 v100 8
    ask 0 t4 v100 4
    ask 8 t1 v100 8
    is 4 "$(offered r-4)"
    ask 3 u1 t4 8
    has "$out" EXCEEDS_BUDGET
    ask 0 u1 t4 4
    exits 0 allot request accept r-4
    ask 3 t1 t4 4
}
it 'what is set aside for an offer counts against the budget' budget
longer() { # 62.4 TF for 15 days are 22464 TF-hours, and five days more fit in 30000
    begin "$C1" "$Q1
M1 budget per tenant compute 30000 TF-hours each month;" '15 days'
    ask 0 t1 v100 4
    ask 0 t2 v100 4
    exits 0 allot reconcile
    exits 3 allot grant renew g-1
    has "$err" 'g-1 cannot be held longer: t1 may have 30000 TF-hours in a month, and 22464 TF-hours is granted; 62.4 TF until'
    has "$err" '(M1, waiting.policy:'
    has "$err" '5 days longer would pass; the next month begins on 2026-04-01; an admin may set the rule aside: allot grant extend g-1 --override M1 --reason TEXT'
    exits 0 allot grant extend g-1 --for '5 days'
    exits 3 allot grant extend g-1 --for '1 day'
    exits 0 allot grant extend g-1 --for '1 day' --override M1 --reason 'the letter of 3 March'
    is '[["M1","the letter of 3 March","2026-03-23T00:00:00Z"]]' \
        "$(sqlite3 "$STORE" "SELECT json_group_array(json_array(rule, reason, strftime('%Y-%m-%dT%H:%M:%SZ', until_at, 'unixepoch'))) FROM exception WHERE grant_id = 1")"
    day '10 days'
    exits 3 allot grant renew g-2
    SSH_CLIENT='192.0.2.1 1 22' allot serve --stdio --tenant t2 >"$out" 2>"$err" <<<'{"do": "renew", "grant": "g-2"}'
    has "$out" 'g-2 cannot be held longer'
    exits 0 allot grant extend g-2 --for '2 days'
    is 2026-03-19T00:00:00Z "$(allot grant show g-2 --json | jq -r .end)"
}
it 'a later end is within the budget, or by an exception' longer
swap() { # 62.4 TF for 15 days are 22464 TF-hours; what goes in exchange is not spent twice
    begin "$C1" "$Q1
M1 budget per tenant compute 24000 TF-hours each month;" '15 days'
    ask 0 t1 v100 4
    exits 0 allot reconcile
    ask 3 t1 t4 1
    ask 3 t1 v100 5 --replace g-1
    ask 0 t1 v100 4 --per-server 1 --replace g-1
    exits 0 allot explain r-4 --json
    is true "$(value .same_again)"
    exits 0 allot reconcile
    exits 0 allot reconcile
    is ended "$(allot grant show g-1 --json | jq -r .state)"
    ask 3 t1 t4 1
}
it 'a swap within a budget is not counted twice' swap

turns() { # what is offered is kept until the tenth day, from which on all is for it
    begin "$C1" 'Q1 queue order share, wait, id hold 30 days barrier 10 days;'
    ask 0 t1 v100 12
    ask 0 t2 v100 8
    ask 8 t3 v100 8
    is 2026-03-12T00:00:00Z "$(allot request show r-3 --json | jq -r .offer.until)"
    day '9 days'
    night
    is '4 null' "$(offered r-3) $(allot request show r-3 --json | jq -c .decision.is_barrier)"
    day '10 days'
    night
    is '0 true' "$(offered r-3) $(allot request show r-3 --json | jq -c .decision.is_barrier)"
    ask 8 t4 v100 4
    has "$out" 'set aside for a request that has waited longest'
    exits 0 allot grant release g-2
    exits 0 allot reconcile
    night
    night
    is granted "$(state r-3)"
}
it 'an offer is kept until its request is a barrier' turns
barrier() { # from the tenth day all that comes free is for the one that needs twenty, offers or not
    begin "$C1" 'Q1 queue order share, wait, id hold 30 days barrier 10 days;
B1 borrow lend-max 100 %, notice 7 days, min-hold 14 days;'
    add_tenant t6 6
    ask 0 t1 v100 8
    ask 0 t4 v100 4
    ask 0 t5 v100 12
    ask 8 t2 v100 20
    exits 0 allot reconcile
    day '11 days'
    exits 0 allot grant release g-2
    exits 0 allot reconcile
    night
    exits 0 allot grant release g-1
    exits 0 allot reconcile
    ask 8 t3 v100 8
    night
    exits 0 allot grant release g-3
    exits 0 allot reconcile
    night
    is 'granted queued' "$(state r-4) $(state r-5)"
}
it 'a barrier stands whatever its request was offered' barrier

# ---- those who wait are counted ----

counted() { # with each new one, whoever came, left or changed meanwhile
    place() { sound && allot explain "$1" --json | jq -c '[.position, .ahead_gflops // 0]'; }
    begin "$C1" "$Q1"
    for t in t1 t2 t3; do ask 0 $t v100 8; done
    ask 8 t4 v100 4
    is '[1,0]' "$(place r-4)"
    ask 8 t5 v100 8
    is '[2,62400]' "$(place r-5)"
    ask 0 t4 t4 4
    ask 8 t4 v100 2
    is '[3,187200]' "$(place r-7)"
    exits 0 allot request withdraw r-4
    ask 8 t4 v100 1
    is '[3,156000]' "$(place r-8)"
    exits 8 allot request amend r-7 --units 4
    is '[3,140400]' "$(place r-7)"
    ask 8 t1 v100 1
    is '[4,202800]' "$(place r-9)"
    pool_file | sed 's/15.6 TF/15 TF/' >cheaper.yaml
    exits 0 allot pool set p --file cheaper.yaml
    ask 8 t2 v100 1
    is '[5,210000]' "$(place r-10)"
}
it 'those who wait are counted with each new one, whoever came, left or changed meanwhile' counted
finish
