#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pools: declared, found, drained, lost and taken back; the books close after each case.
# shellcheck disable=SC2317,SC2119 # cases are called by their name
. "$ROOT/test/books.bash"

flavor() { allot pool show p --json | jq -r ".flavors[] | select(.name == \"$1\") | .$2"; }
host() { allot pool show p --json | jq -r ".hosts[] | select(.name == \"$1\") | .$2"; }
entries() { sqlite3 "$STORE" 'SELECT count(*) FROM entry'; }
refused() { # STATUS MESSAGE COMMAND...: the message is the first line, whole; nothing is written
    local status=$1 message=$2 before
    shift 2
    before=$(entries)
    exits "$status" "$@"
    is "$message" "$(head -n 1 "$err")"
    is "$before" "$(entries)"
}

# ---- declaring ----

new_store

declared() {
    exits 0 allot pool show p --json
    is 470800 "$(value '.compute_gflops - 800')" # 24 x 15.6 TF + 12 x 8.1 TF
    is 300000000000000 "$(value .storage_bytes)"
    is '1 2 4 8' "$(value '.flavors[0].sizes | join(" ")')"
    is 'counted, not attached' "$(value '.flavors[0].note')"
    exits 0 allot pool show p
    has "$out" 'counted, not attached'
    exits 0 allot pool list
    has "$out" 'counted, not attached'
}
it 'a declared pool is shown, and what is only counted says so' declared

in_manual() { # each whole pool file of a page is one that allot takes
    local page n=0
    for page in libvirt simulated; do
        awk -v page="$page" '/^\.Ed/ { on = 0 } /^backend: / && $2 == page { on = 1; n++ } on { print >("manual-" n ".yaml") }' \
            <(sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$ROOT/man/allot-$page.7")
        for file in manual-*.yaml; do
            n=$((n + 1))
            exits 0 allot --dry-run pool add "m$n" --file "$file"
        done
        rm manual-*.yaml
    done
    is 3 "$n"
}
it 'the pool files of the manual are taken' in_manual

many_mistakes() {
    exits 2 allot pool add q --backend simulated --basis fp16 --host h1=sim:1 --storage '5 TB' \
        --flavor 'name=x,rating=125 TF,units=2,sizes=2/1,attach=none' --setting fil=x --setting slow=1
    has "$err" 'settings.fil: is not known here'
    has "$err" '; pool q: settings.file: '
    has "$err" '; pool q: settings.flavors.x.units_per_host: '
    has "$err" '; pool q: settings.slow: '
}
it 'all mistakes in the settings of a simulated pool are told' many_mistakes

by_options() {
    exits 0 allot pool add q --backend simulated --basis fp16 --host 'h<&"1=sim:1' --storage '5 TB' --volume-most '2 TB' \
        --flavor 'name=가속기,rating=125 TF,units=2,sizes=2/1,attach=pci,units_per_host=2' --setting file="$PWD/q.json"
    exits 0 allot pool show q --json
    is 'h<&"1' "$(value '.hosts[0].name')"
    is '가속기 125000 2 1 2 pci null' "$(value '.flavors[0] | "\(.name) \(.rating_gflops) \(.units) \(.sizes[0]) \(.sizes[1]) \(.attach) \(.note)"')"
    is '{"attach":"pci","units_per_host":2}' "$(jq -c '.settings.flavors["가속기"]' "$out")"
    exits 0 allot pool sync q --json
    is 'confirmed 2' "$(value '.flavors[0] | "\(.state) \(.found)"')"
}
it 'a pool is declared by options alone, with names that need escaping' by_options

dry() {
    local before
    before=$(entries)
    exits 0 allot pool add r --file "$PWD/pool.yaml" --dry-run
    exits 0 allot pool set p --units v100=30 --dry-run
    exits 0 allot pool sync p --dry-run
    exits 4 allot pool show r
    is "$before" "$(entries)"
    is 24 "$(flavor v100 units)"
}
it 'a dry run changes nothing' dry

once() {
    exits 0 allot pool set p --storage '310 TB' --idempotency-key k1 --json
    exits 0 allot pool set p --storage '300 TB'
    exits 0 allot pool set p --storage '310 TB' --idempotency-key k1 --json
    is 310000000000000 "$(value '.[0].to')"
    is 300000000000000 "$(allot pool show p --json | jq .storage_bytes)"
    exits 5 allot pool set p --storage '311 TB' --idempotency-key k1
}
it 'a key answers once' once

# ---- bad declarations: FILE-CONTENT MESSAGE ----

bad_file() {
    printf '%s\n' "$1" >"$PWD/bad.yaml"
    refused 2 "allot: usage: $2" allot pool add x --backend simulated --basis fp32 --host h=u --setting file=f \
        --file bad.yaml
}
it 'an amount without unit is refused' bad_file 'storage: 50' \
    "bad.yaml:1:1: storage: must be an amount with its unit, like \"10.7 PB\", is 50"
it 'a unit in another case is refused' bad_file 'storage: 50 tb' \
    "bad.yaml:1:1: storage: unknown unit 'tb' (units are case-sensitive: B kB MB GB TB PB EB KiB MiB GiB TiB PiB EiB)"
it 'an unknown key is refused' bad_file 'storag: 50 TB' 'bad.yaml:1:1: storag: is not known here'
it 'a rating without unit names its flavor' bad_file 'flavors:
  - {name: a, rating: 1 TF, units: 1, sizes: [1]}
  - {name: b, rating: 15.6, units: 1, sizes: [1]}' "bad.yaml:3:15: flavors[1].rating: '15.6' has no unit"
it 'units with a unit are refused' bad_file 'flavors: [{name: a, rating: 1 TF, units: 1 TF, sizes: [1]}]' "bad.yaml:1:35: flavors[0].units: must be an integer from 0 to 1000000000, is \"1 TF\""
one_each() { # as in a policy
    exits 0 allot --dry-run pool add x --backend simulated --basis fp32 --host h=sim:1 --setting file="$PWD/x.json" --storage '1 TB' \
        --flavor 'name=a,rating=1 TF,units=2,units_per_host=2' --json
    is '[1]' "$(value '.flavors[0].sizes' | jq -c .)"
}
it 'a flavor without sizes has servers of one unit' one_each
it 'two flavors of one name are refused' bad_file 'flavors:
  - {name: a, rating: 1 TF, units: 1, sizes: [1], units_per_host: 1}
  - {name: a, rating: 1 TF, units: 1, sizes: [1]}' "flavors[1].name: 'a' is the name of flavors[0] too"
it 'two ways to attach one flavor are refused' bad_file 'flavors: [{name: a, rating: 1 TF, units: 1, sizes: [1], attach: pci}]
settings: {file: f, flavors: {a: {attach: none}}}' "bad.yaml:1:57: flavors[0].attach: is \"pci\", settings.flavors.a.attach is \"none\""
it 'what the backend does not know is refused' bad_file 'settings: {file: f, filee: g}' "pool x: settings.filee: is not known here"
it 'a volume bound off the granule is refused' bad_file 'granule: 3 GB' "volume.least: 1 GB is not a multiple of the granule, 3 GB"
it 'a document that is no mapping is refused' bad_file '- 1' "bad.yaml:1:1: must be an object, is a list"
it 'broken YAML names the place' bad_file 'storage: [' "bad.yaml:2:1: did not find expected node content"

bomb() {
    { echo 'a: &a [x,x,x,x,x,x,x,x,x,x]'
      for i in b c d e f g; do echo "$i: &$i [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]" | sed "s/\*a/*$(printf '%s' "$i" | tr b-g a-f)/g"; done; } >"$PWD/bomb.yaml"
    exits 2 timeout 5 "$ALLOT" --store "$STORE" pool add x --file "$PWD/bomb.yaml"
    has "$err" bomb.yaml
}
it 'a YAML bomb ends quickly' bomb

words() {
    refused 2 "allot: usage: backend: is missing (libvirt, openstack, simulated)" allot pool add x --basis fp32
    refused 2 "allot: usage: basis: 'fp33' is none of fp64, fp32, tf32, fp16, bf16, fp8, fp4, int8, int4" allot pool add x --backend simulated --basis fp33 --host h=u
    refused 2 "allot: usage: hosts: the pool has none" allot pool add x --backend simulated --basis fp32 --setting file=x
    refused 2 "allot: usage: --host h: must be NAME=VALUE" allot pool add x --backend simulated --basis fp32 --host h
    refused 2 "allot: usage: pool 'a b': a name holds no space, '=', ',' or '/' and does not begin with '-'" allot pool add 'a b' --backend simulated --basis fp32 --host h=u
    refused 2 "allot: usage: --flavor name=a,rating=1 TF,name=b: 'name' stands twice" allot pool add x --backend simulated --basis fp32 --host h=u --flavor 'name=a,rating=1 TF,name=b'
    refused 2 "allot: usage: pool x: settings.file: is missing (text)" allot pool add x --backend simulated --basis fp32 --host h=u
    exits 4 allot pool add x --backend nowhere --basis fp32 --host h=u
    has "$err" 'allot: not found: there is no backend "nowhere"'
    refused 5 "allot: conflict: there is a pool named 'p' already" allot pool add p --file "$PWD/pool.yaml"
    refused 4 "allot: not found: no pool is named 'pp'" allot pool show pp
    refused 4 "allot: not found: --units v10=3: the pool has no flavor 'v10'" allot pool set p --units v10=3
    refused 2 "allot: usage: pool p: flavors[0].units: must be an integer from 0 to 1000000000, is \"3.5\"" allot pool set p --units v100=3.5
    refused 4 "allot: not found: --drop-host h9: the pool has none" allot pool set p --drop-host h9
    refused 4 "allot: not found: $PWD/absent.yaml: No such file or directory" allot pool add x --file "$PWD/absent.yaml"
}
it 'every wrong word is told exactly' words

# ---- declared and found ----

differs() {
    exits 0 allot pool set p --units v100=25
    exits 1 allot pool sync p
    has "$err" 'allot: warning: pool p: v100: 25 units are declared and not lost, 24 devices were found'
    is 25 "$(flavor v100 units)"
    exits 0 allot pool set p --units v100=23
    exits 0 allot pool sync p
    has "$out" 'v100: 24 devices were found, 23 units are declared and not lost'
    is '23 23' "$(flavor v100 free_units) $(flavor v100 placeable_units)"
    exits 0 allot pool set p --units v100=24
    exits 0 allot pool sync p --json
    is 'confirmed confirmed' "$(value '[.flavors[].state] | join(" ")')"
}
it 'a sync says what differs and never changes what is declared' differs

settings() { # UNITS-PER-HOST FURTHER
    jq -n --arg file "$CLOUD" "{settings: ({file: \$file, flavors: {v100: {units_per_host: $1}, t4: {units_per_host: 4}}} + ${2:-{\}})}" >"$PWD/set.json"
    exits 0 allot pool set p --file "$PWD/set.json"
}

vanish() {
    settings 7
    exits 0 allot pool sync p
    has "$err" 'v100: 3 free devices are not there any more; 3 units are now lost'
    is '24 21 3' "$(flavor v100 units) $(flavor v100 free_units) $(flavor v100 lost_units)"
    settings 8
    exits 0 allot pool sync p
    has "$out" 'v100: 3 lost devices are there again'
    is 3 "$(flavor v100 lost_units)"
    for h in h1 h2 h3; do exits 0 allot pool restore p --host "$h"; done
    is '24 0' "$(flavor v100 free_units) $(flavor v100 lost_units)"
}
it 'free devices that vanish are lost until a person takes them back' vanish

dead() {
    settings 8 '{dead_hosts: ["h2"]}'
    exits 1 allot pool sync p
    has "$err" 'allot: warning: pool p: host h2 does not answer'
    is 'unknown 24 16 8 0' "$(awk '$1 == "v100" { print $2, $3, $4, $5, $6 }' "$out")"
    is 24 "$(flavor v100 placeable_units)"
    is 'does not answer (settings.dead_hosts)' "$(host h2 trouble)"
    settings 8
    exits 0 allot pool sync p
    is 'confirmed 24 24 0 0' "$(awk '$1 == "v100" { print $2, $3, $4, $5, $6 }' "$out")"
    is null "$(host h2 trouble)"
}
it 'a host that is silent is named, and its devices are neither gone nor new' dead

full() {
    settings 8 '{storage_bytes_per_host: 1000000000000}'
    exits 0 allot pool sync p
    has "$err" 'storage: 300 TB are declared, the hosts have 3 TB x 100 % (settings.overcommit_percent)'
    settings 8
}
it 'more storage declared than the hosts have is told' full

basis() {
    printf 'basis: fp16\n' >fp16.yaml
    refused 5 'allot: conflict: the basis of a pool stays: it is fp32, not fp16' allot pool set p --file fp16.yaml
}
it 'figures of one pool keep their basis' basis

# ---- drain ----

drain() {
    add_tenant a 1
    exits 0 allot pool drain p --host h1
    exits 0 allot pool drain p --host h2
    is '24 8' "$(flavor v100 free_units) $(flavor v100 placeable_units)"
    exits 0 allot request submit --pool p --tenant a --flavor v100 --units 4 --json
    is h3 "$(allot grant show g-1 --json | jq -r '.things[0].host')"
    exits 0 allot pool undrain p --host h1
    exits 0 allot pool undrain p --host h2
    exits 0 allot pool drain p
    exits 8 allot request submit --pool p --tenant a --flavor v100 --units 1 --json
    is queued "$(value .outcome)"
    exits 0 allot request withdraw r-2
    exits 0 allot pool undrain p
    is active "$(allot pool show p --json | jq -r .state)"
    refused 4 "allot: not found: the pool has no host 'h9'" allot pool drain p --host h9
}
it 'what is drained gives nothing new' drain

# ---- lose and restore ----

told() { sqlite3 "$STORE" "SELECT json_extract(payload, '\$.$1') FROM outbox WHERE kind = 'loss' ORDER BY id DESC LIMIT 1"; }
look() {
    local before
    before=$(entries)
    exits 0 allot pool lose p --host h3 --json
    is 'false 8 4 4 124800' "$(value '"\(.confirmed) \(.flavors[0] | "\(.units) \(.free_units) \(.held_units) \(.compute_gflops)")"')"
    is 'a g-1 4 62400' "$(value '.servers[0] | "\(.tenant) \(.grant) \(.units) \(.compute_gflops)"')"
    exits 0 allot pool lose p --host h3
    has "$out" 'nothing was changed; to do it: --confirm'
    is "$before" "$(entries)"
}
it 'a loss is shown before it is made' look

lose() {
    exits 0 allot pool lose p --host h3 --confirm
    is '24 16 0 8' "$(flavor v100 units) $(flavor v100 free_units) $(flavor v100 lent_units) $(flavor v100 lost_units)"
    is lost "$(host h3 state)"
    exits 0 allot grant show g-1 --json
    is '0 absent lost with host h3' "$(value '"\(.compute_gflops) \(.things[0].observed) \(.things[0].trouble)"')"
    is '0' "$(sqlite3 "$STORE" 'SELECT sum(compute_gflops) FROM ceiling')"
    is '1' "$(sqlite3 "$STORE" "SELECT count(*) FROM outbox WHERE kind = 'loss'")"
    is 'Your grant g-1 is smaller by it.' "$(told en | sed 's/.*h3\. //')"
    exits 5 allot pool drain p --host h3
}
it 'a lost host takes its servers, and the tenant is told' lose

back() {
    exits 0 allot pool restore p --host h3
    is '24 0' "$(flavor v100 free_units) $(flavor v100 lost_units)"
    is active "$(host h3 state)"
    is 1 "$(things '"flavor"')"
    exits 0 allot reconcile --json
    is 0 "$(things '"flavor"')"
    exits 0 allot request submit --pool p --tenant a --flavor v100 --units 8 --json
    is granted "$(value .outcome)"
}
it 'a host that comes back gives its units back, and reconcile removes what ran on it' back

by_number() {
    refused 5 "allot: conflict: v100: 0 devices are free on host h1: 9 cannot be lost by number" allot pool lose p --host h1 --flavor v100 --units 9 --confirm
    refused 2 "allot: usage: the devices of v100 are known one by one: name their host with --host" allot pool lose p --flavor v100 --units 1 --confirm
    refused 2 "allot: usage: name what: --host HOST, or --flavor FLAVOR --units N" allot pool lose p --confirm
    refused 2 "allot: usage: --flavor and --units belong together" allot pool lose p --flavor v100 --confirm
    refused 2 "allot: usage: --units: must be 1 or more" allot pool lose p --host h1 --flavor v100 --units 0 --confirm
    refused 4 "allot: not found: pool p has no flavor 'v10'" allot pool lose p --host h1 --flavor v10 --units 1 --confirm
    exits 0 allot pool lose p --host h2 --flavor t4 --units 1 --confirm
    is '11 1' "$(flavor t4 free_units) $(flavor t4 lost_units)"
    exits 0 allot pool sync p
    is '11 11' "$(flavor t4 free_units) $(flavor t4 placeable_units)"
    refused 5 "allot: conflict: t4: 1 devices are lost on host h2: 2 cannot come back" allot pool restore p --host h2 --flavor t4 --units 2
    exits 0 allot pool restore p --host h2 --flavor t4 --units 1
    is '12 0' "$(flavor t4 free_units) $(flavor t4 lost_units)"
}
it 'single units are lost and taken back by number, never more than there are' by_number

reserved() {
    add_tenant b 2
    exits 0 allot request submit --pool p --tenant b --flavor t4 --units 4 --no-provision --json
    local grant h
    grant=$(value .grant)
    h=$(allot grant show "$grant" --json | jq -r '.things[0].host')
    exits 0 allot pool lose p --host "$h" --confirm
    is void "$(allot grant show "$grant" --json | jq -r .state)"
    is "Grant $grant was still being set up and ends; request $(allot grant show "$grant" --json | jq -r .request) keeps its place and waits again." \
        "$(told en | sed 's/.*host h[0-9]*\. //')"
    told ko | grep -q "준비 중이던 할당 $grant은(는) 종료되고" || return 1
    is queued "$(sqlite3 "$STORE" 'SELECT state FROM request ORDER BY id DESC LIMIT 1')"
    exits 0 allot pool restore p --host "$h"
    exits 0 allot tick --confirm
    is granted "$(sqlite3 "$STORE" 'SELECT state FROM request ORDER BY id DESC LIMIT 1')"
}
it 'a grant that was being set up on a lost host is undone, and its request waits again' reserved

# ---- what is in use stays ----

new_store
add_tenant a 1

in_use() {
    exits 0 allot request submit --tenant a --flavor v100 --units 8 --storage '1 TB' --json
    refused 5 'allot: conflict: v100: 24 units are declared and 16 units are free: 17 units cannot go' \
        allot pool set p --units v100=7
    refused 5 'allot: conflict: v100: 24 units are declared and 16 units are free: 24 units cannot go' \
        allot pool set p --drop-flavor v100
    refused 5 'allot: conflict: host h1 cannot go: 2 servers and volumes are on it' allot pool set p --drop-host h1
    refused 5 'allot: conflict: storage: 300 TB are declared and 299 TB are free: 299.5 TB cannot go' \
        allot pool set p --storage '500 GB'
    settings 1
    exits 1 allot pool sync p
    has "$err" 'is not there any more, and a server uses it'
    settings 8
    exits 0 allot pool sync p
}
it 'what is in use cannot go' in_use

nearly_full() {
    exits 0 allot request submit --tenant a --storage '900 GB' --json
    settings 8 '{storage_bytes_per_host: 1100000000000}'
    exits 0 allot pool sync p
    has "$err" 'host h1: 90 % of its real storage is used (100 GB of 1.1 TB free)'
    is 1 "$(grep -c 'of its real storage is used' "$err")" # 900 GB of 1.1 TB on another host are 81 %
    settings 8
}
it 'a host with 85 % of its storage used is told' nearly_full

role() {
    printf 'roles:\n  admins: {users: [nobody]}\n  auditors: {users: [%s]}\n' "$(id -un)" >"$PWD/other.conf"
    exits 0 "$ALLOT" --store "$STORE" --config "$PWD/other.conf" pool list
    exits 3 "$ALLOT" --store "$STORE" --config "$PWD/other.conf" pool sync p
}
it 'an auditor reads and changes nothing' role

appears() { # devices that a sync finds are tried for those that wait, at the next plan of whatever comes
    new_store '  dead_hosts: [h3]' || true # its first sync says that h3 is silent
    { policy_text && echo 'Q1 queue order share, wait, id;'; } >share.policy
    exits 0 allot policy load share.policy
    local i
    for i in 1 2 3 4; do add_tenant "t$i" "$i"; done
    for i in 1 2; do exits 0 allot request submit --tenant "t$i" --flavor v100 --units 8; done
    exits 8 allot request submit --tenant t3 --flavor v100 --units 8 --json
    is NO_UNITS "$(value '.decision.reasons[0].code')"
    settings 8 '{dead_hosts: []}'
    exits 0 allot pool sync p --json
    is 8 "$(value '.flavors[] | select(.flavor == "v100") | .added')"
    exits 0 allot request submit --tenant t4 --flavor t4 --units 1
    is granted "$(sqlite3 "$STORE" 'SELECT state FROM request WHERE id = 3')"
    local supply
    supply=$(sqlite3 "$STORE" 'SELECT supply FROM pool WHERE id = 1')
    exits 0 allot pool sync p
    is "$supply" "$(sqlite3 "$STORE" 'SELECT supply FROM pool WHERE id = 1')"
}
it 'a sync that only finds more devices lets those try again that wait' appears

finish
