#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2119 # cases are called by name
# Calls: from the opening to the reserve list, with people's scores; what is refused comes first.
. "$ROOT/test/books.bash"

content() { sqlite3 "$STORE" .dump | sha256sum; }
call() { allot call "$@"; }
enter() { allot request submit --call spring "$@"; }
same_again() { # REQUEST: planned again from what is stored, to the byte
    exits 0 allot explain "$1"
    is true "$(allot explain "$1" --json | jq -r .same_again)"
}
refused() { # STATUS WORDS COMMAND...: and nothing was changed
    local want=$1 words=$2 before
    shift 2
    before=$(content)
    exits "$want" "$@"
    has "$err" "$words"
    is "$before" "$(content)"
}

new_store
for i in 1 2 3 4 5 6; do add_tenant "c$i" "$i"; done
add_tenant far 7 elsewhere
add_tenant moving 8 moving

# ---- opening ----

it 'a call needs a name that is one word' refused 2 'spring call' call open 'spring call'
it 'a share is an amount with a unit' refused 2 '500' call open spring --compute 500
it 'a share of storage is not one of compute' refused 2 'TB' call open spring --compute '5 TB'
it 'a share of nothing is refused' refused 2 '0 TF' call open spring --compute '0 TF'
it 'a call cannot close before it opens' refused 2 'has passed' call open spring --closes 2026-02-01
it 'a day that does not exist' refused 2 '2026-02-30' call open spring --closes 2026-02-30
it 'an unknown pool' refused 4 "no pool 'q'" call open spring --pool q
it 'a request to a call that is not there' refused 4 "no call 'spring'" enter --tenant c1 --flavor v100 --units 1
it 'to show a call that is not there' refused 4 "no call 'spring'" call show spring
it 'to award a call that is not there' refused 4 "no call 'spring'" call award spring
opened() {
    exits 0 allot --dry-run call open spring --compute '187.2 TF'
    refused 4 "no call 'spring'" call show spring
    exits 0 allot --idempotency-key o1 call open spring --compute '187.2 TF' --storage '20 TB' --closes 2026-03-20 --json
    is open "$(value .state)"
    is 187200 "$(value .compute_gflops)"
    is 2026-03-20T15:00:00Z "$(value .closes)"
    exits 0 allot --idempotency-key o1 call open spring --compute '187.2 TF' --storage '20 TB' --closes 2026-03-20 --json
    refused 5 "there is a call 'spring' already" call open spring
    refused 4 "did you mean 'spring'?" call show sprnig
    exits 0 call list
    has "$out" spring
}
it 'opening is a dry run first, then once' opened

# ---- entering, completing ----

entered() {
    exits 8 enter --tenant c1 --flavor v100 --units 4 --storage '5 TB' --json # r-1
    is held "$(value .state)"
    is IN_CALL "$(value .note)"
    is IN_CALL "$(value '.decision.reasons[0].code')"
    is 'it answers the call spring and waits for its award' "$(value '.decision.reasons[0].en')"
    is '공모 spring에 접수되었으며 선정 결과를 기다립니다' "$(value '.decision.reasons[0].ko')"
    printf 'tenant,call,flavor,units,storage,minimum\nc2,spring,v100,8,5 TB,\nc3,spring,v100,8,5 TB,\nc4,spring,v100,8,5 TB,2\nfar,spring,t4,1,,\nmoving,spring,t4,1,,\nc5,spring,t4,2,,\nc6,spring,t4,1,,\n' >calls.csv
    exits 8 allot request submit --file calls.csv # r-2 ... r-8
    same_again r-2
    exits 0 call show spring --json
    is 8 "$(value '.requests | length')"
    COLUMNS=72 exits 0 call show spring
    has "$out" 'v100 x 4'
    is 0 "$(sqlite3 "$STORE" 'SELECT count(*) FROM grants')"
    exits 0 allot tick --confirm
    is 0 "$(sqlite3 "$STORE" 'SELECT count(*) FROM grants')" # whatever is free
}
it 'requests to a call wait for its award, whatever is free' entered

completed() {
    exits 0 allot request return r-1 --remark 'the plan is missing'
    exits 8 allot request amend r-1 --purpose 'with a plan' --json
    is IN_CALL "$(value .note)"
    exits 0 allot request return r-7 --remark 'the registration is missing'
    exits 0 allot request withdraw r-8
    exits 0 call show spring --json
    is out "$(value '.requests[] | select(.request == "r-8") | .state')"
}
it 'one that lacks something is returned, completed and waits again' completed

# ---- scores ----

scores() { printf '%s\n' "$@" >scores.csv; }
bad_scores() { # WORDS LINE...
    local words=$1
    shift
    scores "$@"
    refused 2 "$words" call score spring scores.csv
}
it 'a file without the columns' bad_scores "no column 'score'" request,reviewer r-1,kim
it 'a column that is none' bad_scores "unknown column 'points'" request,reviewer,score,points r-1,kim,1,2
it 'no score at all' bad_scores 'no score in it' request,reviewer,score
it 'a row with a field too many' bad_scores 'scores.csv:2' request,reviewer,score r-1,kim,1,2
it 'a number that is none' bad_scores "line 2: 'r1' is not a number" request,reviewer,score r1,kim,80
it 'a score below zero' bad_scores "line 2: '-1' is not a score" request,reviewer,score r-1,kim,-1
it 'an exponent is no score' bad_scores "'1e3' is not a score" request,reviewer,score r-1,kim,1e3
it 'four decimals are refused' bad_scores 'more than three decimals' request,reviewer,score r-1,kim,80.1234
it 'too many points' bad_scores 'more than 1000000' request,reviewer,score r-1,kim,1000000.001
it 'a reviewer without a name' bad_scores 'must have a name' request,reviewer,score r-1,,80
it 'a request of no call' bad_scores 'r-99 does not answer the call spring' request,reviewer,score r-99,kim,80
it 'a request that was withdrawn' bad_scores 'r-8 is out of the call' request,reviewer,score r-8,kim,80
it 'the same reviewer twice' bad_scores 'line 3: kim scores r-1 in line 2 already' request,reviewer,score r-1,kim,80 r-1,kim,81
every_bad_row() {
    bad_scores 'line 2' request,reviewer,score,remark r-1,kim,x, r-2,kim,80, r-3,kim,, r-77,kim,1,
    has "$err" 'line 4'
    has "$err" 'line 5'
    has "$err" '3 of 4 rows are wrong; none was recorded'
}
it 'each bad row is named with its line' every_bad_row
early() {
    refused 5 'is still open' call award spring
    at 2026-03-21T00:00:00Z
    refused 5 'takes no new requests' enter --tenant c1 --flavor v100 --units 1
    exits 0 allot tick --confirm
    exits 0 call show spring --json
    is closed "$(value .state)"
    refused 5 'is closed: it cannot be closed' call close spring
    refused 5 'stands as it was entered' allot request amend r-2 --units 4
    refused 5 'have no score: r-1, r-2' call award spring
}
it 'it closes on its last day, and none without a score is awarded' early
NOW=2026-03-21T00:00:00Z
scored() { # means: r-3 90, r-2 88.5, r-1 88.333.. (88 + 88 + 89), r-4 70, r-5 60, r-6 50
    scores request,reviewer,score,remark 'r-1,kim,88,"good, and solid"' r-1,lee,88, r-1,han,89, r-2,kim,10, r-2,lee,88.5, r-3,kim,90, r-4,kim,70, r-5,kim,60, r-6,kim,50,
    exits 0 call score spring scores.csv --json
    is 9 "$(value .added)"
    scores request,reviewer,score,remark r-2,kim,88.5,계산착오
    exits 0 call score spring scores.csv --json
    is 1 "$(value .replaced)"
    exits 0 call show spring --json
    is 'r-3 r-2 r-1 r-4 r-5 r-6' "$(value '[.requests[] | select(.rank) | .request] | join(" ")')"
    is 88333 "$(value '.requests[] | select(.request == "r-1") | .score_thousandths')"
    is 계산착오 "$(value '.requests[] | select(.request == "r-2") | .scores[0].remark')"
}
it 'a second file of a reviewer takes the place of the first' scored

# ---- the award: 187.2 TF are 12 V100; r-3 wants 8, r-2 8, r-1 4, r-4 8 or at least 2 ----

planned() {
    local before
    refused 2 'has passed' call award spring --sign-by 2026-03-01
    before=$(content)
    exits 0 allot --dry-run call award spring
    has "$out" 'c3'
    is "$before" "$(content)"
    exits 0 allot --dry-run call award spring --json
    is '1 r-3 awarded 124800' "$(value '.requests[0] | "\(.rank) \(.request) \(.state) \(.given_gflops)"')"
    is '2 r-2 reserve 0' "$(value '.requests[1] | "\(.rank) \(.request) \(.state) \(.given_gflops)"')"
    is '3 r-1 awarded 62400' "$(value '.requests[2] | "\(.rank) \(.request) \(.state) \(.given_gflops)"')"
    is '4 r-4 reserve 0' "$(value '.requests[3] | "\(.rank) \(.request) \(.state) \(.given_gflops)"')"
}
it 'a dry run shows the plan by rank and changes nothing' planned
awarded() {
    exits 0 allot --idempotency-key a1 call award spring --json
    cp "$out" first
    exits 0 allot --idempotency-key a1 call award spring --json
    is "$(jq -c .requests first)" "$(jq -c .requests "$out")"
    refused 5 'was awarded on 2026-03-21' call award spring
    refused 5 'its scores stand' call score spring scores.csv
    is 'g-1 active' "$(allot grant show g-1 --json | jq -r '"\(.grant) \(.state)"')"
    is 2 "$(sqlite3 "$STORE" 'SELECT count(*) FROM grants')"
    is 187200 "$(allot call list --json | jq -r '.[0].given_gflops')"
    # 24 V100 are there and 12 stay free: the share is the bound, not the pool
    exits 0 allot request show r-2 --json
    is RESERVE_LIST "$(value .note)"
    is 'it stands on the reserve list of the call spring: rank 2' "$(value '.decision.reasons[0].en')"
    is '공모 spring의 예비 명단에 있습니다: 2순위' "$(value '.decision.reasons[0].ko')"
    same_again r-2
    same_again r-3
    has "$out" 'awarded in the call spring: rank 1'
    is denied "$(allot request show r-5 --json | jq -r .state)" # far away
    is 'denied NOT_COMPLETED' "$(allot request show r-7 --json | jq -r '"\(.state) \(.note)"')"
    is 'held NEEDS_APPROVAL' "$(allot request show r-6 --json | jq -r '"\(.state) \(.note)"')"
    refused 5 'stands as it was scored' allot request amend r-2 --units 4
    refused 5 'stands as it was scored' allot request return r-2 --remark x
}
it 'the award gives by rank within the share; who is left out stands on the reserve list' awarded
ordinary() { # what is free beside the share is for others, and the list does not take it
    exits 0 allot request submit --tenant c6 --flavor v100 --units 1
    exits 0 allot grant release g-3
    exits 0 allot tick --confirm
    is RESERVE_LIST "$(allot request show r-2 --json | jq -r .note)"
}
it 'the reserve list never passes the share, though more is free' ordinary

# ---- moving up ----

moved() {
    refused 5 'answers no call' allot request decline r-9
    refused 5 'is out in its call' allot request decline r-5
    exits 0 allot request decline r-3 --reason 'no need any more' --json
    is withdrawn "$(value .state)"
    is 'r-2' "$(value '.moved_up[0].request')"
    is releasing-or-gone "$(allot grant show g-1 --json | jq -r 'if .state == "ended" or .state == "kept" then "releasing-or-gone" else .state end')"
    is 'granted' "$(allot request show r-2 --json | jq -r .state)"
    is 187200 "$(allot call list --json | jq -r '.[0].given_gflops')"
    sqlite3 "$STORE" "SELECT json_extract(payload, '\$.en') FROM outbox WHERE request = 2" >told
    has told 'has moved up from the reserve list of the call spring'
    exits 0 allot request decline r-4
    exits 0 allot request list --state withdrawn
    has "$out" DECLINED
}
it 'when one declines, the next that fits moves up at once' moved
partial() { # 4 of 8 V100 come back; nobody is left but the one that a person must see
    exits 0 allot request decline r-1
    if [ "$(id -u)" = 0 ]; then
        SUDO_USER=kim exits 0 allot request approve r-6
        is granted "$(allot request show r-6 --json | jq -r .state)"
    fi
    exits 0 call end spring --json
    is ended "$(value .state)"
    refused 5 'cannot be' call end spring
}
it 'one that a person had to pass is awarded after that' partial
# ---- agreements ----

agreements() { # 24 V100; each asks for 8; the share is two of them
    export STORE=$PWD/agree.db CLOUD=$PWD/agree.json
    NOW=2026-03-02T00:00:00Z
    new_store
    policy_text | sed 's/version 1/version 2/; s/keep-data 30 days/keep-data 30 days, agreement/' >agree.policy
    allot policy load agree.policy >/dev/null 2>&1
    local i
    for i in 1 2 3 4; do add_tenant "c$i" "$i"; done
    allot call open autumn --compute '249.6 TF' >/dev/null
    for i in 1 2 3 4; do exits 8 allot request submit --call autumn --tenant "c$i" --flavor v100 --units 8; done
    scores request,reviewer,score r-1,kim,90 r-2,kim,80 r-3,kim,70 r-4,kim,60
    exits 0 allot call score autumn scores.csv
    exits 0 allot call close autumn
    exits 0 allot call award autumn --sign-by 2026-03-10
    is 0 "$(things)" # nothing is made before it is signed
    exits 0 allot reconcile
    is 0 "$(things)"
    is reserved "$(allot grant show g-1 --json | jq -r .state)"
    sqlite3 "$STORE" "SELECT json_extract(payload, '\$.ko') FROM outbox WHERE kind = 'awarded' AND request = 1" >told
    has told '할당 g-1의 협약을 2026-03-10까지 체결해 주세요.'
    exits 0 allot status
    has "$out" 'agreements  2 grants wait for one to be signed: g-1 of c1, g-2 of c2'
    exits 0 allot queue
    has "$out" '2 grants wait for their agreement'
    exits 0 allot explain c1
    has "$out" 'g-1 waits for its agreement to be signed.'
    refused 2 'cannot be of 2026-03-05' allot grant agree g-1 --on 2026-03-05
    exits 0 allot grant agree g-1 --on 2026-03-01
    is active "$(allot grant show g-1 --json | jq -r .state)"
    is 2026-02-28T15:00:00Z "$(allot grant show g-1 --json | jq -r .agreed)"
    at 2026-03-10T14:59:59Z # the last second of the day in Gwangju
    exits 0 allot tick --confirm
    is reserved "$(allot grant show g-2 --json | jq -r .state)"
    at 2026-03-10T15:00:00Z
    exits 0 allot tick --json
    is 1 "$(value .unsigned_agreements)"
    is 'denied NOT_SIGNED' "$(allot request show r-2 --json | jq -r '"\(.state) \(.note)"')"
    is void "$(allot reconcile >/dev/null 2>&1; allot grant show g-2 --json | jq -r .state)"
    exits 0 allot tick
    is 'granted null' "$(allot request show r-3 --json | jq -r '"\(.state) \(.note)"')"
    is 2026-03-19T15:00:00Z "$(allot call show autumn --json | jq -r '.requests[] | select(.request == "r-3") | .sign_by')"
    is 249600 "$(allot call list --json | jq -r '.[0].given_gflops')"
    is RESERVE_LIST "$(allot request show r-4 --json | jq -r .note)"
    exits 0 allot grant renew g-1 # and so it goes on: 90 days more
    is '1 2026-08-29' "$(allot grant show g-1 --json | jq -r '"\(.renewals_left) \(.end[:10])"')"
}
it 'nothing is made before it is signed, and what is not signed in time goes to the next' agreements
# ---- many at once, and the companies' own line ----

race() {
    export STORE=$PWD/race.db CLOUD=$PWD/race.json
    NOW=2026-03-02T00:00:00Z
    new_store
    local i done=0 refused=0 pids=()
    for i in 1 2 3 4; do add_tenant "c$i" "$i"; done
    allot call open spring --compute '187.2 TF' >/dev/null
    for i in 1 2 3 4; do exits 8 allot request submit --call spring --tenant "c$i" --flavor v100 --units 4; done
    scores request,reviewer,score r-1,kim,90 r-2,kim,80 r-3,kim,70 r-4,kim,60
    allot call score spring scores.csv >/dev/null && allot call close spring >/dev/null
    for i in 1 2 3 4 5 6; do
        allot call award spring --no-provision >"award.$i" 2>&1 &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        if wait "$i"; then done=$((done + 1)); else refused=$((refused + ($? == 5))); fi
    done
    is '1 5' "$done $refused"
    is 3 "$(sqlite3 "$STORE" 'SELECT count(*) FROM grants')"
    pids=()
    for i in 1 2 3; do # three go at once; one takes a place, and only one
        allot request decline "r-$i" --no-provision >"decline.$i" 2>&1 &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
    is 4 "$(sqlite3 "$STORE" 'SELECT count(*) FROM grants')"
    is 62400 "$(allot call list --json | jq -r '.[0].given_gflops')"
}
it 'of six awards at once one is made, and a place is taken once' race

line() { # TENANT: what a company sends, a line each
    allot serve --stdio --tenant "$1" --no-provision >"$out" 2>"$err"
}
companies() {
    export STORE=$PWD/serve.db CLOUD=$PWD/serve.json
    NOW=2026-03-02T00:00:00Z
    new_store
    add_tenant c1 1 && add_tenant c2 2
    allot call open spring --compute '62.4 TF' --closes 2026-03-10 >/dev/null
    allot call open old >/dev/null && allot call close old >/dev/null
    printf '%s\n' '{"do": "calls"}' '{"do": "submit", "call": "old", "flavor": "v100", "units": 1}' \
        '{"do": "submit", "key": "k", "call": "spring", "flavor": "v100", "units": 4, "purpose": "speech"}' \
        '{"do": "decline", "request": "r-1"}' '{"do": "amend", "request": "r-1", "call": "old", "flavor": "v100", "units": 4}' \
        '{"do": "amend", "request": "r-1", "flavor": "v100", "units": 4, "purpose": "better"}' | line c1
    is '[{"call":"spring","pool":"p","opens":"2026-03-02T00:00:00Z","closes":"2026-03-10T15:00:00Z"}]' "$(sed -n 1p "$out" | jq -c .answer)"
    is 'conflict the call old is closed: it takes no new requests' "$(sed -n 2p "$out" | jq -r '.error | "\(.code) \(.what)"')"
    is '8 held IN_CALL spring' "$(sed -n 3p "$out" | jq -r '"\(.status) \(.answer.state) \(.answer.note) " + (.answer.call // "spring")')"
    is 5 "$(sed -n 4p "$out" | jq -r .status)"
    is 2 "$(sed -n 5p "$out" | jq -r .status)"
    is '8 IN_CALL' "$(sed -n 6p "$out" | jq -r '"\(.status) \(.answer.note)"')"
    printf '%s\n' '{"do": "submit", "call": "spring", "flavor": "v100", "units": 4}' | line c2
    at 2026-03-11T00:00:00Z
    scores request,reviewer,score r-1,kim,90 r-2,kim,80
    allot call score spring scores.csv >/dev/null
    exits 0 allot call award spring
    printf '%s\n' '{"do": "show", "request": "r-1"}' '{"do": "decline", "request": "r-2"}' '{"do": "decline", "request": "r-1", "reason": "no staff"}' | line c1
    is granted "$(sed -n 1p "$out" | jq -r .answer.state)"
    is 4 "$(sed -n 2p "$out" | jq -r .status)" # of another: it does not exist
    is '0 withdrawn' "$(sed -n 3p "$out" | jq -r '"\(.status) \(.answer.state)"')"
    is granted "$(allot request show r-2 --json | jq -r .state)"
}
it 'companies see the open calls, answer them and decline by their own line' companies
reserved() { # reserves and guarantees are kept by the pool, not by the share of the call
    new_store
    policy_text | sed 's/^policy "\([^"]*\)" version [0-9]*;/policy "\1" version 2;/; s/E1 deny/E1 review/; s/^C1 /set tier { T1 near weight 4 guarantee 62.4 TF expect 2 "near" when seat = gwangju; T9 far "far" otherwise; }\nC1 /' >tiers.policy
    printf 'B1 borrow lend-max 50 %%, notice 7 days;\nR1 reserve compute 10 %% for near;\nR2 reserve storage 10 %% for near;\n' >>tiers.policy
    sed -i '/E1 review/d; /E2 review/d' tiers.policy
    exits 0 allot policy load tiers.policy
    add_tenant c1 1
    add_tenant far 7 elsewhere
    allot call open spring --compute '15.6 TF' --storage '2 TB' >/dev/null
    exits 8 enter --tenant far --flavor v100 --units 1 --storage '2 TB'
    allot call close spring >/dev/null
    scores request,reviewer,score r-1,kim,90
    allot call score spring scores.csv >/dev/null
    exits 0 allot call award spring --json
    is awarded "$(value '.requests[0].state')"
    is 15600 "$(value '.requests[0].given_gflops')"
    same_again r-1
}
it 'what must stay free for others is no part of the share' reserved
finish
