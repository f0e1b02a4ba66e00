#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2119 # cases are called by name
# Offers and swaps by the program: what a waiting request could have is kept for it, taken once, and ends in its time.
. "$ROOT/test/books.bash"

new_store
policy_text | sed 's/^policy "\([^"]*\)" version [0-9]*;/policy "\1" version 2;/' >queue.policy
printf 'Q1 queue order share, wait, id hold 3 days;\nB1 borrow lend-max 100 %% notice 7 days min-hold 14 days;\n' >>queue.policy
allot policy load queue.policy >/dev/null
for i in 1 2 3 4 5; do add_tenant "t$i" "$i"; done
free() { sqlite3 "$STORE" "SELECT balance FROM account WHERE item = 'unit/v100' AND kind = 'free'"; }
waits() { # the pool is lent until fewer than 8 cards are free; then one waits for 8 and is offered the rest
    allot grant add t1 --flavor v100 --units 8 >/dev/null || return 1
    allot grant add t5 --flavor v100 --units 8 >/dev/null || return 1
    exits 0 allot request submit --tenant t2 --flavor v100 --units 4
    exits 8 allot request submit --tenant t3 --flavor v100 --units 8
    exits 0 allot request show r-4
    has "$out" 'can be had now'
    has "$out" 'v100 x 4 (62.4 TF)'
    exits 0 allot --json request show r-4
    is 62400 "$(value .offer.compute_gflops)"
    is 4 "$(free)"
    exits 0 allot --json queue
    is '62400 2026-03-05T00:00:00Z' "$(value '.[0] | "\(.offer_gflops) \(.offer_until)"')"
    COLUMNS=72 exits 0 allot queue # what is asked is never cut
    has "$out" 'v100 x 8'
    exits 0 allot status
    has "$out" 'offers      1 open: r-4 of t3 until 2026-03-05T00:00:00Z'
    exits 0 allot --json status
    is 'r-4 t3 p 62400' "$(value '.offers[0] | "\(.request) \(.tenant) \(.pool) \(.compute_gflops)"')"
    exits 8 allot request submit --tenant t4 --flavor v100 --units 1
}
it 'what a waiting request could have is kept for it alone' waits
race() { # sixteen processes take it at once: one grant, fifteen conflicts
    local i got=0 refused=0
    for i in $(seq 16); do
        (
            status=0
            allot request accept r-4 >"took.$i" 2>&1 || status=$?
            echo $status >"status.$i"
        ) &
    done
    wait
    for i in $(seq 16); do
        case $(cat "status.$i") in 0) got=$((got + 1)) ;; 5) refused=$((refused + 1)) ;; esac
    done
    is 1 $got
    is 15 $refused
    is 1 "$(sqlite3 "$STORE" "SELECT count(*) FROM grants WHERE request = 4")"
    is 0 "$(sqlite3 "$STORE" 'SELECT count(*) FROM offer')"
    exits 0 allot status
    lacks "$out" 'offers '
    exits 0 allot explain r-4
}
it 'sixteen processes take one offer once' race
again() {
    exits 5 allot request accept r-4
    exits 4 allot request accept r-99
    exits 2 allot request accept g-1
}
it 'an offer that is gone says so' again
swap() {
    exits 2 allot request submit --tenant t2 --flavor t4 --units 1 --replace x-1
    exits 4 allot request submit --tenant t1 --flavor t4 --units 1 --replace g-3
    has "$err" 'the tenant has no grant g-3'
    exits 0 allot request submit --tenant t2 --flavor t4 --units 1 --replace g-3
    is releasing "$(sqlite3 "$STORE" "SELECT state FROM grants WHERE id = 3")"
    exits 0 allot reconcile
    is ended "$(sqlite3 "$STORE" "SELECT state FROM grants WHERE id = 3")"
    is active "$(sqlite3 "$STORE" "SELECT state FROM grants ORDER BY id DESC LIMIT 1")"
    exits 0 allot --json grant show "g-$(sqlite3 "$STORE" 'SELECT max(id) FROM grants')"
    is g-3 "$(value .replaces)"
}
it 'a swap gives the old grant back when the new one stands' swap
expiry() {
    exits 8 allot request submit --tenant t4 --flavor v100 --units 7
    local id
    id=$(sqlite3 "$STORE" 'SELECT max(id) FROM request')
    is "$id" "$(sqlite3 "$STORE" 'SELECT request FROM offer')"
    at "$(date -u -d "$NOW + 4 days" +%FT%TZ)"
    exits 5 allot request accept "r-$id"
    has "$err" "the offer of r-$id ended at"
    exits 0 allot tick --confirm
    is 0 "$(sqlite3 "$STORE" 'SELECT count(*) FROM offer')"
    exits 5 allot request accept "r-$id"
    has "$err" 'expired'
}
it 'an offer that nobody takes ends with its time' expiry
standing() {
    exits 0 allot --json tenant show t1
    is p "$(value '.standing[0].pool')"
}
it 'tenant show says how the policy sees it' standing
compare() {
    exits 0 allot explain t1 --vs t2
    has "$out" 'the next step goes to'
    exits 0 allot --lang ko explain t1 --vs t2
    has "$out" '가중치'
    exits 0 allot --json explain t1 --vs t2
    is p "$(value '.[0].pool')"
    exits 4 allot explain t1 --vs nobody
    add_tenant far 9 elsewhere
    add_tenant away 8 elsewhere
    exits 0 allot tick --confirm
    exits 0 allot explain far --vs t2
    has "$out" 'p: the next step goes to t2: far is not eligible.'
    exits 0 allot explain t2 --vs far
    has "$out" 'p: the next step goes to t2: far is not eligible.'
    exits 0 allot explain far --vs away
    has "$out" 'neither far nor away is eligible'
    exits 0 allot --lang ko explain far --vs t2
    has "$out" 'far은(는) 자격 요건에 맞지 않으므로'
    add_tenant new 7
    exits 0 allot tick --confirm
    exits 0 allot explain new --vs t1
    has "$out" 'p: the next step goes to new; none to t1: its ceiling leaves no further step.'
    has "$out" 'new in pool p: tier - (-), weight 1, guarantee 0 TF; holds 0 TF of at most 125 TF;'
    exits 0 allot --lang ko explain new --vs t1
    has "$out" 'p: 다음 자원은 new에 배정됩니다. t1: 한도 때문에 더 받을 수 없습니다.'
    exits 0 allot explain far --vs t1
    has "$out" 'p: no step goes to either: of far, it is not eligible; of t1, its ceiling leaves no further step.'
    exits 0 allot tenant suspend new --reason 'papers missing'
    exits 0 allot tick --confirm
    exits 0 allot explain t2 --vs new
    has "$out" 'p: the next step goes to t2; none to new: it is suspended.'
}
it 'two tenants are compared' compare
finish
