#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2119,SC2094 # scenarios are called by name
# Stops the program at its n-th fault point, n = 0, 1, 2 ... until past the last, once by a failure and once by ending
# at once, in each step of the life of requests and grants. Then the same command again with the same key, and a
# reconcile. What is in the books and at the cloud must then be what it is when nothing went wrong, entry by entry.
# The arguments: names of scenarios, to see one alone; without any it runs all.
if [ $# = 0 ]; then # all, on two processors
    dir=$(mktemp -d) || exit 1
    "$0" submit slow bulk direct release shrink award unsigned offer accept quota goback frozen >"$dir/1" 2>&1 &
    "$0" refused lost purge approve void queue ends notified notice effect decline deliver collect expire swap project nolake lessens unbind drift >"$dir/2" 2>&1
    wait
    cat "$dir/1" "$dir/2" | grep -v ' passed, '
    awk '/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3; n++ }
         END { printf "%d passed, %d failed\n", p, f + (n != 2); exit f > 0 || n != 2 }' "$dir/1" "$dir/2"
    status=$?
    rm -rf "$dir"
    exit $status
fi

. "${ROOT:?}/test/books.bash" || exit 1
printf 'notify: [/bin/sh, -c, "cat >>%s/told"]\n' "$PWD" >"$ALLOT_CONFIG"

# ---- what is compared ----

# Everything but attempts, times of the backend and the order of independent entries.
dump() {
    sqlite3 "$STORE" "
      SELECT 'entry', kind, pool, tenant, request, grant_id, operation, item, from_kind, to_kind, quantity, count(*) FROM entry
        GROUP BY 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 ORDER BY 2, 3, 4, 5, 6, 7, 8, 9, 10, 11;
      SELECT 'account', * FROM account WHERE balance <> 0 ORDER BY pool, item, kind, grant_id;
      SELECT 'ceiling', * FROM ceiling ORDER BY pool, scope, owner;
      SELECT 'request', id, state, note, grant_id, approved_by FROM request ORDER BY id;
      SELECT 'decision', request, outcome, body FROM decision ORDER BY request, id;
      SELECT 'grant', id, state, compute_gflops, storage_bytes, end_at, keep_until, renewals_left FROM grants ORDER BY id;
      SELECT 'line', grant_id, flavor, units FROM grant_line ORDER BY grant_id, flavor;
      SELECT 'call', id, state, awarded_at, sign_by FROM call ORDER BY id;
      SELECT 'call request', * FROM call_request ORDER BY call, request;
      SELECT 'by hand', grant_id, item, quantity, state, remark FROM hand_line ORDER BY grant_id, item;
      SELECT 'agreement', id, call, needs_agreement, agreed_at FROM grants ORDER BY id;
      SELECT 'operation', id, grant_id, kind, item, name, host, units, bytes, desired, observed FROM operation ORDER BY id;
      SELECT 'project', pool, name, tenant FROM host WHERE tenant IS NOT NULL ORDER BY pool, name;
      SELECT 'slot', host, flavor, name, operation, offer FROM slot WHERE coalesce(operation, offer) IS NOT NULL ORDER BY 2, 3, 4;
      SELECT 'offer', request, compute_gflops, storage_bytes, until_at FROM offer ORDER BY request;
      SELECT 'offer line', tenant, item, quantity FROM offer_line ORDER BY tenant, item;
      SELECT 'held', scope, owner, item, held, most FROM holding WHERE held <> 0 ORDER BY scope, owner, item;
      SELECT 'message', kind, tenant, grant_id, request, payload, delivered_at IS NOT NULL FROM outbox ORDER BY tenant, id;
      SELECT 'notice', id, grant_id, cause, rule, flavor, units, compute_gflops, for_request, effect_at, message, state FROM reclaim ORDER BY id;
      SELECT 'of notice', reclaim, operation FROM reclaim_operation ORDER BY 2, 3;
      SELECT 'answer', key, status FROM answer ORDER BY key;
      SELECT 'orphan', * FROM orphan;"
    sed 's/"created":[0-9]*,//' "$CLOUD" 2>/dev/null | sort
}

# ---- the scenarios: what stands before, and the command that is stopped ----

key() { allot --idempotency-key "$@"; }
submit_one() { key k1 request submit --tenant a --flavor v100 --units 3 --storage '20 TB'; }
submit_file() { key k2 request submit --file "$PWD/requests.csv"; }
direct() { key k3 grant add m --flavor t4 --units 1; }
release() { key k4 grant release g-1; }
purge() { key k5 grant purge g-1; }
approve() { SUDO_USER=kim key k6 request approve r-1; }
shrink() { key k7 grant shrink g-1 "$(sqlite3 "$STORE" "SELECT name FROM operation WHERE kind = 'server' ORDER BY id DESC LIMIT 1")"; }
award() { key k8 call award spring --sign-by 2026-03-09; }
decline() { key k9 request decline r-1; }
deliver() { key k10 request delivered r-1 --remark here; }
collect() { key k11 request collected r-1; }
accept() { key k12 request accept r-4; }
offer() { key k13 request submit --tenant d --flavor v100 --units 8; }
swap() { key k14 request submit --tenant a --flavor t4 --units 2 --replace g-1; }
submit_lake() { key k15 request submit --tenant a --flavor v100 --units 3 --storage '2 TB' --datalake '1 TB'; }
unbind() { key k16 pool unbind p a; }
goback() { key k17 grant release g-1 && key k18 grant purge g-1; }
lessens() { key k19 grant shrink g-1 "$(sqlite3 "$STORE" "SELECT name FROM operation WHERE units = 1 ORDER BY id DESC LIMIT 1")"; }
tick() { allot tick --confirm; }
night() { allot tick --confirm && allot reconcile && allot tick --confirm; }
notify() { allot notify; }
reconcile() { allot reconcile; }
refuse() { sed -i 's/"file"/"fail_names": ["*-v2-*"], "file"/' "$PWD/pool.json" && allot pool set p --file "$PWD/pool.json"; }

borrow_policy() { # a has a guarantee, the others borrow it
    policy_text | sed -e 's/version 1/version 2/' -e '/^C2/d' -e '/^L1/d' -e '/^attr urgent/d'
    cat <<'END'
set tier { T1 a weight 4 guarantee 124.8 TF "a" when tenant = "a"; T9 other "others" otherwise; }
L1 lease term 360 days, renew 2, notice 14 days, grace 7 days, keep-data 30 days;
Q1 queue order share, wait, id;
B1 borrow lend-max 100 %, notice 7 days, min-hold 14 days;
END
}

offers() { # what one who waits could have is kept for three days; 4 of the V100 are left
    { policy_text | sed 's/version 1/version 2/' && echo 'Q1 queue order share, wait, id hold 3 days;'; } >offers.policy
    allot policy load offers.policy
    allot request submit --tenant a --flavor v100 --units 8
    allot request submit --tenant b --flavor v100 --units 8
    allot request submit --tenant c --flavor v100 --units 4
}

# Three ask for 8 of the 12 V100 of a call, one for 4. $1: further words of the lease.
a_call() {
    policy_text | sed "s/version 1/version 2/; s/keep-data 30 days/keep-data 30 days${1:-}/" >call.policy
    allot policy load call.policy
    allot call open spring --compute '187.2 TF'
    local tenant
    for tenant in a b c; do allot request submit --call spring --tenant "$tenant" --flavor v100 --units 8 --storage '1 TB'; done
    allot request submit --call spring --tenant d --flavor v100 --units 4
    printf 'request,reviewer,score\nr-1,kim,90\nr-2,kim,80\nr-3,kim,70\nr-4,kim,60\n' >scores.csv
    allot call score spring scores.csv && allot call close spring
}
by_hand() {
    pool_file >hand.yaml && printf 'datalake: 10 TB\nsaas: [{name: notebook, seats: 10}]\n' >>hand.yaml
    allot pool set p --file hand.yaml
    policy_text | sed 's/version 1/version 2/; s/  storage 300 TB;/  storage 300 TB; datalake 10 TB; saas notebook seats 10;/
      s/^C1 .*/C1 ceiling per tenant compute 125 TF storage 50 TB seats notebook 5;/' >hand.policy
    allot policy load hand.policy
    allot request submit --tenant a --flavor v100 --units 1 --datalake '2 TB' --seats notebook=2
}

quietly() { "$@" >/dev/null 2>&1 || true; }
# Before: commands. Then: the command that is stopped. `then` may be run again.
prepare() {
    case $1 in
    submit | slow) ;;
    bulk) printf 'tenant,flavor,units,storage\na,v100,4,1 TB\nb,t4,40,\nm,v100,8,2 TB\nc,v100,8,\nd,v100,8,\n' >requests.csv ;;
    direct) ;;
    refused) sqlite3 "$STORE" "UPDATE pool SET settings = json_set(settings, '\$.fail_names', json_array('*-v2-*')) WHERE id = 1" ;;
    lost) sqlite3 "$STORE" "UPDATE pool SET settings = json_set(settings, '\$.lose_answers', json_array('*')) WHERE id = 1" ;;
    offer) offers ;;
    accept | expire) offers && offer ;;
    swap) submit_one ;;
    release | shrink | ends | notified) submit_one ;;
    purge) submit_one && release ;;
    approve) allot request submit --tenant m --flavor v100 --units 1 ;;
    void) submit_one --no-provision ;;
    award) a_call ;;
    decline) a_call && award ;;
    unsigned) a_call ', agreement' && award && allot grant agree g-2 ;;
    deliver) by_hand ;;
    collect) by_hand && deliver && allot grant release g-1 ;;
    project) cloud_store ;;
    nolake) cloud_store 'fail_names: ["*-c1-*"]' ;;
    quota) cloud_store 'deliver: quota' && allot request submit --tenant a --flavor v100 --units 1 --storage '1 TB' ;;
    goback) cloud_store 'deliver: quota' && submit_lake && allot request submit --tenant a --flavor v100 --units 1 ;;
    lessens) cloud_store 'deliver: quota' && submit_lake ;;
    drift) cloud_store 'deliver: quota' && submit_lake && sed -i 's/"v100":3/"v100":9/' "$CLOUD" ;;
    frozen) cloud_store 'hold_containers: false' && submit_lake && sed -i 's/"kind":"container"/&,"allocated":1500000000000/' "$CLOUD" ;;
    unbind) cloud_store && submit_lake && goback && reconcile ;;
    queue)
        allot request submit --tenant a --flavor v100 --units 8
        allot request submit --tenant c --flavor v100 --units 8
        allot request submit --tenant d --flavor v100 --units 8
        allot request submit --tenant b --flavor v100 --units 2
        allot grant release g-1
        ;;
    notice | effect) # all is lent; then one with a guarantee asks
        borrow_policy >borrow.policy
        allot policy load borrow.policy
        for t in b c d; do allot request submit --tenant $t --flavor v100 --units 8 --per-server 4; done
        allot request submit --tenant a --flavor v100 --units 8 --per-server 4
        ;;
    esac
    case $1 in slow) sqlite3 "$STORE" "UPDATE pool SET settings = json_set(settings, '\$.slow', json_array('*')) WHERE id = 1" ;; esac
    case $1 in
    ends) at 2026-06-01T00:00:00Z && allot tick --confirm && allot notify && at 2026-06-10T00:00:00Z ;;
    effect) allot tick --confirm && allot notify ;;
    esac
}
command_of() {
    case $1 in
    submit | slow | refused | lost) echo submit_one ;;
    project | nolake | quota) echo submit_lake ;;
    drift | frozen) echo reconcile ;;
    bulk) echo submit_file ;;
    void) echo release ;;
    queue | ends | unsigned | expire) echo tick ;;
    notice | effect) echo night ;;
    notified) echo notify ;;
    *) echo "$1" ;;
    esac
}
time_of() {
    case $1 in
    ends) echo 2026-06-10T00:00:00Z ;;
    effect) echo 2026-03-20T00:00:00Z ;;
    expire) echo 2026-03-06T00:00:00Z ;;
    unsigned) echo 2026-03-09T15:00:00Z ;;
    *) echo 2026-03-02T00:00:00Z ;;
    esac
}

# ---- one scenario ----

sound() { env -u ALLOT_FAULT "$ALLOT" --store "$STORE" fsck >fsck 2>&1 || { cat fsck; return 1; }; } # the chains too

save() { rm -rf "$1" && mkdir "$1" && cp "$STORE"* "$1" && if [ -e "$CLOUD" ]; then cp "$CLOUD" "$1"; fi; }
restore() { rm -f "$STORE"* "$CLOUD"* && cp "$1"/* "$PWD"; }
recover() { # the same command again, then what cron does
    quietly "$@"
    quietly reconcile
    quietly reconcile
}
same() {
    dump >dump
    cmp -s "$1" dump || { diff "$1" dump; return 1; }
}
stopped() { # FAULT WANTED COMMAND: what it left is made whole
    local status=0
    ALLOT_FAULT=$1 "$3" >faulted 2>&1 || status=$?
    ended=$status
    case $1 in *:exit) [ $status = 99 ] || return 0 ;; esac
    sound || return 1
    recover "$3"
    same "$2" && sound
}

scenario() {
    local name=$1 command n=0 mode points
    if [ "$name" = approve ] && [ "$(id -u)" != 0 ]; then # only root is believed to be somebody else
        echo 'approve    left out: needs root'
        return
    fi
    command=$(command_of "$name")
    restore base
    NOW=2026-03-02T00:00:00Z
    prepare "$name" >prepared 2>&1 || true
    [ -z "${V:-}" ] || cat prepared
    NOW=$(time_of "$name")
    save before
    recover "$command"
    quietly "$command"
    dump >wanted
    for ((n = 0; ; n++)); do
        ended=
        for mode in exit error; do
            restore before
            stopped "$n:$mode" wanted "$command" >said 2>&1 || bad "$name, point $n, $mode"
            [ "$mode" = exit ] && [ "$ended" != 99 ] && break 2
            passed=$((passed + 1))
        done
    done
    points=$n
    [ "$points" -gt 0 ] || bad "$name: not one fault point"
    total=$((total + points))
    printf '%-10s %3d points\n' "$name" "$points"
}

bad() {
    failed=$((failed + 1))
    passed=$((passed - 1))
    printf 'FAILED: %s\n' "$1"
    head -c 3000 said faulted | sed 's/^/    /'
}

total=0
new_store
add_tenant a 1
add_tenant b 2
add_tenant c 3
add_tenant d 4
add_tenant m 5 moving
save base
for name in "$@"; do scenario "$name"; done
printf '%d fault points, each passed in two ways\n' $total
finish
