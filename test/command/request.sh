#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2119 # cases are called by name
# Requests: what is refused before anything happens, what each outcome answers, keys, dry runs, people's part.
. "$ROOT/test/books.bash"

new_store
add_tenant a 1
add_tenant b 2
add_tenant far 3 elsewhere
add_tenant moving 4 moving
submit() { allot request submit "$@"; }
rows() { sqlite3 "$STORE" "SELECT count(*) FROM $1"; }
# Everything that the store says, whatever page it stands on.
content() { sqlite3 "$STORE" .dump | sha256sum; }

# ---- amounts and names ----

refused() { # STATUS WORDS OPTION...: and nothing was changed
    local want=$1 words=$2 before
    shift 2
    before=$(content)
    exits "$want" submit "$@"
    has "$err" "$words"
    is "$before" "$(content)"
}
it 'a bare number is no amount of storage' refused 2 '5' --tenant a --storage 5
it 'a bare number is no amount of compute' refused 2 '125' --tenant a --compute 125
it 'units are case-sensitive: 125 tf' refused 2 'tf' --tenant a --compute '125 tf'
it 'no unit is two units: 125TFB' refused 2 "'TFB'" --tenant a --compute 125TFB
it 'TB is no compute' refused 2 'TB' --tenant a --compute '5 TB'
it 'TF is no storage' refused 2 'TF' --tenant a --storage '5 TF'
it 'a sign is refused' refused 2 '-1' --tenant a --storage=-1
it 'a negative count is refused' refused 2 '-1' --tenant a --flavor v100 --units=-1
it 'an exponent is refused: 1e3 TB' refused 2 'e3 TB' --tenant a --storage '1e3 TB'
it 'more than all storage of the world is refused' refused 2 '99999999999999' --tenant a --storage '99999999999999 PB'
it 'more compute than fits is refused' refused 2 '99999999999999999999' --tenant a --compute '99999999999999999999 PF'
it 'half a byte is refused' refused 2 '0.5' --tenant a --storage '0.5 B'
it 'a unit that is no whole number is refused' refused 2 '1.5' --tenant a --flavor v100 --units 1.5
it 'nothing is not a request' refused 2 'nothing is asked' --tenant a
it 'no units are not a request' refused 2 "'0'" --tenant a --flavor v100 --units 0
it '0 TF is not a request' refused 2 '0 TF' --tenant a --compute '0 TF'
it 'units and compute exclude each other' refused 2 'exclude' --tenant a --flavor v100 --units 1 --compute '15.6 TF'
it 'units of any flavor are refused' refused 2 'which flavor' --tenant a --units 1
it 'a minimum above what is asked is refused' refused 2 'minimum' --tenant a --compute '15.6 TF' --minimum '31.2 TF'
it 'a minimum of another kind is refused' refused 2 'minimum' --tenant a --flavor v100 --units 4 --minimum '15.6 TF'
it 'units that fill no server are refused' refused 2 'whole number of servers' --tenant a --flavor v100 --units 3 --per-server 2
it 'less than a volume is refused' refused 2 '1 GB' --tenant a --storage '1 MB'
it 'an unknown tenant' refused 4 "no tenant 'z'" --tenant z --storage '1 TB'
it 'an unknown pool' refused 4 "no pool 'q'" --tenant a --pool q --storage '1 TB'
it 'an unknown flavor says what there is' refused 4 'v100, t4' --tenant a --flavor h100 --units 1
it 'an unknown attribute suggests the nearest' refused 2 "'urgent'" --tenant a --storage '1 TB' --set urgnt=true
it 'an attribute of the wrong type' refused 2 'true or false' --tenant a --storage '1 TB' --set urgent=perhaps
it 'an attribute without a value' refused 2 'ATTR=VALUE' --tenant a --storage '1 TB' --set urgent
it 'no tenant' refused 2 'tenant' --storage '1 TB'
it 'both --for and --until' refused 2 'exclude' --tenant a --storage '1 TB' --for '1 day' --until 2026-05-01
it 'a date that does not exist' refused 2 '2026-02-30' --tenant a --storage '1 TB' --until 2026-02-30
it 'a span without a unit' refused 2 '90' --tenant a --storage '1 TB' --for 90
it 'a purpose that is not UTF-8' refused 2 'UTF-8' --tenant a --storage '1 TB' --purpose $'\xff\xfe'
basis() { # TF of another precision cannot be asked: a pool states its own, and figures are of it
    exits 2 submit --tenant a --compute '15.6 TF fp16'
}
it 'TF on another basis than the pool has' basis
odd_names() {
    exits 0 submit --tenant a --storage '1 TB' --purpose '<b>&"'"'"' 인공지능 학습'
    allot request list --tenant a --json >"$out"
    is '<b>&"'"'"' 인공지능 학습' "$(value '.[-1].purpose')"
    allot request list --tenant a --format csv | grep -qF '<b>&""'"'"' 인공지능 학습'
    allot tenant add '길동<&"' --organisation '광주 & "AI"' --registration 100-10-00099 --set seat=gwangju >/dev/null
    exits 0 submit --tenant '길동<&"' --flavor t4 --units 1 --storage '1 TB' --json
    is 길동'<&"' "$(value .tenant)"
    allot grant show "$(value .grant)" --json >"$out"
    is active "$(value .state)"
}
it 'names with <&" and Korean letters work everywhere' odd_names

# ---- outcomes ----

words() { # in a store of its own: what people read
    export STORE=$PWD/words.db CLOUD=$PWD/words.json
    new_store
    add_tenant a 1
    add_tenant b 2
    exits 3 submit --tenant a --flavor v100 --units 16
    has "$err" 'allot: denied: r-1 denied: a may hold 125 TF'
    exits 0 submit --tenant a --flavor v100 --units 8 --storage '1500 MB' --until 2026-04-30
    is 'r-2 granted: g-1, v100 x 8 (124.8 TF), storage 1 GB, until 2026-04-30
storage of 1.5 GB is rounded down to 1 GB, in steps of 1 GB' "$(cat "$out")"
    is 'Request r-2: granted. Grant g-1: v100 x 8 (124.8 TF), storage 1 GB, until 2026-04-30. storage of 1.5 GB is rounded down to 1 GB, in steps of 1 GB.' \
        "$(sqlite3 "$STORE" "SELECT json_extract(payload, '\$.en') FROM outbox WHERE request = 2 AND kind = 'decided'")"
    exits 0 submit --tenant b --compute '200 TF' --minimum '15.6 TF' --until 2026-04-30
    has "$out" 'r-3 partial: g-2, v100 x 8 (124.8 TF), until 2026-04-30'
    has "$out" '124.8 TF of the 200 TF asked for: the ceiling allows no further step'
    allot grant list >"$out"
    has "$out" 2026-04-30
    lacks "$out" 2026-05-01
    exits 0 allot explain r-2
    has "$out" 'until 2026-04-30'
}
it 'what was given, until when and why less, is said' words

outcomes() {
    exits 0 submit --tenant a --flavor v100 --units 8 --json
    is granted "$(value .outcome)"
    exits 3 submit --tenant a --flavor v100 --units 1 --json
    is denied "$(value .outcome)"
    is EXCEEDS_CEILING "$(value '.decision.reasons[0].code')"
    is test.policy:15 "$(value '.decision.reasons[0].place')"
    exits 3 submit --tenant a --flavor v100 --units 1
    has "$err" 'a may hold 125 TF, holds 124.8 TF, asked for 15.6 TF (C1, test.policy:15)'
    exits 3 submit --tenant far --flavor t4 --units 1
    has "$err" E1
    exits 8 submit --tenant moving --flavor t4 --units 1 --json
    is held "$(value .outcome)"
    is NEEDS_APPROVAL "$(value '.decision.reasons[0].code')"
    add_tenant big1 11 && add_tenant big2 12
    exits 0 submit --tenant big1 --flavor v100 --units 8
    exits 0 submit --tenant big2 --flavor v100 --units 8
    exits 8 submit --tenant b --flavor v100 --units 4 --json
    is queued "$(value .outcome)"
    is 1 "$(value .decision.position)"
    is NO_UNITS "$(value '.decision.reasons[0].code')"
    add_tenant c 13
    exits 0 submit --tenant c --compute '125 TF' --minimum '8.1 TF' --json
    is partial "$(value .outcome)"
    exits 0 allot queue --json
    is b "$(value '.[] | select(.state == "queued") | .tenant')"
    exits 0 allot --lang ko queue
    has "$out" 'v100 x 4'
}
it 'each outcome has its exit status, its reason and its numbers' outcomes
korean() {
    exits 3 allot --lang ko request submit --tenant a --flavor v100 --units 1
    has "$err" '한도는 125 TF'
}
it 'a reason is told in Korean' korean
explained() {
    for r in $(allot request list --json | jq -r '.[].request'); do exits 0 allot explain "$r"; done
    exits 0 allot explain b
    has "$out" 'v100 x 4'
    exits 0 allot explain b --json
    is true "$(value 'all(.decisions[]; .same_again)')"
    exits 0 allot explain r-1 --json
    is 'r-1 7776000' "$(value '"\(.request) \(.granted.lease.renew_seconds)"')"
    exits 0 allot --lang ko explain b
    exits 4 allot explain nobody
    exits 4 allot explain r-99999
    exits 2 allot explain
}
it 'every decision planned again is the same, and is told' explained
tampered() {
    cp "$STORE" kept.db && cp "$STORE-wal" kept.db-wal
    sqlite3 "$STORE" "UPDATE decision SET body = replace(body, '15600', '15601') WHERE id = (SELECT decision FROM request WHERE state = 'granted' AND flavor = 'v100' ORDER BY id LIMIT 1)"
    r=$(sqlite3 "$STORE" "SELECT 'r-' || id FROM request WHERE state = 'granted' AND flavor = 'v100' ORDER BY id LIMIT 1")
    exits 9 allot explain "$r"
    has "$err" 'comes out differently'
    rm -f "$STORE"* && mv kept.db "$STORE" && mv kept.db-wal "$STORE-wal"
}
it 'a stored decision that was changed is found (exit 9)' tampered

# ---- keys and dry runs ----

keys() {
    exits 0 allot --idempotency-key k1 request submit --tenant b --storage '1 TB' --json
    cp "$out" first
    before=$(content)
    exits 0 allot --idempotency-key k1 request submit --tenant b --storage '1 TB' --json
    cmp first "$out"
    is "$before" "$(content)"
    exits 5 allot --idempotency-key k1 request submit --tenant b --storage '2 TB'
    has "$err" "'k1' was used for another command"
    exits 5 allot --idempotency-key k1 tick
    is "$before" "$(content)"
    exits 3 allot --idempotency-key k2 request submit --tenant a --flavor v100 --units 1
    exits 3 allot --idempotency-key k2 request submit --tenant a --flavor v100 --units 1
    exits 2 allot --idempotency-key k3 request submit --tenant b --storage 5
    exits 0 allot --idempotency-key k3 request submit --tenant b --storage '1 TB'
}
it 'a key answers again, refuses another body, and failures leave it free' keys
dry() {
    before=$(content)
    cloud=$(sha256sum "$CLOUD")
    exits 0 allot --dry-run request submit --tenant b --storage '3 TB' --json
    is granted "$(value .outcome)"
    exits 3 allot --dry-run request submit --tenant a --flavor v100 --units 1
    exits 0 allot --dry-run --idempotency-key d1 grant add b --storage '3 TB'
    g=$(allot grant list --tenant b --json | jq -r '.[0].grant')
    exits 0 allot --dry-run grant release "$g"
    exits 0 allot --dry-run grant extend "$g" --for '1 day'
    exits 0 allot --dry-run grant renew "$g"
    exits 0 allot --dry-run tick
    exits 0 allot --dry-run reconcile
    exits 0 allot --dry-run notify
    r=$(allot request list --state held --json | jq -r '.[0].request')
    SUDO_USER=kim exits 8 allot --dry-run request approve "$r" || SUDO_USER=kim exits 0 allot --dry-run request approve "$r"
    exits 0 allot --dry-run request deny "$r" --reason no
    exits 0 allot --dry-run request withdraw "$r"
    is "$before" "$(content)"
    is "$cloud" "$(sha256sum "$CLOUD")"
}
it 'a dry run changes nothing, in the store or at the cloud' dry

# ---- people ----

approval() {
    r=$(allot request list --state held --json | jq -r '.[0].request')
    exits 3 allot request approve "$r"
    has "$err" 'submitted'
    has "$err" 'hint: another operator must approve it; an admin alone can withdraw it and grant directly: allot grant add moving'
    if [ "$(id -u)" = 0 ]; then # another person, as sudo tells
        exits 0 allot grant release "$(allot grant list --tenant c --json | jq -r '.[0].grant')"
        SUDO_USER=kim exits 0 allot request approve "$r" --json
        is granted "$(value .outcome)"
        allot request show "$r" --json >"$out"
        is 'admin root (kim)' "$(value .approved_by)"
        exits 5 allot request approve "$r"
    fi
}
it 'who submitted cannot approve; another can' approval
returning() {
    exits 8 submit --tenant moving --flavor t4 --units 1 --json
    r=$(value .request)
    exits 2 allot request return "$r"
    exits 0 allot request return "$r" --remark 'the moving date is missing'
    allot request show "$r" --json >"$out"
    is returned "$(value .state)"
    is 'the moving date is missing' "$(value .note)"
    exits 2 allot request amend "$r" --flavor t4 --units 1 --set urgnt=true
    exits 2 allot request amend "$r" --storage 5
    exits 8 allot request amend "$r" --flavor t4 --units 2 --json
    is held "$(value .outcome)"
    allot request show "$r" --json >"$out"
    is 2 "$(value .units)"
    exits 2 allot request deny "$r"
    exits 0 allot request deny "$r" --reason 'not this year'
    exits 5 allot request amend "$r" --flavor t4 --units 1
    exits 5 allot request withdraw "$r"
    exits 5 allot request return "$r" --remark again
    is 1 "$(sqlite3 "$STORE" "SELECT count(*) FROM outbox WHERE payload LIKE '%not this year%'")"
}
it 'returned for completion, amended, denied, each told to the tenant' returning
amending() { # what is not named stays as it was asked
    add_tenant keeps 31 moving
    exits 8 submit --tenant keeps --compute '62.4 TF' --minimum '31.2 TF' --storage '10 TB' --for '30 days' --purpose 'speech' --set urgent=true --json
    r=$(value .request)
    wish() { allot request show "$r" --json | jq -c '[.flavor, .units, .compute_gflops, .minimum_units, .minimum_gflops, .storage_bytes, .term_seconds, .until, .purpose, .attributes.urgent]'; }
    asked=$(wish)
    exits 8 allot request amend "$r" --purpose 'speech'
    is "$asked" "$(wish)"
    exits 8 allot request amend "$r" --compute 46.8TF
    is '[null,null,46800,null,31200,10000000000000,2592000,null,"speech","true"]' "$(wish)"
    exits 2 allot request amend "$r" --compute 15.6TF
    has "$err" 'the minimum is more'
    exits 8 allot request amend "$r" --flavor v100 --units 4 --until 2026-05-01
    is '[4,null,null,10000000000000,null,"2026-05-01T15:00:00Z"]' "$(allot request show "$r" --json | jq -c '[.units, .compute_gflops, .minimum_gflops, .storage_bytes, .term_seconds, .until]')"
    exits 8 allot request amend "$r" --minimum 2
    exits 8 allot request amend "$r" --storage '0 B' --set urgent=false
    is '[4,2,0,"false"]' "$(allot request show "$r" --json | jq -c '[.units, .minimum_units, .storage_bytes, .attributes.urgent]')"
    exits 0 allot request withdraw "$r"
}
it 'amend keeps what it does not name' amending
withdrawing() {
    r=$(allot request list --state queued --json | jq -r '.[0].request')
    exits 0 allot request withdraw "$r"
    exits 0 allot queue --json
    is 0 "$(value '[.[] | select(.state == "queued")] | length')"
    exits 4 allot request withdraw r-9999
    exits 2 allot request withdraw 9999
}
it 'a queued request can be withdrawn' withdrawing
listing() {
    exits 2 allot request list --state quued
    has "$err" "'queued'"
    exits 0 allot request list --state denied --format csv
    exits 4 allot request list --tenant nobody
    exits 4 allot request show r-9999
}
it 'a listing refuses what it does not know and suggests' listing
no_policy() {
    at 2026-03-03T00:00:00Z
    pool_file | sed "s,file: .*,file: $PWD/cloud2.json," >pool2.yaml
    allot pool add q --file pool2.yaml >/dev/null
    allot pool sync q >/dev/null
    exits 2 submit --tenant b --storage '1 TB'
    has "$err" '2 pools'
    exits 8 submit --tenant b --pool q --storage '1 TB' --json
    is NO_POLICY "$(value '.decision.reasons[0].code')"
    r=$(value .request)
    exits 0 allot explain "$r"
    policy_text | sed 's/pool p/pool q/; s/"test"/"second"/' >second.policy
    allot policy load second.policy >/dev/null 2>&1
    exits 0 allot tick
    allot request show "$r" --json >"$out"
    is granted "$(value .state)"
}
it 'without a policy a request is held, and decided when there is one' no_policy

unready() { # what comes after the decision fails: to answer "failed" would ask for it once more
    new_store
    add_tenant a 1
    mkdir "$STORE.reconcile"
    exits 7 submit --tenant a --flavor v100 --units 1 --json
    is granted "$(value .outcome)"
    has "$err" 'is booked'
    rmdir "$STORE.reconcile"
    exits 0 allot reconcile
    is active "$(allot grant show g-1 --json | jq -r .state)"
}
it 'a decision that cannot be carried out now is answered, with status 7' unready
finish
