#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2119 # cases are called by name
# What is taken back: planned, told, appealed, carried out; and what it was used for.
. "$ROOT/test/books.bash"

load() { # VERSION CEILING [MORE-RULES]
    tier_policy "$1" 62.4 '360 days' "C1 ceiling per tenant compute $2 TF storage 50 TB;" \
        "Q1 queue order share, wait, id${HOLD:-};" \
        'B1 borrow lend-max 100 %, notice 7 days, min-hold 14 days, most 2 tenants;' "${3:-}" >reclaim.policy
    allot policy load reclaim.policy >load.out 2>&1 || { cat load.out; return 1; }
}
state() { allot grant show "$1" --json | jq -r .state; }
units_of() { allot grant show "$1" --json | jq '[.lines[].units] | add // 0'; }
notice() { allot queue notices --all --json | jq -c ".[] | select(.notice == \"$1\")"; }
cron() { # a night: what is due, what people are told, what the cloud does
    exits 0 allot tick --confirm --json
    cp "$out" tick.json
    exits 0 allot notify
    exits 0 allot reconcile
}
ticked() { jq -r "$1" tick.json; }

# Three of the general tier hold all V100; one in Gwangju has the guarantee.
crowd() { # [MORE-RULES] [UNITS-PER-SERVER]
    new_store "measures: [gpu_util]"
    load 2 200 "${1:-}"
    for t in x y z; do
        add_tenant $t "$((0x$(printf %x "'$t")))" elsewhere
        exits 0 allot request submit --tenant $t --flavor v100 --units 8 --per-server "${2:-4}"
    done
    add_tenant a 1 gwangju
    cron
}

# ---- a guarantee that is claimed ----

planned() {
    crowd
    exits 0 allot queue plan --json
    is 0 "$(value '.[0].reclaims | length')"
    day '1 day'
    exits 8 allot request submit --tenant a --flavor v100 --units 4 --json
    exits 0 allot queue plan --json
    is '1 servers, 4 units of z for r-4' "$(value '.[0].blast[] | "\(.servers) servers, \(.units) units of \(.tenants | join(" ")) for \(.request)"')"
    is 'guarantee B1 62400 0' "$(value '.[0].reclaims[0] | "\(.cause) \(.rule) \(.compute_gflops) \(.guarantee_gflops)"')"
    is 2026-03-16T00:00:00Z "$(value '.[0].reclaims[0].effect')"
    exits 0 allot queue plan
    has "$out" 'guarantee for r-4: 1 tenant, 1 server with 4 units, 62.4 TF'
    exits 0 allot --lang ko queue plan
    has "$out" '빌려 쓰는 자원이며'
    is 0 "$(sqlite3 "$STORE" 'SELECT count(*) FROM reclaim')"
}
it 'queue plan shows the blast radius and changes nothing' planned
noticed() {
    day '1 day'
    exits 0 allot tick --confirm --json
    is '1 0' "$(value '"\(.reclaim_notices) \(.reclaimed)"')"
    is 'noticed guarantee 4 r-4 g-3' "$(notice n-1 | jq -r '"\(.state) \(.cause) \(.units) \(.request) \(.grant)"')"
    is 8 "$(units_of g-3)"
    is 0 "$(allot queue plan --json | jq '.[0].reclaims | length')"
    exits 0 allot tick --json
    is 0 "$(value .reclaim_notices)"
    exits 0 allot status
    has "$out" 'notices     1 open, 0 of them appealed'
    exits 0 allot notify --list --json
    is 'reclaim n-1' "$(value '.[] | select(.kind == "reclaim") | "\(.kind) \(.payload.facts.notice)"')"
}
it 'tick writes the notice once and takes nothing yet' noticed
undelivered() {
    day '20 days'
    exits 0 allot tick --confirm --json
    is '0 1' "$(value '"\(.reclaimed) \(.reclaim_waiting)"')"
    is 8 "$(units_of g-3)"
    exits 0 allot notify
    day '26 days'
    exits 0 allot tick --confirm --json
    is 0 "$(value .reclaimed)"
    is 2026-03-29T00:00:00Z "$(notice n-1 | jq -r .effect)"
}
it 'the days of the notice count from its delivery' undelivered
taken() {
    day '27 days'
    printf 'tick: {releases: 0}\nnotify: [/bin/true]\n' >allot.conf
    exits 5 allot tick
    has "$err" 'take back v100 x 4 of g-3 of z (n-1)'
    has "$err" 'it would end 1 grants or parts of them at once, more than 0'
    printf 'notify: [/bin/true]\n' >allot.conf
    cron
    is 1 "$(ticked .reclaimed)"
    is 'done' "$(notice n-1 | jq -r .state)"
    is 4 "$(units_of g-3)"
    is active "$(state g-3)"
    cron
    is active "$(state g-4)"
    is 4 "$(units_of g-4)"
    is 0 "$(allot queue plan --json | jq '.[0].reclaims | length')"
}
it 'what was told goes back, and the claim gets it' taken
withdrawn() {
    crowd
    day '15 days'
    exits 8 allot request submit --tenant a --flavor v100 --units 4
    cron
    exits 0 allot request withdraw r-4
    exits 0 allot queue plan
    has "$out" 'notice n-1 is needed no more'
    cron
    is 1 "$(ticked .reclaim_ends)"
    is withdrawn "$(notice n-1 | jq -r .state)"
    is 1 "$(sqlite3 "$STORE" "SELECT count(*) FROM outbox WHERE kind = 'reclaim-ended'")"
    day '40 days'
    cron
    is 8 "$(units_of g-3)"
}
it 'a claim that is withdrawn ends the notice' withdrawn
last_day() {
    crowd
    day '15 days'
    exits 8 allot request submit --tenant a --flavor v100 --units 4
    cron
    day '40 days'
    exits 0 allot request withdraw r-4
    cron
    is '1 0' "$(ticked '"\(.reclaim_ends) \(.reclaimed)"')"
    is withdrawn "$(notice n-1 | jq -r .state)"
    is 8 "$(units_of g-3)"
}
it 'a notice that is due is looked at once more before it takes anything' last_day
agreed() {
    crowd
    day '15 days'
    exits 8 allot request submit --tenant a --flavor v100 --units 4
    cron
    exits 2 allot queue consent n-1
    exits 4 allot queue consent n-7 --by 'Kim'
    exits 0 allot queue consent n-1 --by 'Kim of z'
    cron
    is 1 "$(ticked .reclaimed)"
    is 'n-1 Kim of z' "$(sqlite3 "$STORE" "SELECT detail FROM entry_detail JOIN entry USING (seq) WHERE kind = 'reclaim.consent'")"
    exits 5 allot queue consent n-1 --by 'Kim of z'
}
it 'a notice is shortened by the consent of its tenant alone' agreed
gone_otherwise() {
    crowd
    day '15 days'
    exits 8 allot request submit --tenant a --flavor v100 --units 4
    cron
    exits 0 allot grant release g-3
    is withdrawn "$(notice n-1 | jq -r .state)"
}
it 'a grant that is released takes its notices with it' gone_otherwise
capped() {
    crowd
    day '15 days'
    for t in b c; do
        add_tenant $t "$((0x$(printf %x "'$t")))" gwangju
        exits 8 allot request submit --tenant $t --flavor v100 --units 4
    done
    exits 8 allot request submit --tenant a --flavor v100 --units 4
    exits 0 allot queue plan --json
    is '2 8 1' "$(value '.[0] | "\(.tenants) \(.units) \(.left_out)"')"
    cron
    is '2 1' "$(ticked '"\(.reclaim_notices) \(.reclaim_left_out)"')"
    cron
    is 1 "$(ticked .reclaim_notices)"
    is 'x y z' "$(allot queue notices --json | jq -r '[.[].tenant] | sort | join(" ")')"
}
it 'a round touches no more tenants than the policy says; the next goes on' capped

offered() { # what is set aside for the claim itself is not taken from others as well
    HOLD=' hold 3 days' crowd '' 2
    exits 0 allot grant shrink g-1 "$(allot grant show g-1 --json | jq -r '.things[0].name')"
    cron
    day '15 days'
    exits 8 allot request submit --tenant a --flavor v100 --units 4
    cron
    is '1 2' "$(sqlite3 "$STORE" "SELECT count(*), sum(quantity) FROM offer_line" | tr '|' ' ')"
    is '1 2' "$(allot queue notices --json | jq -r '"\(length) \(.[0].units)"')"
    day '16 days'
    cron
    is 0 "$(ticked .reclaim_ends)"
    day '22 days'
    cron
    is 1 "$(ticked .reclaimed)"
    for d in 23 26 27; do day "$d days" && cron; done
    is 4 "$(units_of g-4)"
    is 0 "$(allot queue notices --json | jq length)"
}
it 'an offer neither hides the claim nor is taken from others twice' offered

# ---- hardware that is lost ----

lost() {
    crowd
    for t in b c d e f g; do add_tenant $t "$((0x$(printf %x "'$t")))" gwangju; done
    exits 0 allot queue plan --json
    is '436800 471600 0' "$(value '.[0] | "\(.guarantees_gflops) \(.available_gflops) \(.scaled | length)"')"
    exits 0 allot pool lose p --host h1 --confirm
    exits 0 allot queue plan
    has "$out" '314.4 TF can be guaranteed, 436.8 TF are'
    exits 0 allot queue plan --json
    is '7 44914' "$(value '.[0].scaled | "\(length) \(.[0].kept_gflops)"')"
}
it 'after a loss all guarantees are kept in one ratio' lost

# ---- a ceiling that was cut ----

debt() {
    crowd '' 2
    load 3 100
    exits 0 allot queue plan --json
    is 'debt C1 2 31200 2026-04-01T00:00:00Z' "$(value '.[0].reclaims[0] | "\(.cause) \(.rule) \(.units) \(.compute_gflops) \(.effect)"')"
    cron
    is '2 1' "$(ticked '"\(.reclaim_notices) \(.reclaim_left_out)"')"
    day '1 day'
    load 4 200
    cron
    is 2 "$(ticked .reclaim_ends)"
    is 0 "$(allot queue notices --json | jq length)"
}
it 'a cut ceiling gives thirty days, and a raised one ends the debt' debt

# ---- use it or lose it ----

U="U1 idle gpu_util.p95 < 10 % for 7 days, notice 5 days, appeal 3 days, keep guarantee;
U2 unused gpu_util < 50 % for 28 days, lose 50 %, notice 14 days, appeal 7 days;"
samples() { # GRANT METRIC FIRST-DAY DAYS PERCENT
    local d
    for ((d = $3; d < $3 + $4; d++)); do
        printf '%s,%s,%s,86400,%s\n' "$(date -u -d "2026-03-02T00:00:00Z + $d days" +%Y-%m-%dT%H:%M:%SZ)" "$1" "$2" "$5"
    done
}
header=at,grant,metric,seconds,percent
import() { { echo $header && cat; } >samples.csv && exits "$1" allot usage import samples.csv; }
imported() {
    crowd "$U"
    day '10 days'
    samples g-1 gpu_util.p95 0 7 5 | import 0
    has "$out" '7'
    samples g-1 gpu_util.p95 0 7 5 | import 0
    is 7 "$(sqlite3 "$STORE" 'SELECT count(*) FROM sample')"
    samples g-1 gpu_util.p95 0 1 6 | import 2
    has "$err" 'line 2: g-1 has 5 % for 2026-03-02T00:00:00Z already, not 6 %'
    echo '2026-03-02T12:00:00Z,g-1,gpu_util.p95,86400,5' | import 2
    has "$err" 'it overlaps the sample of g-1 that begins at'
    echo '2026-03-11T12:00:00Z,g-1,gpu_util.p95,86400,5' | import 2
    has "$err" 'after now'
    echo '2026-03-01T12:00:00Z,g-1,gpu_util.p95,60,5' | import 2
    has "$err" 'before grant g-1 began'
    echo '2026-03-10T12:00:00Z,g-99,gpu_util.p95,60,5' | import 2
    has "$err" 'there is no grant g-99'
    echo '2026-03-10T12:00:00Z,g-1,gpu util,60,5' | import 2
    has "$err" 'no name of a metric'
    printf '2026-03-10T00:00:00Z,g-1,gpu_util,60,5\n2026-03-10T00:01:00Z,g-1,gpu_util,60,101\n' | import 2
    has "$err" 'samples.csv: 1 of 2 rows are wrong; none was recorded:'
    has "$err" 'line 3: percent must be a whole number from 0 to 100'
    printf '2026-03-10T00:00:00Z,g-1,gpu_utl,60,5\n2026-03-10T00:01:00Z,g-99,gpu_util,60,1\n' | import 2
    has "$err" "line 2: the pool of g-1 does not measure 'gpu_utl'; it measures gpu_util"
    has "$err" 'line 3: there is no grant g-99'
    samples g-1 gpu_util.p95 0 7 6 | import 2
    has "$err" '7 of 7 rows are wrong'
    header=at,grant,metric,seconds import 2 </dev/null || true
    is 7 "$(sqlite3 "$STORE" 'SELECT count(*) FROM sample')"
}
it 'usage import takes a file wholly or not at all' imported
idle() {
    crowd "$U"
    day '8 days'
    samples g-1 gpu_util.p95 0 6 5 | import 0
    samples g-2 gpu_util.p95 1 7 9 | import 0
    samples g-3 gpu_util.p95 1 6 0 | import 0
    samples g-3 gpu_util.p95 7 1 10 | import 0
    exits 0 allot queue unused --rule U1 --json
    is 'g-2 8 gpu_util.p95 100 9' "$(value '.[0].reclaims[] | "\(.grant) \(.units) \(.sample.metric) \(.sample.covered_percent) \(.sample.most_percent)"')"
    exits 0 allot queue unused --rule U1 --on 2026-03-09T00:00:00Z --json
    is 0 "$(value '.[0].reclaims | length')"
    exits 0 allot queue unused --rule U1 --on 2026-03-09T00:00:00Z
    has "$out" 'pool p, rule U1: 0 to be taken from; 3 not measured through its window'
    exits 0 allot queue unused --rule U1
    has "$out" 'pool p, rule U1: 1 to be taken from; '
    exits 0 allot --lang ko queue unused --rule U1 --on 2026-03-09T00:00:00Z
    has "$out" '자원 풀 p, 규칙 U1: 회수 대상 0건; 기간 전체가 측정되지 않음 3건'
    exits 2 allot queue unused --rule U1 --on 2027-01-01
    exits 2 allot queue unused
    exits 4 allot queue unused --rule U3
    has "$err" "did you mean 'U"
    cron
    is 1 "$(ticked .reclaim_notices)"
}
it 'an idle window must be full, and every sample below the bound' idle
appealed() {
    exits 2 allot queue appeal n-1
    exits 0 allot queue appeal n-1 --reason 'the run begins on Monday'
    exits 5 allot queue appeal n-1 --reason 'again'
    is 'appealed the run begins on Monday' "$(notice n-1 | jq -r '"\(.state) \(.appeal)"')"
    day '30 days'
    cron
    is 0 "$(ticked .reclaimed)"
    is 1 "$(ticked .reclaim_waiting)"
    exits 2 allot queue answer n-1 --reason 'x'
    exits 0 allot queue answer n-1 --dismiss --reason 'there is no run'
    exits 5 allot queue answer n-1 --dismiss --reason 'twice'
    exits 3 allot queue appeal n-1 --reason 'once more'
    cron
    is 1 "$(ticked .reclaimed)"
    is kept "$(state g-2 | sed 's/ended/kept/')"
}
it 'while an appeal is open nothing is taken; dismissed, the notice stands' appealed
upheld() {
    crowd "$U"
    day '8 days'
    samples g-2 gpu_util.p95 1 7 9 | import 0
    cron
    day '12 days'
    exits 3 allot queue appeal n-1 --reason 'too late'
    has "$err" 'the time to appeal notice n-1 ended'
    day '11 days'
    exits 0 allot queue appeal n-1 --reason 'we wait for data'
    exits 0 allot queue answer n-1 --uphold --reason 'the data comes in May'
    is withdrawn "$(notice n-1 | jq -r .state)"
    is 1 "$(sqlite3 "$STORE" "SELECT count(*) FROM outbox WHERE kind = 'appeal' AND payload LIKE '%upheld%May%'")"
    day '14 days'
    samples g-2 gpu_util.p95 8 6 9 | import 0
    cron
    is 0 "$(ticked .reclaim_notices)"
    day '18 days'
    samples g-2 gpu_util.p95 14 4 9 | import 0
    cron
    is 1 "$(ticked .reclaim_notices)"
}
it 'what was excused is not counted again: a new window begins' upheld
risen() {
    crowd "$U"
    day '8 days'
    samples g-2 gpu_util.p95 1 7 9 | import 0
    cron
    day '10 days'
    samples g-2 gpu_util.p95 8 2 70 | import 0
    cron
    is 1 "$(ticked .reclaim_ends)"
    is withdrawn "$(notice n-1 | jq -r .state)"
}
it 'use that rises ends the notice' risen
unused() {
    crowd "$U" 2
    day '28 days'
    samples g-1 gpu_util 0 28 20 | import 0
    samples g-2 gpu_util 0 25 20 | import 0
    samples g-3 gpu_util 0 28 60 | import 0
    exits 0 allot queue unused --rule U2 --json
    is 'g-1 2 100 20' "$(value '.[0].reclaims[] | "\(.grant) \(.units) \(.sample.covered_percent) \(.sample.mean_percent)"')"
    cron
    is 1 "$(ticked .reclaim_notices)"
    day '42 days'
    cron
    is 1 "$(ticked .reclaimed)"
    is 6 "$(units_of g-1)"
    cron
    is 0 "$(ticked .reclaim_notices)"
}
it 'what lay unused is lost in part, in whole servers, once a window' unused

# ---- the tenant's own face ----

served() {
    crowd "$U"
    day '8 days'
    samples g-2 gpu_util.p95 1 7 9 | import 0
    cron
    printf '%s\n' '{"id": 1, "do": "notices"}' '{"id": 2, "do": "appeal", "notice": "n-1", "reason": "soon"}' |
        allot serve --stdio --tenant x >served
    is '[]' "$(jq -c 'select(.id == 1).answer' served)"
    is 4 "$(jq 'select(.id == 2).status' served)"
    printf '%s\n' '{"id": 1, "do": "notices"}' '{"id": 2, "do": "appeal", "notice": "n-1", "reason": "soon"}' \
        '{"id": 3, "do": "consent", "notice": "n-1"}' | allot serve --stdio --tenant y >served
    is 'n-1 noticed' "$(jq -r 'select(.id == 1).answer[0] | "\(.notice) \(.state)"' served)"
    is appealed "$(jq -r 'select(.id == 2).answer.state' served)"
    is 5 "$(jq 'select(.id == 3).status' served)"
    lacks served r-4
    exits 0 allot queue answer n-1 --dismiss --reason 'no'
    echo '{"id": 1, "do": "consent", "notice": "n-1"}' | allot serve --stdio --tenant y >served
    is 0 "$(jq .status served)"
    cron
    is 1 "$(ticked .reclaimed)"
}
it 'a tenant sees, appeals and consents to its own notices only' served

checked() {
    crowd
    day '15 days'
    exits 8 allot request submit --tenant a --flavor v100 --units 4
    cron
    sqlite3 "$STORE" 'PRAGMA wal_checkpoint(TRUNCATE)'
    cp "$STORE" whole.db
    sqlite3 "$STORE" "UPDATE reclaim SET state = 'done', closed_at = sent_at"
    exits 9 allot fsck
    has "$out" 'notice n-1 of grant g-3 took effect'
    cp whole.db "$STORE"
    sqlite3 "$STORE" "UPDATE reclaim SET units = 7"
    exits 9 allot fsck
    has "$out" 'notice n-1 is noticed over 7 units, its servers have 4'
    cp whole.db "$STORE"
    sqlite3 "$STORE" "UPDATE reclaim_operation SET operation = 1"
    exits 9 allot fsck
    has "$out" 'which is no server of grant g-3 that stays'
    cp whole.db "$STORE"
}
it 'fsck finds an effect without a delivered notice and a notice of nothing' checked

finish
