#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2119 # cases are called by name
# What a person delivers: a data lake, seats of a service, chips that no backend makes. What is refused comes first.
. "$ROOT/test/books.bash"

new_store
pool_file >pool.yaml
printf 'datalake: 100 TB\nsaas: [{name: notebook, seats: 10}]\n' >>pool.yaml
sed -i 's/^flavors:/flavors:\n  - {name: chip, rating: none, units: 4, sizes: [1, 2], attach: hand}/' pool.yaml
allot pool set p --file pool.yaml >/dev/null
policy_text | sed 's/version 1/version 2/
  s/  storage 300 TB;/  flavor chip unrated units 4 sizes 1, 2;\n  storage 300 TB;\n  datalake 100 TB;\n  saas notebook seats 10;/
  s/^C1 .*/C1 ceiling per tenant compute 125 TF storage 50 TB units chip 2 seats notebook 5;/' >hand.policy
allot policy load hand.policy >/dev/null 2>&1
for i in 1 2 3 4 5; do add_tenant "t$i" "$i"; done
submit() { allot request submit "$@"; }
content() { sqlite3 "$STORE" .dump | sha256sum; }
refused() { # STATUS WORDS COMMAND...: and nothing was changed
    local want=$1 words=$2 before
    shift 2
    before=$(content)
    exits "$want" "$@"
    has "$err" "$words"
    is "$before" "$(content)"
}
state() { allot grant show "$1" --json | jq -r .state; }
line() { allot grant show "$1" --json | jq -r --arg item "$2" '.by_hand[] | select(.item == $item) | .state'; } # GRANT ITEM
free() { sqlite3 "$STORE" "SELECT balance FROM account WHERE item = '$1' AND kind = 'free'"; }

it 'a data lake is an amount with a unit' refused 2 "'5'" submit --tenant t1 --datalake 5
it 'seats are a name and a count' refused 2 'write NAME=N' submit --tenant t1 --seats notebook
it 'a count of seats is a number' refused 2 "'few' is not a count" submit --tenant t1 --seats notebook=few
it 'seats below zero' refused 2 "'-1' is not a count" submit --tenant t1 --seats notebook=-1
it 'no seats are nothing' refused 2 'nothing is asked' submit --tenant t1 --seats notebook=0
it 'an unknown service says what there is' refused 4 'it has: notebook' submit --tenant t1 --seats notebok=1
it 'a chip delivered by hand has nothing for a backend' refused 2 'a person delivers it' \
    allot pool set p --flavor 'name=chip,rating=none,units=4,sizes=1/2,attach=hand,units_per_host=2'
it 'a request that is not there' refused 4 'no request r-9' allot request delivered r-9
csv() {
    printf 'tenant,seats:notebok\nt1,1\n' >bad.csv
    refused 4 'bad.csv:2' submit --file bad.csv
    printf 'tenant,seats:notebook\nt1,x\n' >bad.csv
    refused 2 "bad.csv:2: seats of notebook: 'x' is not a count" submit --file bad.csv
}
it 'a bad row of a file is named with its line' csv
it 'more seats than a tenant may hold are denied by the rule' exits 3 submit --tenant t1 --seats notebook=6
it 'more of a data lake than storage and it may be together is denied' exits 3 submit --tenant t1 --storage '40 TB' --datalake '20 TB'

delivered() {
    exits 0 submit --tenant t1 --datalake '5 TB' --seats notebook=3 --json # g-1
    is reserved "$(state g-1)"
    local r
    r=$(value .request)
    is 3 "$(value '.decision.seats.notebook')"
    is 5000000000000 "$(value '.decision.datalake_bytes')"
    is wanted "$(line g-1 datalake)"
    allot status --json >"$out"
    is 2 "$(value '.by_hand | length')"
    is 'unit/chip 4 4 0, seat/notebook 10 7 3, datalake 100000000000000 95000000000000 5000000000000' \
        "$(value '.pools[0].items | map("\(.item) \(.capacity) \(.free) \(.reserved)") | join(", ")')"
    exits 0 allot status
    has "$out" 'chip (units)'
    has "$out" 'notebook (seats)'
    has "$out" '95 TB'
    refused 5 'nothing of '"$r"' waits to be taken back' allot request collected "$r"
    refused 4 "has no 'seat/notebok'" allot request delivered "$r" --item seat/notebok
    exits 0 allot --dry-run request delivered "$r"
    is wanted "$(line g-1 datalake)"
    exits 0 allot --idempotency-key d1 request delivered "$r" --item datalake --remark 's3://t1'
    exits 0 allot --idempotency-key d1 request delivered "$r" --item datalake --remark 's3://t1'
    is reserved "$(state g-1)"
    exits 0 allot request delivered "$r"
    is active "$(state g-1)"
    refused 5 'waits to be delivered' allot request delivered "$r"
    sqlite3 "$STORE" "SELECT json_extract(payload, '\$.en') FROM outbox WHERE kind = 'delivered'" >told
    has told 'Of grant g-1 was delivered: data lake 5 TB. s3://t1'
    exits 0 allot grant show g-1
    has "$out" 's3://t1'
    has "$out" '5 TB'
}
it 'what is wanted is held when a person says that it is there' delivered
returned() {
    exits 0 allot grant release g-1
    is kept "$(state g-1)"
    is ending "$(line g-1 seat/notebook)"
    is 7 "$(free seat/notebook)"
    exits 0 allot request collected "$(allot grant show g-1 --json | jq -r .request)"
    is 10 "$(free seat/notebook)"
    is delivered "$(line g-1 datalake)" # kept with the volumes
    exits 0 allot grant purge g-1
    is purging "$(state g-1)"
    exits 0 allot request collected "$(allot grant show g-1 --json | jq -r .request)" --remark wiped
    is ended "$(state g-1)"
    is 100000000000000 "$(free datalake)"
}
it 'seats come free when they are back, the data lake after its keeping' returned
chips() {
    exits 0 submit --tenant t2 --flavor chip --units 2 --json
    is 0 "$(sqlite3 "$STORE" 'SELECT count(*) FROM operation')"
    exits 3 submit --tenant t2 --flavor chip --units 1
    exits 0 submit --tenant t3 --flavor chip --units 2
    exits 8 submit --tenant t4 --flavor chip --units 2
    exits 0 allot request delivered r-4 --remark 'rack 4'
    is active "$(state g-2)"
    exits 0 allot grant release g-2
    is releasing "$(state g-2)"
    exits 0 allot tick --confirm
    is queued "$(allot request show r-7 --json | jq -r .state)" # not back yet
    exits 0 allot request collected r-4
    is ended "$(state g-2)"
    exits 0 allot tick
    is granted "$(allot request show r-7 --json | jq -r .state)"
}
it 'chips that no backend makes are lent by the same rules, and come free when they are back' chips
chips_of() { sqlite3 "$STORE" "SELECT quantity || ' ' || state FROM hand_line WHERE grant_id = ${1#g-} AND item = 'unit/chip'"; }
lost() { # two chips of t4 in use, then those of t3, which nobody has delivered yet
    local g new
    exits 0 allot request delivered r-7
    g=$(allot request show r-7 --json | jq -r .grant)
    refused 5 'chip: 0 of 4 units are free: 1 cannot be lost' allot pool lose p --flavor chip --units 1 --confirm
    has "$err" '--grant GRANT'
    refused 4 "grant g-99 has no units of 'chip' that a person delivers" allot pool lose p --flavor chip --units 1 --grant g-99 --confirm
    refused 5 "grant $g has 2 units of chip: 3 cannot be lost" allot pool lose p --flavor chip --units 3 --grant "$g" --confirm
    refused 2 '--grant belongs with --flavor and --units' allot pool lose p --host h1 --grant "$g" --confirm
    refused 2 '--grant' allot pool lose p --flavor chip --units 1 --grant "r-7" --confirm
    exits 0 allot pool lose p --flavor chip --units 1 --grant "$g"
    has "$out" 'nothing was changed'
    is '2 delivered' "$(chips_of "$g")"
    exits 0 allot pool lose p --flavor chip --units 1 --grant "$g" --confirm
    is '1 delivered active' "$(chips_of "$g") $(state "$g")"
    is "chip x 1 were lost. Your grant $g is smaller by it." \
        "$(sqlite3 "$STORE" "SELECT json_extract(payload, '\$.en') FROM outbox ORDER BY id DESC LIMIT 1")"
    exits 0 allot pool lose p --flavor chip --units 1 --grant "$g" --confirm
    is '1 ended' "$(chips_of "$g")"
    exits 0 allot pool restore p --flavor chip --units 2
    is 2 "$(free unit/chip)"
    exits 0 allot grant release "$g"
    is ended "$(state "$g")"
    new=$(sqlite3 "$STORE" "SELECT 'g-' || grant_id FROM hand_line WHERE item = 'unit/chip' AND state = 'wanted'")
    exits 0 allot pool lose p --flavor chip --units 1 --grant "$new" --confirm
    is 'void queued' "$(state "$new") $(sqlite3 "$STORE" "SELECT r.state FROM request r JOIN grants g ON g.request = r.id WHERE g.id = ${new#g-}")"
    exits 0 allot pool restore p --flavor chip --units 1
    exits 0 allot tick
    is 2 "$(sqlite3 "$STORE" "SELECT quantity FROM hand_line WHERE item = 'unit/chip' AND state = 'wanted'")"
}
it 'chips that a person delivered are lost by their grant' lost
shrunk() { # of a live grant: whole lines, in use until they are back
    exits 0 submit --tenant t1 --flavor v100 --units 1 --storage '1 TB' --datalake '2 TB' --seats notebook=3 --json
    local g r
    g=$(value .grant)
    r=$(value .request)
    exits 0 allot request delivered "$r" --item seat/notebook
    refused 4 "has no server, volume or item 'seat/notebok'" allot grant shrink "$g" seat/notebok
    refused 2 "'seat/notebook' is named twice" allot grant shrink "$g" seat/notebook seat/notebook
    exits 0 allot grant shrink "$g" seat/notebook datalake
    has "$out" 'held before: v100 x 1, 1 TB, datalake, seat/notebook x 3; now: v100 x 1, 1 TB'
    is 'ending ended active' "$(line "$g" seat/notebook) $(line "$g" datalake) $(state "$g")" # never delivered: free
    is 7 "$(free seat/notebook)"
    refused 4 "has no server, volume or item 'seat/notebook'" allot grant shrink "$g" seat/notebook
    exits 0 allot request collected "$r"
    is '10 active' "$(free seat/notebook) $(state "$g")"
    is 100000000000000 "$(free datalake)"
    exits 0 allot grant release "$g"
    exits 0 allot grant purge "$g"
    exits 0 submit --tenant t3 --seats notebook=2 --json
    g=$(value .grant)
    exits 0 allot request delivered "$(value .request)"
    refused 5 "nothing of grant $g would be left" allot grant shrink "$g" seat/notebook
    exits 0 allot grant release "$g"
    exits 0 allot request collected "$(allot grant show "$g" --json | jq -r .request)"
}
it 'lines that a person delivers are given back whole' shrunk
together() {
    exits 0 submit --tenant t5 --flavor v100 --units 1 --storage '1 TB' --seats notebook=2 --json
    local g
    g=$(value .grant)
    is active "$(state "$g")" # servers do not wait for a person
    is wanted "$(line "$g" seat/notebook)"
    exits 0 allot grant release "$g"
    is ended "$(line "$g" seat/notebook)" # never delivered: free at once
    is 10 "$(free seat/notebook)"
    exits 0 allot usage show --since 2026-03-01 --json
    is true "$(value .closes)"
}
it 'servers do not wait for a person, and what never came is free at once' together
finish
