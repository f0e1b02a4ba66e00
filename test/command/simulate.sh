#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Policies on simulated time: a year of the pilot from the call to the renewals, its page, and what is refused.
# shellcheck disable=SC2317,SC2119 # cases are called by their name
. "$ROOT/test/books.bash"

simulate() { # FOLDER FURTHER-WORDS: the year in year/
    exits 0 "$ALLOT" policy simulate --policy pilot --tenants year/tenants.csv --events year/events.jsonl \
        --usage year/usage.csv --until 2028-01-03 --out "$@"
}

# ---- a world small enough to see the answer: 8 units, A takes all of them and gives them back on the third day ----

small_world() {
    cat >small.policy <<'END'
policy "small" version 1;
pool p { basis fp32; flavor v100 15.6 TF units 8 sizes 1, 2, 4, 8; storage 10 TB; }
attr seat : enum { near, far };
set eligible {
  E1 deny "too far away" when seat = far;
  E9 pass "eligible" otherwise;
}
C1 ceiling compute 125 TF storage 10 TB;
L1 lease term 30 days, renew 1, notice 7 days, grace 2 days, keep-data 0 days;
END
    printf 'name,from,attr:seat\na,,near\nb,,near\nc,,far\nc,2027-01-04,near\n' >tenants.csv
    cat >events.jsonl <<'END'
{"at": "2027-01-01T01:00:00Z", "event": "request", "id": "r-1", "tenant": "a", "flavor": "v100", "units": 8}
{"at": "2027-01-01T02:00:00Z", "event": "request", "id": "r-2", "tenant": "b", "flavor": "v100", "units": 4, "renews": 1}
{"at": "2027-01-01T02:00:00Z", "event": "request", "id": "r-3", "tenant": "c", "flavor": "v100", "units": 1}
{"at": "2027-01-03T02:00:00Z", "event": "release", "request": "r-1"}
{"at": "2027-01-05T02:00:00Z", "event": "request", "id": "r-4", "tenant": "c", "flavor": "v100", "units": 1, "keeps_seconds": 864000}
END
}

small() {
    small_world
    exits 0 "$ALLOT" policy simulate --policy small.policy --tenants tenants.csv --events events.jsonl --until 2027-04-30 --out small
    jq -r 'select(.event == "decision" or .event == "renewed" or .event == "ended" or .event == "given back")
        | "\(.at) \(.request) \(.outcome // .event)\(if .decisive then " " + .decisive else "" end)"' small/decisions.jsonl >got
    cat >want <<'END'
2027-01-01T01:00:00Z r-1 granted PASSED E9
2027-01-01T02:00:00Z r-2 queued NO_UNITS, PASSED E9
2027-01-01T02:00:00Z r-3 denied NOT_ELIGIBLE E1
2027-01-03T02:00:00Z r-1 given back
2027-01-03T15:00:00Z r-2 granted PASSED E9
2027-01-05T02:00:00Z r-4 granted PASSED E9
2027-01-15T15:00:00Z r-4 given back
2027-01-26T15:00:00Z r-2 renewed
2027-03-06T15:00:00Z r-2 ended
END
    diff want got
    is '3 0 0 1' "$(jq -r '.run.outcomes | "\(.granted) \(.partial) \(.waiting) \(.denied)"' small/metrics.json)"
    is '219600' "$(jq -r '.run.waits[] | select(.tier == "all") | .max_seconds' small/metrics.json)" # 2 days 13 hours
}
it 'a small world goes as a person would say' small

turned() { # the same lines in another order: the same bytes
    small_world
    exits 0 "$ALLOT" policy simulate --policy small.policy --tenants tenants.csv --events events.jsonl --until 2027-04-30 --out one
    (head -n 1 tenants.csv && tail -n +2 tenants.csv | tac) >turned.csv
    tac events.jsonl >turned.jsonl
    exits 0 "$ALLOT" policy simulate --policy small.policy --tenants turned.csv --events turned.jsonl --until 2027-04-30 --out two
    diff -r one two
}
it 'the order of the lines does not matter' turned

against() {
    small_world
    sed 's/units 8/units 12/; s/"small"/"larger"/' small.policy >larger.policy
    exits 0 "$ALLOT" policy simulate --policy small.policy --against larger.policy --tenants tenants.csv \
        --events events.jsonl --until 2027-04-30 --out both --json
    is '1 granted granted 2027-01-03T15:00:00Z 2027-01-01T02:00:00Z' \
        "$(value .changed_requests) $(jq -r '"\(.run.outcome) \(.against.outcome) \(.run.granted) \(.against.granted)"' both/diff.jsonl)"
    is 'r-2' "$(tail -n +2 both/diff.csv | cut -d, -f1)"
    has both/report.html 'data-metric="against.granted"'
}
it 'two policies are compared request by request' against

# ---- what people do meanwhile: a call with its share, agreements, offers, an exchange ----

people_world() {
    sed '/^L1/d' small.policy >people.policy
    cat >>people.policy <<'END'
L1 lease term 30 days, renew 1, notice 7 days, grace 2 days, keep-data 0 days, agreement when request.compute > 60 TF;
L2 lease term 30 days, renew 1, notice 7 days, grace 2 days, keep-data 0 days;
Q1 queue order share, credits, wait, id hold 3 days;
END
    printf 'name,from,attr:seat\na,,near\nb,,near\nc,,near\n' >people.csv
    cat >people.jsonl <<'END'
{"at": "2027-01-01T01:00:00Z", "event": "call", "call": "k", "compute_gflops": 70000}
{"at": "2027-01-01T02:00:00Z", "event": "request", "id": "r-1", "tenant": "a", "flavor": "v100", "units": 4, "call": "k"}
{"at": "2027-01-01T03:00:00Z", "event": "request", "id": "r-2", "tenant": "b", "flavor": "v100", "units": 4, "call": "k"}
{"at": "2027-01-02T01:00:00Z", "event": "award", "call": "k", "order": ["r-1", "r-2"], "sign_by": "2027-01-05T15:00:00Z"}
{"at": "2027-01-06T01:00:00Z", "event": "agree", "request": "r-2"}
{"at": "2027-01-07T01:00:00Z", "event": "request", "id": "r-3", "tenant": "c", "flavor": "v100", "units": 8}
{"at": "2027-01-07T02:00:00Z", "event": "accept", "request": "r-3"}
{"at": "2027-01-12T01:00:00Z", "event": "release", "request": "r-2"}
{"at": "2027-01-13T01:00:00Z", "event": "request", "id": "r-4", "tenant": "c", "flavor": "v100", "units": 2, "replaces": "r-3"}
END
}
people() {
    small_world
    people_world
    exits 0 "$ALLOT" policy simulate --policy people.policy --tenants people.csv --events people.jsonl --until 2027-01-20 --out people
    jq -r '"\(.at) \(.request) \(.outcome // .event)\(if .detail then " " + .detail else "" end)"' people/decisions.jsonl >got
    cat >want <<'END'
2027-01-01T02:00:00Z r-1 in call k
2027-01-01T03:00:00Z r-2 in call k
2027-01-02T01:00:00Z r-1 granted
2027-01-02T01:00:00Z r-2 held
2027-01-05T15:00:00Z r-1 not signed
2027-01-05T15:00:00Z r-2 granted
2027-01-06T01:00:00Z r-2 agreed
2027-01-07T01:00:00Z r-3 queued
2027-01-07T01:00:00Z r-3 offer 62.4 TF
2027-01-07T02:00:00Z r-3 offer ended taken
2027-01-07T02:00:00Z r-3 partial
2027-01-12T01:00:00Z r-2 given back
2027-01-13T01:00:00Z r-4 granted
2027-01-13T01:00:00Z r-3 replaced r-4
END
    diff want got
    is '1 1 1 0' "$(jq -r '.run | "\(.offers.made) \(.offers.taken) \(.swaps) \(.events_without_effect)"' people/metrics.json)"
    is 'k 70000 62400 1 1' "$(jq -r '.run.calls[0] | "\(.call) \(.share_gflops) \(.given_gflops) \(.moved_up) \(.not_signed)"' people/metrics.json)"
    has people/report.html 'data-metric="calls[0].moved_up"'
    has people/report.html 'its agreement was not signed in time'
    head -n 1 people/days.csv >header
    has header ',taken_back,offers,'
    is 1 "$(awk -F, '$17 > 0' people/days.csv | tail -n +2 | wc -l)" || awk -F, '{print $1, $17}' people/days.csv
}
it 'a call, its agreements, an offer and an exchange go as in a store' people

refused_people() { # MESSAGE-PART SED-SCRIPT
    small_world
    people_world
    sed "$2" people.jsonl >wrong.jsonl
    exits 2 "$ALLOT" policy simulate --policy people.policy --tenants people.csv --events wrong.jsonl --until 2027-01-20 --out wrong
    has "$err" "$1"
    [ ! -e wrong ]
}
it 'a call made twice' refused_people "wrong.jsonl:2: call: call 'k' is made twice" '1p'
it 'an exchange for what is not there' refused_people "wrong.jsonl:9: there is no request 'r-9'" '9s/"r-3"/"r-9"/'
it "an exchange for somebody else's" refused_people "wrong.jsonl:9: request 'r-2' is of tenant 'b'" '9s/"r-3"/"r-2"/'
it 'an exchange for what comes later' refused_people "wrong.jsonl:9: request 'r-3' is not made before" '9s/2027-01-13/2027-01-06/'
it 'an award that nobody can sign any more' refused_people 'the last moment to sign has passed' '4s/2027-01-05/2027-01-01/'
it 'a share that is no amount' refused_people 'wrong.jsonl:1: compute_gflops' '1s/70000/-1/'
it 'an offer taken of a request that is not there' refused_people "wrong.jsonl:7: there is no request 'r-9'" '7s/r-3/r-9/'
it 'an offer taken after no time' refused_people 'accepts_seconds' '6s/}$/, "accepts_seconds": 0}/'

# ---- what is refused, with its line ----

refused() { # MESSAGE-PART SED-SCRIPT
    small_world
    sed "$2" events.jsonl >wrong.jsonl
    exits 2 "$ALLOT" policy simulate --policy small.policy --tenants tenants.csv --events wrong.jsonl --until 2027-04-30 --out wrong
    has "$err" "$1"
    [ ! -e wrong ]
}
it 'a line that is no JSON' refused 'wrong.jsonl:2:' '2s/}$//'
it 'an event that does not exist' refused "wrong.jsonl:4: event" '4s/"release"/"relase"/'
it 'a tenant that does not exist' refused "wrong.jsonl:1: tenant: there is no tenant 'z'" '1s/"a"/"z"/'
it 'a request made twice' refused "wrong.jsonl:2: id: request 'r-1' is made twice" '2s/r-2/r-1/'
it 'an event on a request that is not there' refused "wrong.jsonl:4: there is no request 'r-9'" '4s/r-1/r-9/'
it 'an event before its request' refused "wrong.jsonl:4: request 'r-1' is made only later" '4s/2027-01-03/2026-12-31/'
it 'a key of another event' refused 'wrong.jsonl:4' '4s/"release"/"release", "units": 3/'
it 'a key twice' refused 'wrong.jsonl:3' '3s/"units": 1/"units": 1, "units": 2/'
it 'units without a flavor' refused 'wrong.jsonl:1: units of which flavor?' '1s/"flavor": "v100", //'
it 'a minimum above what is asked' refused 'the minimum is more than what is asked for' '1s/8}/8, "minimum_units": 9}/'

refused_tenants() {
    small_world
    printf 'name,attr:seat\na,near\na,far\n' >tenants.csv
    exits 2 "$ALLOT" policy simulate --policy small.policy --tenants tenants.csv --events events.jsonl --until 2027-04-30 --out wrong
    has "$err" "tenants.csv:3: tenant 'a' stands twice from the same time on"
    printf 'name,sheet\na,near\n' >tenants.csv
    exits 2 "$ALLOT" policy simulate --policy small.policy --tenants tenants.csv --events events.jsonl --until 2027-04-30 --out wrong
    has "$err" "'sheet'"
    small_world
    printf 'date,tenant,metric,percent\n2027-01-01,a,gpu,101\n' >usage.csv
    exits 2 "$ALLOT" policy simulate --policy small.policy --tenants tenants.csv --events events.jsonl --usage usage.csv --until 2027-04-30 --out wrong
    has "$err" 'usage.csv:2: percent'
    exits 2 "$ALLOT" policy simulate --policy small.policy --tenants tenants.csv --events events.jsonl --until 2027-04-30
    has "$err" '--out is missing'
    exits 2 "$ALLOT" policy simulate --policy small.policy --tenants tenants.csv --events events.jsonl --until 2026-01-01 --out wrong
    has "$err" 'nothing has happened by'
}
it 'wrong tenants, use and options' refused_tenants

# ---- a year of the pilot ----

generated() {
    exits 0 "$ALLOT" policy generate --tenants 100 --seed 7 --out year
    exits 0 "$ALLOT" policy generate --tenants 100 --seed 7 --out again
    diff -r year again
    exits 0 "$ALLOT" policy generate --tenants 100 --seed 8 --out other
    ! cmp -s year/events.jsonl other/events.jsonl
    is 101 "$(wc -l <year/tenants.csv)"
    is 1 "$(jq -r 'select(.event == "award") | .call' year/events.jsonl | wc -l)"
    is 100 "$(jq -r 'select(.event == "request" and .call == "first") | .tenant' year/events.jsonl | sort -u | wc -l)"
    is 1 "$(jq -r 'select(.event == "call") | .compute_gflops' year/events.jsonl | wc -l)"
    for key in replaces accepts_seconds; do [ "$(grep -c "\"$key\"" year/events.jsonl)" -gt 5 ]; done
    for act in decline approve refuse release; do grep -q "\"event\":\"$act\"" year/events.jsonl; done
    sed 's/^\(L1 .*\);/\1, agreement;/' "$ROOT/policies/pilot.policy" >signed.policy
    exits 0 "$ALLOT" policy generate --policy signed.policy --tenants 20 --seed 7 --out signed
    [ "$(grep -c '"event":"agree"' signed/events.jsonl)" -gt 20 ]
    exits 0 "$ALLOT" policy simulate --policy signed.policy --tenants signed/tenants.csv --events signed/events.jsonl \
        --until 2028-01-03 --out signed/run
    jq -e '.run.calls[0] | .not_signed > 0 and .granted > 5' signed/run/metrics.json >/dev/null
}
it 'a population is made, the same one from the same seed' generated

year() {
    simulate run --sentences
    for file in decisions.jsonl days.csv metrics.json metrics.csv report.html; do [ -s "run/$file" ]; done
    is 366 "$(tail -n +2 run/days.csv | wc -l)"
    jq -e '.run | .outcomes.granted > 100 and .renewals > 0 and .invariant_checks > 1000 and .ping_pong == 0 and
        (.waits | map(.tier) | index("gwangju") != null) and
        ([.outcomes[]] | add) == .requests and .offers.made > 0 and .swaps > 0 and .credits.settled > 50 and
        (.offers | .made == .taken + .expired + .outgrown + .lost + .withdrawn + .open)' run/metrics.json >/dev/null
    # never more held than there is, on any day
    awk -F, 'NR > 1 && $6 > $7 { exit 1 }' run/days.csv
    # every request that was granted was decided by the log
    is "$(jq -r '.run | .waits[-1].granted' run/metrics.json)" \
        "$(jq -r 'select(.event == "decision" and (.outcome == "granted" or .outcome == "partial")) | .request' run/decisions.jsonl | sort -u | wc -l)"
    is 0 "$(jq -r 'select(.event == "decision" and .outcome != "granted" and (.en == null or .ko == null))' run/decisions.jsonl | wc -l)"
    cp run/report.html "$BUILD/pilot-year.html" # for whoever wants to read it
}
it 'a year of the pilot, from the call to the renewals, keeps every promise' year

page() { # well formed, of one piece, and its numbers are the metrics
    simulate run
    if command -v xmllint >/dev/null; then xmllint --noout run/report.html; fi
    lacks run/report.html '<script'
    lacks run/report.html 'http://'
    lacks run/report.html 'https://'
    is 3 "$(grep -c '<svg' run/report.html)"
    grep -o 'data-metric="[^"]*" data-value="[^"]*"' run/report.html | sed 's/data-metric="//; s/" data-value="/\t/; s/"$//' |
        grep -v '^against' >shown
    [ "$(wc -l <shown)" -gt 60 ]
    jq -r '.run | [paths(type != "object" and type != "array") as $p | [($p | map(if type == "number" then "[\(.)]" else ".\(.)" end) | join("") | ltrimstr(".")),
        (getpath($p) | tostring)] | join("\t")] | .[]' run/metrics.json | sort >known
    sort -u shown | comm -23 - known >unknown
    [ ! -s unknown ] || { cat unknown; return 1; }
    exits 0 "$ALLOT" policy simulate --lang ko --policy pilot --tenants year/tenants.csv --events year/events.jsonl \
        --until 2028-01-03 --out korean
    has korean/report.html '이 정책으로 배정했다면'
    has korean/report.html 'lang="ko"'
    has korean/report.html '담당자가 거절'
    lacks korean/report.html '>refused by a person<'
    has korean/report.html '광주 소재 AI 기업' # what a rule says, not its code alone
    for word in '공모' '대기 중의 제안' '한도 초과' '예비'; do has korean/report.html "$word"; done
    for month in 2027-02 03 04 05 06 07 08 09 10 11 12; do has korean/report.html ">$month</text>"; done
}
it 'the page is of one piece, and its numbers are those of the metrics' page

escaped() { # what a tenant is called cannot become part of the page
    small_world
    sed -i "s/^b,/<b>\&'x,/" tenants.csv
    sed -i "s/\"tenant\": \"b\"/\"tenant\": \"<b>\&'x\"/" events.jsonl
    exits 0 "$ALLOT" policy simulate --policy small.policy --tenants tenants.csv --events events.jsonl --until 2027-04-30 --out escaped
    has escaped/report.html '&lt;b&gt;&amp;&#39;x'
    lacks escaped/report.html '<b>&'
    jq -e . escaped/decisions.jsonl >/dev/null
}
it 'names are escaped' escaped

finish
