#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Policies: checked, loaded, shown; a version never changes.
# shellcheck disable=SC2317,SC2119 # cases are called by their name
. "$ROOT/test/books.bash"

entries() { sqlite3 "$STORE" 'SELECT count(*) FROM entry'; }
variant() { policy_text | sed "$1" >variant.policy; }
refused() { # STATUS MESSAGE COMMAND...: the message is the last line or the one before its hint; nothing is written
    local status=$1 message=$2 before
    shift 2
    before=$(entries)
    exits "$status" "$@"
    is "$message" "$(grep '^allot: ' "$err" | head -n 1)"
    is "$before" "$(entries)"
}

# ---- check: no store is needed ----

shipped() {
    exits 0 "$ALLOT" policy check pilot
    exits 0 "$ALLOT" policy check "$ROOT/policies/pilot.policy" --json
    is 'gwangju-pilot true 0' "$(value '.[0] | "\(.policy) \(.good) \(.errors)"')"
    [ ! -e "$STORE" ]
}
it 'a shipped policy is checked by its name, without a store' shipped

wrong() {
    variant 's/125 TF storage/125 TX storage/; s/sizes 1, 2, 4;/sizes 1, 2;;/'
    policy_text >good.policy
    exits 2 "$ALLOT" policy check good.policy variant.policy --json
    is 'true false' "$(value 'map(.good) | join(" ")')"
    is '5 15' "$(value '[.[1].diagnostics[] | select(.level == "error") | .line] | join(" ")')"
    exits 2 "$ALLOT" policy check variant.policy
    has "$err" 'variant.policy:15:'
}
it 'all that is wrong is told, with its place' wrong

missing() {
    exits 4 "$ALLOT" policy check pilto
    has "$err" 'allot: not found: pilto: no such file, and no policy of that name comes with the program'
    has "$err" "did you mean 'pilot'?"
    exits 4 "$ALLOT" policy check ./absent.policy
}
it 'a name that is none suggests the nearest' missing

# ---- load ----

new_store 2>/dev/null

active() {
    exits 0 allot policy show p --json
    is 'test 1 true null null' "$(value '"\(.name) \(.version) \(.active) \(.valid_from) \(.valid_until)"')"
    is "$(policy_text)" "$(value .stored.text)"
    is "$(value .hash)" "$(sqlite3 "$STORE" 'SELECT stored FROM policy' | tr -d '\n' | sha256sum | cut -d' ' -f1)"
    is "$(value .hash)" "$(sqlite3 "$STORE" "SELECT detail FROM entry_detail JOIN entry USING (seq) WHERE kind = 'policy.load'")"
    exits 0 allot policy show
    has "$out" 'L1 lease term 90 days'
}
it 'what was loaded is shown to the byte, and the ledger has its hash' active

again() {
    local before
    before=$(entries)
    exits 0 allot policy load test.policy --json
    is 'true' "$(value .already_loaded)"
    is "$before" "$(entries)"
}
it 'the same again is already loaded' again

validity() {
    local notes="SELECT detail FROM entry_detail JOIN entry USING (seq) WHERE kind = 'policy.validity' ORDER BY seq DESC LIMIT 1"
    exits 0 allot policy load test.policy --until 2027-01-01
    has "$out" 'already loaded; its validity was changed'
    is 'test version 1: .. -> ..2027-01-01T15:00:00Z' "$(sqlite3 "$STORE" "$notes")"
    is 'null 2027-01-01T15:00:00Z' "$(allot policy show p --json | jq -r '"\(.valid_from) \(.valid_until)"')"
    exits 0 allot policy load test.policy --until 2027-01-01 --json
    is 'true false' "$(value '"\(.already_loaded) \(.validity_changed)"')"
    exits 2 allot policy load test.policy --from 2027-02-01
    exits 0 allot policy load test.policy --from 2026-01-01T00:00:00Z --until 9999-12-31T00:00:00Z
    is 'test version 1: ..2027-01-01T15:00:00Z -> 2026-01-01T00:00:00Z..9999-12-31T00:00:00Z' "$(sqlite3 "$STORE" "$notes")"
    exits 0 allot audit verify
}
it 'the validity of a version is changed by loading it again, and noted' validity

changed() {
    variant 's/term 90 days/term 91 days/'
    exits 5 allot policy load variant.policy
    has "$err" "allot: conflict: policy 'test' version 1 is loaded with other content ("
    has "$err" 'raise the version in the policy'
}
it 'a version never changes' changed

restated() {
    variant 's/units 24/units 25/; s/15.6 TF/15.7 TF/; s/300 TB/301 TB/; s/version 1/version 2/'
    refused 2 "allot: usage: variant.policy: 3 errors; the first: variant.policy:4:10: flavor 'v100' has 25 units here and 24 in the pool" \
        allot policy load variant.policy
    has "$err" "flavor 'v100' is rated 15.7 TF here and 15.6 TF in the pool"
    has "$err" 'the storage is 301 TB here and 300 TB in the pool'
    exits 2 allot policy check variant.policy --pool p
    exits 0 allot policy check variant.policy
    variant 's/basis fp32/basis fp16/; s/version 1/version 2/'
    exits 2 allot policy load variant.policy
    has "$err" 'the basis is fp16 here and fp32 in the pool: their figures must not be mixed'
    refused 4 "allot: not found: no pool is named 'q'" allot policy load test.policy --pool q
}
it 'the pool block must restate the pool of the store' restated

lost() {
    exits 0 allot pool lose p --host h3 --confirm
    exits 0 allot policy check test.policy --pool p
    exits 0 allot pool restore p --host h3
}
it 'what is lost is still declared' lost

dates() {
    variant 's/version 1/version 2/'
    refused 2 'allot: usage: the policy would end at 2026-04-01T00:00:00Z, before it begins at 2026-05-01T00:00:00Z' \
        allot policy load variant.policy --from 2026-05-01T00:00:00Z --until 2026-04-01T00:00:00Z
    exits 2 allot policy load variant.policy --from soon
    exits 0 allot policy load variant.policy --from 2026-05-01T00:00:00Z --until 2026-06-01T00:00:00Z
    is 1 "$(allot policy show p --json | jq .version)"
    at 2026-05-01T00:00:00Z
    is 2 "$(allot policy show p --json | jq .version)"
    at 2026-06-01T00:00:00Z
    is 1 "$(allot policy show p --json | jq .version)"
    exits 0 allot policy history p --json
    is '2 1' "$(value 'map(.version) | join(" ")')"
    is 'false true' "$(value 'map(.active) | join(" ")')"
    variant 's/version 1/version 5/'
    exits 0 allot policy load variant.policy --from 2027-01-01 --until 2027-01-31
    exits 0 allot policy history p --json
    is '2026-12-31T15:00:00Z 2027-01-31T15:00:00Z' "$(value '.[0] | "\(.valid_from) \(.valid_until)"')"
}
it 'the newest loaded that is valid now decides' dates

dry() {
    local before
    variant 's/version 1/version 3/'
    before=$(entries)
    exits 0 allot policy load variant.policy --dry-run
    is "$before" "$(entries)"
    is 3 "$(allot policy history p --json | jq length)"
}
it 'a dry run loads nothing' dry

several() {
    exits 0 allot pool add q --backend simulated --basis fp32 --host h=u --setting file="$PWD/q.json"
    exits 2 allot policy show
    has "$err" 'there are 2 pools: name one'
    has "$err" 'allot policy show POOL (p, q)'
    exits 2 allot policy shadow
    has "$err" 'hint: --pool NAME (p, q)'
    policy_text | sed 's/^pool p {/pool elsewhere {/' >elsewhere.policy
    exits 4 allot policy shadow elsewhere.policy
    has "$err" "no pool is named 'elsewhere'"
    has "$err" 'the policy names it; of another pool of the store: --pool NAME'
    exits 4 allot policy show q
    has "$err" 'no policy of the pool is valid'
}
it 'a pool without policy says so' several

differing() { # one attribute, declared differently for two pools
    pool_file | sed "s|file: .*|file: $PWD/r.json|" >r.yaml
    exits 0 allot pool add r --file r.yaml
    variant 's/^policy "test"/policy "other"/; s/^pool p/pool r/; s/seat : enum.*/seat : enum { seoul, moving };/; s/seat = elsewhere/seat = seoul/'
    exits 0 allot policy load variant.policy
    add_tenant a 1
    exits 0 allot tenant set a --set seat=seoul
    exits 0 allot tenant set a --set seat=elsewhere
    exits 2 allot tenant set a --set seat=busan
    has "$err" "policy 'test': 'busan' is not a value of 'seat' (gwangju, moving, elsewhere); policy 'other': 'busan' is not a value of 'seat' (seoul, moving)"
    exits 2 allot tenant set a --set saet=seoul
    has "$err" "did you mean 'seat'?"
}
it 'a value of an attribute fits when one policy takes it; else each says why not' differing

stated_dates() {
    variant 's/version 1/version 7 valid from 2027-03-01 until 2027-03-31/'
    refused 2 "allot: usage: --until is after 2027-03-31T15:00:00Z, until when policy 'test' says that it is valid" \
        allot policy load variant.policy --until 2027-04-01
    exits 2 allot policy load variant.policy --from 2027-02-28
    exits 0 allot policy load variant.policy --until 2027-03-15
    exits 0 allot policy history p --json
    is '2027-02-28T15:00:00Z 2027-03-15T15:00:00Z' "$(value '.[0] | "\(.valid_from) \(.valid_until)"')"
}
it 'a policy that states its time is valid in it, or shorter' stated_dates

manual() { # the synopsis of allot-policy(5) is a policy, and its grammar stays small
    awk '/^\.Sh SYNOPSIS/ { s = 1 } s && /^\.Ed/ { exit } s && !/^\./' "$ROOT/man/allot-policy.5" >synopsis.policy
    echo nobody >blocked.list
    exits 0 "$ALLOT" policy check synopsis.policy --json
    is '0 0' "$(value '.[0] | "\(.errors) \(.warnings)"')"
    [ "$(awk '/^\.Sh GRAMMAR/ { g = 1 } g && /^\.Ed/ { exit } g && /^[a-z-]+ +=/' "$ROOT/man/allot-policy.5" | wc -l)" -le 45 ]
}
it 'the synopsis of the manual is a policy, and the grammar has at most 45 productions' manual

restated_rest() { # what is not compute or storage
    {
        pool_file "datalake: 40 TB
saas: [{name: notebook, seats: 20}]
measures: [gpu_util]" | sed "s|file: .*|file: $PWD/w.json|; s|^settings:|  - {name: warboy, rating: none, units: 6, sizes: [1, 2], attach: none}\nsettings:|; s|t4: {units_per_host: 4}|t4: {units_per_host: 4}, warboy: {units_per_host: 2}|"
    } >w.yaml
    exits 0 allot pool add w --file w.yaml
    policy_text | sed 's/^pool p {/pool w {/; s/^policy "test"/policy "rest"/; s/^  storage 300 TB;/  flavor warboy unrated units 6 sizes 1, 2; storage 300 TB; datalake 40 TB; saas notebook seats 20; measures gpu_util;/; s/^C1 ceiling.*/C1 ceiling compute 125 TF storage 50 TB units warboy 2 seats notebook 5;/' >rest.policy
    exits 0 allot policy check rest.policy --pool w
    sed 's/unrated units 6/unrated units 7/; s/datalake 40 TB/datalake 41 TB/; s/seats 20/seats 21/; s/measures gpu_util/measures gpu_utl/' rest.policy >rest2.policy
    exits 2 allot policy check rest2.policy --pool w
    has "$err" "flavor 'warboy' has 7 units here and 6 in the pool"
    has "$err" 'the datalake is 41 TB here and 40 TB in the pool'
    has "$err" "service 'notebook' has 21 seats here and 20 in the pool"
    has "$err" "pool 'w' does not measure 'gpu_utl'; did you mean 'gpu_util'?"
    exits 0 allot policy load rest.policy
}
it 'chips without a figure, data lake, seats and metrics must be those of the pool' restated_rest

finish
