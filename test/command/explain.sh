#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2119 # cases are called by name
# What a tenant has and why, any decision by its number, and the way through the policy.
. "$ROOT/test/books.bash"

new_store
{
    policy_text | sed 's/^policy "\([^"]*\)" version [0-9]*;/policy "\1" version 2;/; s/^attr seat/attr ai : bool;\n&/'
    cat <<'END'
set tier {
  T1 first weight 4 guarantee 62.4 TF "an AI firm" ko "인공지능 기업" when ai;
  T9 rest weight 1 "any other" ko "그 밖" otherwise;
}
Q1 queue order share, wait, id hold 3 days;
B1 borrow lend-max 100 % notice 7 days min-hold 14 days;
END
} >tiers.policy
allot policy load tiers.policy >/dev/null 2>&1
for i in 1 2 3 4 5; do add_tenant "t$i" "$i" gwangju && allot tenant set "t$i" --set ai=false >/dev/null; done
add_tenant first 6 && allot tenant set first --set ai=true >/dev/null
what() {
    exits 0 allot grant add first --flavor v100 --units 8
    exits 0 allot explain first
    has "$out" 'first in pool p (fp32), by policy test version 2:'
    has "$out" 'It is in tier first by rule T1 (tiers.policy:20), with weight 4.'
    has "$out" 'It is guaranteed 62.4 TF.'
    has "$out" 'It holds 124.8 TF of at most 125 TF, 26.4 % of the pool'
    has "$out" '62.4 TF of it is borrowed'
    has "$out" 'One more request for compute would get nothing now. What limits it: first may hold 125 TF, holds 124.8 TF'
    exits 0 allot --lang ko explain first
    has "$out" '등급은 first(규칙 T1, tiers.policy:20)이고 가중치는 4입니다.'
    has "$out" '보장량은 62.4 TF입니다.'
    has "$out" '제한하는 것: first의 연산 한도는 125 TF'
    exits 0 allot --json explain first
    is 'first T1 tiers.policy:20 4 62400 62400 471600' \
        "$(value '.pools[0].standing | "\(.tier) \(.rule) \(.place) \(.weight) \(.guarantee_gflops) \(.guarantee_stated_gflops) \(.capacity_gflops)"')"
    is '124800 125000 0' "$(value '.pools[0] | "\(.held.compute_gflops) \(.limits.compute_gflops) \(.debt.compute_gflops)"')"
    is EXCEEDS_CEILING "$(value '.pools[0].now.reasons[0].code')"
    is 8 "$(value '.pools[0].held.items."unit/v100"')"
}
it 'a tenant is told what it has, by which rule, and what limits it' what
nothing() { # one that never asked for anything
    exits 0 allot explain t5
    has "$out" 'If nobody waited before it, one more request would get up to'
    exits 0 allot --json explain t5
    is 'rest 0 0' "$(value '"\(.pools[0].standing.tier) \(.pools[0].waiting | length) \(.decisions | length)"')"
}
it 'a tenant without requests is explained too' nothing
waits() {
    allot grant add t1 --flavor v100 --units 8 >/dev/null
    allot request submit --tenant t2 --flavor v100 --units 6 >/dev/null
    exits 8 allot request submit --tenant t3 --flavor v100 --units 8
    r=$(sqlite3 "$STORE" "SELECT 'r-' || max(id) FROM request")
    exits 8 allot request submit --tenant t4 --flavor v100 --units 8
    exits 0 allot --json explain t4
    is '2 1 124800' "$(value '.pools[0].waiting[0] | "\(.position) \(.ahead_requests) \(.ahead_gflops)"')"
    exits 0 allot explain t4
    has "$out" 'at place 2: 1 before it, which ask for 124.8 TF'
    lacks "$out" t3
    exits 0 allot --json explain t3
    is "$r v100" "$(value '.pools[0].waiting[0] | "\(.request) \(.offer.lines[0].flavor)"')"
    has "$out" '"earliest_grant"'
    is 31200 "$(value .pools[0].held.offered_gflops)"
    exits 0 allot explain t3
    has "$out" 'It holds 31.2 TF (31.2 TF of it set aside for its offer) of at most 125 TF'
    has "$out" "31.2 TF is kept for it until 2026-03-05 09:00: request accept $r."
}
it 'its queue places with what is ahead, its offer and the earliest date are told' waits
itself() { # the same by its own key: no names, no grants of others
    printf '%s\n' '{"do": "explain"}' '{"do": "explain", "decision": "d-1"}' '{"do": "explain", "request": "r-1", "decision": "d-1"}' |
        SSH_CLIENT='192.0.2.1 1 22' "$ALLOT" --store "$STORE" --now "$NOW" serve --stdio --tenant t3 >"$out" 2>"$err"
    is 't3 p rest' "$(head -n 1 "$out" | jq -r '.answer | "\(.tenant) \(.pools[0].pool) \(.pools[0].standing.tier)"')"
    is true "$(head -n 1 "$out" | jq -r '.answer.pools[0].waiting[0] | has("earliest") and (has("earliest_grant") | not)')"
    is '4 2' "$(sed -n '2,3p' "$out" | jq -r .status | tr '\n' ' ' | sed 's/ $//')"
    for other in t1 t2 t4 first g-1 g-2; do lacks "$out" "\"$other\""; done
    d=$(sqlite3 "$STORE" "SELECT 'd-' || decision FROM request WHERE tenant = (SELECT id FROM tenant WHERE name = 't3')")
    echo '{"do": "explain", "decision": "'"$d"'"}' |
        "$ALLOT" --store "$STORE" --now "$NOW" serve --stdio --tenant t3 >"$out" 2>"$err"
    is "$d true" "$(value '"\(.answer.number) \(.answer.confirmed)"')"
}
it 'a tenant asks it of itself, and is told nothing of others' itself
older() { # waits, then is granted: both decisions are planned again, each from its own facts
    r=$(sqlite3 "$STORE" "SELECT max(id) FROM request")
    first=$(sqlite3 "$STORE" "SELECT 'd-' || decision FROM request WHERE id = $r")
    exits 0 allot grant release "$(sqlite3 "$STORE" "SELECT 'g-' || max(id) FROM grants WHERE state = 'active'")"
    exits 0 allot reconcile
    exits 0 allot grant release g-1
    exits 0 allot reconcile
    exits 0 allot tick --confirm
    is granted "$(sqlite3 "$STORE" "SELECT state FROM request WHERE id = $r")"
    last=$(sqlite3 "$STORE" "SELECT 'd-' || decision FROM request WHERE id = $r")
    exits 0 allot --json explain "$first"
    is "r-$r $first $last queued true" "$(value '"\(.request) \(.decision) \(.later) \(.outcome) \(.same_again)"')"
    exits 0 allot explain "$first"
    has "$out" "r-$r was decided again since: $last."
    exits 0 allot --json explain "r-$r"
    is "$last granted true" "$(value '"\(.decision) \(.outcome) \(.same_again)"')"
    exits 0 allot request show "r-$r"
    has "$out" "$last"
    exits 0 allot --json audit show --kind decision
    is true "$(value "any(.[]; .decision == \"$first\")")"
    exits 4 allot explain d-99999
    for d in $(sqlite3 "$STORE" "SELECT 'd-' || id FROM decision"); do exits 0 allot explain "$d"; done
}
it 'an older decision is planned again from its own facts' older
changed() { # one bit of an old decision is found, by its number
    cp "$STORE" kept.db && cp "$STORE-wal" kept.db-wal
    d=$(sqlite3 "$STORE" "SELECT min(id) FROM decision WHERE outcome = 'queued'")
    sqlite3 "$STORE" "UPDATE decision SET body = replace(body, '\"position\":1', '\"position\":2') WHERE id = $d"
    exits 9 allot explain "d-$d"
    has "$err" "d-$d: planned again from what was stored, the decision comes out differently"
    rm -f "$STORE"* && mv kept.db "$STORE" && mv kept.db-wal "$STORE-wal"
}
it 'an older decision that was changed is found' changed
traced() {
    exits 0 allot --json explain r-1 --trace
    is 'r-1 granted' "$(value '.trace | "\(.claim) \(.outcome)"')"
    has "$out" '"would_grant_if"'
    exits 0 allot explain r-1 --trace
    has "$out" '"rules": ['
    exits 0 allot --json explain r-1
    is false "$(value 'has("trace")')"
}
it 'the trace is shown when it is asked for' traced
finish
