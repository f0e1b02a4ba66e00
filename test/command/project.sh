#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Projects of tenants at a cloud, containers and quotas: declared, bound, delivered, set right, given back.
# shellcheck disable=SC2317,SC2119 # cases are called by their name
. "$ROOT/test/books.bash"

printf 'check:\n  projects: 2\n' >>"$ALLOT_CONFIG"

ask() { allot request submit --tenant "$@"; }
project_of() { allot pool show p --json | jq -r ".projects[] | select(.tenant == \"$1\") | .name"; }
sql() { sqlite3 "$STORE" "$1"; }
edit() { # JQ-FILTER: of each thing at the cloud, as somebody else would change it
    jq -c "$1" "$CLOUD" >cloud.edited && mv cloud.edited "$CLOUD"
}
thing() { jq -r "select($1) | $2" "$CLOUD"; }
refused() { # STATUS MESSAGE COMMAND...
    local status=$1 message=$2 before
    shift 2
    before=$(sql 'SELECT count(*) FROM entry')
    exits "$status" "$@"
    is "$message" "$(head -n 1 "$err")"
    is "$before" "$(sql 'SELECT count(*) FROM entry')"
}

# ---- declaring ----

bad_declarations() {
    cloud_store
    local p='{name: p1, id: a}'
    wrong() { # WORDS, of the declaration on standard input
        cat >bad.yaml
        exits 2 allot pool add x --file bad.yaml
        has "$err" "$1"
    }
    bad() { # MESSAGE PROJECTS
        cloud_file | sed '/^projects:/d; /^  - {name/d' >bad.yaml
        printf 'projects: %s\n' "$2" >>bad.yaml
        refused 2 "$1" allot pool add x --file bad.yaml
    }
    bad "allot: usage: projects[1].name: 'p1' is the name of projects[0] too" "[$p, {name: p1, id: b}]"
    bad "allot: usage: projects[1].id: 'a' is the id of projects[0] too" "[$p, {name: p2, id: a}]"
    bad "allot: usage: projects[1].object_store_id: 's' is the object_store_id of projects[0] too" \
        '[{name: p1, id: a, object_store_id: s}, {name: p2, id: b, object_store_id: s}]'
    bad "allot: usage: projects[0].id: 'a/../b' is no id: 1 to 63 letters, digits, '_' and '-'" '[{name: p1, id: a/../b}]'
    wrong 'projects[0].id: must not be empty' < <(cloud_file | sed 's/id: aaa1/id: ""/')
    bad "allot: usage: projects[0].object_store_id: 'x y' is no id: 1 to 63 letters, digits, '_' and '-'" \
        '[{name: p1, id: a, object_store_id: x y}]'
    bad "allot: usage: projects[0].cloud: cloud '-x': a name holds no space, '=', ',' or '/' and does not begin with '-'" \
        '[{name: p1, id: a, cloud: -x}]'
    wrong 'projects[0].id: is missing' < <(cloud_file | sed 's/id: aaa1, //')
    wrong 'projects[0].uri: is not known here' < <(cloud_file | sed 's/id: aaa1/id: aaa1, uri: y/')
    wrong 'projects: the pool has hosts already: it has one or the other' < <(cloud_file && echo 'hosts: [{name: h, uri: u}]')
    wrong 'projects: backend simulated has none with these settings' < <(cloud_file | sed 's/projects: true/projects: false/')
    wrong 'hosts: with these settings backend simulated has projects, not hosts' < <(pool_file | sed 's/  file:/  projects: true\n  file:/')
    wrong 'projects: the pool has none, and its backend gives each tenant its own' < <(cloud_file | sed '/^  - {name/d; s/^projects:/projects: []/')
    wrong 'settings.deliver: must be one of: instance, quota' < <(cloud_file 'deliver: both')
}
it 'a declaration with wrong projects is refused with the place' bad_declarations

declared() {
    cloud_store
    exits 0 allot pool show p --json
    is 'p1 aaa1 bbb1 null' "$(value '.projects[0] | "\(.name) \(.id) \(.object_store_id) \(.cloud)"')"
    is 'p3 aaa3 null other' "$(value '.projects[2] | "\(.name) \(.id) \(.object_store_id) \(.cloud)"')"
    is '0 3' "$(value '"\(.hosts | length) \(.projects | length)"')"
    exits 0 allot pool show p
    has "$out" 'PROJECT'
    has "$out" 'aaa2'
    exits 0 allot pool set p --project p4=aaa4 --drop-host p2 --json
    is 'projects.p2 projects.p4' "$(value '[.[].what] | sort | join(" ")')"
    exits 0 allot pool list --json
    is '0 3' "$(value '.[0] | "\(.hosts) \(.projects)"')"
    exits 0 allot pool set p --file cloud.yaml
    exits 0 allot pool set p --file cloud.yaml
    has "$out" 'nothing differs'
}
it 'projects are declared, shown, added and dropped' declared

a_thousand() {
    cloud_store
    {
        cloud_file | sed '/^projects:/,/p3/d'
        echo projects:
        seq 1000 | sed 's/.*/  - {name: q&, id: id-&}/'
    } >many.yaml
    local begun=${EPOCHREALTIME/./}
    exits 0 allot pool add many --file many.yaml
    exits 0 allot pool set many --project q1001=id-1001
    exits 0 allot pool show many --json
    is 1001 "$(value '.projects | length')"
    local took=$(((${EPOCHREALTIME/./} - begun) / 1000))
    [ $took -lt 5000 ] || { echo "1,000 projects took $took ms"; return 1; }
}
it 'a thousand projects are declared in no time' a_thousand

# ---- binding ----

bound() {
    cloud_store
    exits 0 ask b --flavor v100 --units 2 --storage '2 TB' --datalake '1 TB'
    exits 0 ask a --flavor v100 --units 1
    exits 0 ask b --flavor v100 --units 1 --storage '1 TB'
    is p1 "$(project_of b)"
    is p2 "$(project_of a)"
    is '' "$(thing '.tenant == "b" and .host != "p1"' .name)"
    is 5 "$(thing '.tenant == "b"' .name | wc -l)"
    is 'project.bind p1' "$(sql "SELECT e.kind || ' ' || d.detail FROM entry e JOIN entry_detail d ON d.seq = e.seq WHERE e.kind LIKE 'project%' AND tenant = (SELECT id FROM tenant WHERE name = 'b')")"
    exits 0 allot status
    has "$out" 'projects    p: 1 of 3 left'
    has "$out" 'trouble     pool p: 1 of 3 projects are left (allot pool set p --file FILE)'
    exits 1 allot status --check
    has "$out" 'pool p: 1 of 3 projects are left'
    exits 0 allot status --json
    is '{"pool":"p","projects":3,"bound":2,"left":1}' "$(value '.projects[0] | tostring')"
}
it 'a tenant gets the first free project with its first grant, and keeps it' bound

none_left() {
    cloud_store
    local tenant
    for tenant in a b c; do exits 0 ask $tenant --flavor v100 --units 1; done
    exits 8 ask d --flavor v100 --units 1
    has "$out" 'no project is left in pool p: 3 of 3 are bound'
    has "$out" 'an administrator declares more: allot pool set p --file FILE'
    is 'held NO_PROJECT' "$(sql "SELECT state || ' ' || note FROM request WHERE id = 4")"
    is 21 "$(allot pool show p --json | jq '.flavors[0].free_units')"
    exits 0 allot explain r-4 --json
    is true "$(value .same_again)"
    exits 0 allot explain r-4 --lang ko
    has "$out" '남은 프로젝트가 없습니다: 3개 중 3개 사용 중'
    exits 8 ask d --storage '1 TB'
    exits 0 ask a --flavor v100 --units 1 # who has one goes on
    is 'held NO_PROJECT' "$(sql "SELECT state || ' ' || note FROM request WHERE id = 4")"
    # With another project it is decided again, by the next plan.
    exits 0 allot pool set p --project p4=aaa4
    exits 0 allot tick
    is granted "$(sql "SELECT state FROM request WHERE id = 4")"
    exits 0 allot reconcile
    is p4 "$(project_of d)"
    is active "$(sql "SELECT state FROM grants WHERE request = 4")"
}
it 'without a project left a request is held, and goes on when there is one' none_left

of_a_call() {
    cloud_store
    allot call open spring --compute '124.8 TF' >/dev/null
    local tenant
    for tenant in a b c d; do exits 8 ask $tenant --call spring --flavor v100 --units 2; done
    printf 'request,reviewer,score\nr-1,kim,90\nr-2,kim,80\nr-3,kim,70\nr-4,kim,60\n' >scores.csv
    exits 0 allot call score spring scores.csv
    exits 0 allot call close spring
    allot call award spring >"$out" 2>"$err" || true
    is 'granted granted granted held' "$(sql 'SELECT state FROM request ORDER BY id' | xargs)"
    is NO_PROJECT "$(sql 'SELECT note FROM request WHERE id = 4')"
    exits 0 allot pool set p --project p4=aaa4
    exits 0 allot tick
    is granted "$(sql 'SELECT state FROM request WHERE id = 4')"
    exits 0 allot reconcile
}
it 'an award without a project goes on when there is one' of_a_call

offers() { # c waits for all of it; d, without a project, is offered nothing
    cloud_store
    { sed 's/version 1/version 2/; s/compute 125 TF/compute 400 TF/; s/compute 200 TF/compute 400 TF/' cloud.policy && echo 'Q1 queue order share, wait, id hold 3 days;'; } >offers.policy
    allot policy load offers.policy >/dev/null 2>&1
    exits 0 ask a --flavor v100 --units 8
    exits 0 ask b --flavor v100 --units 8
    exits 0 allot pool set p --drop-host p3
    exits 8 ask d --flavor v100 --units 16
    is 0 "$(sql 'SELECT count(*) FROM offer')"
    exits 8 ask a --flavor v100 --units 16
    is r-4 "$(allot status --json | jq -r '.offers[].request')"
}
it 'nothing is set aside for a tenant without a project' offers

drained() {
    cloud_store
    exits 0 allot pool drain p --host p1
    exits 0 ask a --flavor v100 --units 1
    is p2 "$(project_of a)"
    exits 0 allot pool drain p --host p2
    exits 8 ask a --flavor v100 --units 1
    has "$out" 'its project in pool p is drained or lost'
    exits 0 allot explain r-2 --json
    is true "$(value .same_again)"
    exits 0 allot pool undrain p --host p2
    exits 0 allot tick
    is granted "$(sql "SELECT state FROM request WHERE id = 2")"
    exits 0 allot reconcile
}
it 'a drained project takes nobody new, and nothing new of its own tenant' drained

by_a_person() {
    cloud_store
    exits 0 allot pool bind p c --project p3
    is p3 "$(project_of c)"
    exits 0 allot pool bind p c
    is '"p3"' "$(allot pool bind p c --json | jq .project)"
    refused 5 'allot: conflict: project p3 is bound to c' allot pool bind p d --project p3
    refused 5 'allot: conflict: the tenant has project p3 already' allot pool bind p c --project p1
    refused 4 "allot: not found: the pool has no project 'p9'" allot pool bind p d --project p9
    refused 4 'allot: not found: the tenant has no project in this pool' allot pool unbind p d
    refused 5 'allot: conflict: pool p: only where tenants get quota do they work in their project' allot pool bind p c --member kim
    refused 5 'allot: conflict: project p3 cannot go: it is bound to c' allot pool set p --drop-host p3
    refused 5 'allot: conflict: project p3 keeps its id: it is bound to c' allot pool set p --project p3=zzz
    exits 0 ask c --flavor v100 --units 1
    is p3 "$(thing '.tenant == "c"' .host)"
    exits 0 allot --dry-run pool bind p d
    is '' "$(project_of d)"
}
it 'a person binds a tenant to a project of choice; a bound one does not go' by_a_person

unbound() {
    cloud_store
    exits 0 ask a --flavor v100 --units 1 --datalake '1 TB'
    refused 5 'allot: conflict: project p1 is in use: the tenant has 1 grants there that have not ended' allot pool unbind p a
    exits 0 allot grant release g-1
    refused 5 'allot: conflict: project p1 is in use: the tenant has 1 grants there that have not ended' allot pool unbind p a
    at 2026-03-03T00:00:00Z
    exits 0 allot grant purge g-1
    is ended "$(sql 'SELECT state FROM grants')"
    refused 5 "allot: conflict: project p1 was not seen since the last of the tenant's things went" allot pool unbind p a
    # Something of an earlier time is still there.
    echo '{"token":"s'"$(sql 'SELECT id FROM store')"'.1.77","name":"old","host":"p1","tenant":"x","grant":"g-9","created":1700000000,"bytes":5,"kind":"container","state":"present"}' >>"$CLOUD"
    exits 0 allot reconcile --json
    is 'backend-only container x g-9 2023-11-14T22:13:20Z' "$(value '.things[0] | "\(.label) \(.kind) \(.tenant) \(.grant) \(.created)"')"
    has "$out" "this ledger does not know its token; made 2023-11-14T22:13:20Z for x, g-9"
    refused 5 'allot: conflict: project p1 is not empty: the last look found 1 things in it' allot pool unbind p a
    exits 0 allot reconcile --remove "s$(sql 'SELECT id FROM store').1.77"
    exits 0 allot reconcile
    exits 0 allot pool unbind p a
    is 'project.unbind' "$(sql "SELECT kind FROM entry ORDER BY seq DESC LIMIT 1")"
    exits 0 ask d --flavor v100 --units 1
    is p1 "$(project_of d)"
}
it 'a project goes back only when it was seen empty' unbound

unbound_never() { # with things of others in it, or lost
    cloud_store
    exits 0 ask a --flavor v100 --units 1
    exits 0 allot grant release g-1
    echo '{"token":"sffffffffffff.1.77","name":"foreign","host":"p1","tenant":"x","grant":"g-9","created":1700000000,"bytes":5,"kind":"container","state":"present"}' >>"$CLOUD"
    exits 0 allot reconcile --json
    is 1 "$(value .foreign)"
    refused 5 'allot: conflict: project p1 is not empty: the last look found 1 things in it' allot pool unbind p a
    exits 0 allot pool lose p --host p1 --confirm
    refused 5 'allot: conflict: project p1 is lost: nobody knows what is still there' allot pool unbind p a
    exits 0 allot pool restore p --host p1
    exits 0 allot reconcile
    refused 5 'allot: conflict: project p1 is not empty: the last look found 1 things in it' allot pool unbind p a
    edit 'select(.name != "foreign")'
    exits 0 allot reconcile
    exits 0 allot pool unbind p a
}
it 'a project does not go back with things of others in it, nor lost' unbound_never

completed() { # WANT WORD...
    local want=$1
    shift
    exits 0 env ALLOT_STORE="$STORE" "$ALLOT" __complete -- "$@"
    is "$want" "$(tr '\n' ' ' <"$out")"
}
completion() {
    cloud_store
    completed 'bind ' pool b
    completed 'a b c d ' pool bind p ''
    completed 'p1 p2 p3 ' pool bind p a --project ''
    completed 'p1 p2 p3 ' pool drain p --host ''
    completed 'p1 p2 p3 ' pool set p --drop-host p
}
it 'the shell completes projects' completion

shared_pool() {
    new_store
    add_tenant a 1
    refused 5 'allot: conflict: pool p has no projects: its backend gives tenants servers on its hosts' allot pool bind p a
    exits 0 allot status
    lacks "$out" 'projects '
}
it 'a pool with hosts has no projects' shared_pool

another_way() {
    cloud_store
    exits 0 ask a --flavor v100 --units 1 --datalake '1 TB'
    refused 5 'allot: conflict: pool p: with these settings grants are delivered in another way, and 2 things stand' \
        allot pool set p --setting deliver=quota
    refused 5 'allot: conflict: pool p: with these settings grants are delivered in another way, and 1 things stand' \
        allot pool set p --setting containers=false
    exits 0 allot grant release g-1
    exits 0 allot grant purge g-1
    exits 0 allot pool set p --setting deliver=quota
}
it 'what stands is not delivered in another way' another_way

one_pool() {
    cloud_store
    cloud_file | sed '/^projects:/,/p3/d' >other.yaml
    echo 'projects: [{name: x1, id: aaa2}]' >>other.yaml
    refused 5 'allot: conflict: id aaa2 is that of project p2 of pool p already' allot pool add q --file other.yaml
    sed -i 's/id: aaa2/id: aaa9, object_store_id: bbb1/' other.yaml
    refused 5 'allot: conflict: id bbb1 is that of project p1 of pool p already' allot pool add q --file other.yaml
    sed -i 's/bbb1/bbb9/' other.yaml
    exits 0 allot pool add q --file other.yaml
    refused 5 'allot: conflict: id aaa1 is that of project p1 of pool p already' allot pool set q --project x2=aaa1
}
it 'a project is in one pool only' one_pool

another_place() {
    cloud_store
    exits 0 ask a --flavor v100 --units 1 --datalake '1 TB'
    sed 's/bbb1/bbb7/' cloud.yaml >moved.yaml
    refused 5 'allot: conflict: project p1 keeps its object_store_id and cloud: 2 things are in it' allot pool set p --file moved.yaml
    sed 's/id: aaa2/id: aaa2, cloud: third/' cloud.yaml >empty.yaml
    exits 0 allot pool set p --file empty.yaml
    exits 0 allot grant release g-1
    exits 0 allot grant purge g-1
    exits 0 allot pool set p --file moved.yaml
}
it 'a project keeps its place while things are in it' another_place

# ---- containers ----

lake() {
    cloud_store
    exits 0 ask a --flavor v100 --units 1 --storage '1 TB' --datalake '2 TB'
    is 'container p1 2000000000000' "$(thing '.kind == "container"' '"\(.kind) \(.host) \(.bytes)"')"
    is active "$(sql 'SELECT state FROM grants')"
    is '' "$(sql 'SELECT * FROM hand_line')"
    is 98000000000000 "$(allot pool show p --json | jq .datalake_free_bytes)"
    is 'held 2000000000000' "$(sql "SELECT kind || ' ' || balance FROM account WHERE item = 'datalake' AND grant_id = 1 AND balance > 0")"
    exits 3 ask a --datalake '48 TB' # storage and data lake share one ceiling of 50 TB
    exits 0 allot grant release g-1
    is kept "$(sql 'SELECT state FROM grants')"
    is 'kept 2000000000000' "$(sql "SELECT kind || ' ' || balance FROM account WHERE item = 'datalake' AND grant_id = 1 AND balance > 0")"
    is 1 "$(things '"kind":"container"')"
    exits 5 allot grant shrink g-1 "$(sql "SELECT name FROM operation WHERE kind = 'container'")"
    exits 0 allot grant purge g-1
    is 'ended 0' "$(sql 'SELECT state FROM grants') $(things)"
    is 100000000000000 "$(allot pool show p --json | jq .datalake_free_bytes)"
}
it 'a data lake is a container, kept and purged like volumes' lake

lake_alone() {
    cloud_store
    exits 0 ask a --datalake '2 TB'
    is active "$(sql 'SELECT state FROM grants')"
    is p1 "$(project_of a)"
    exits 0 allot grant release g-1
    is kept "$(sql 'SELECT state FROM grants')"
    edit 'select(.kind != "container")' # gone behind our back, while it was kept
    exits 0 allot reconcile
    is 'thing.vanished' "$(sql "SELECT kind FROM entry WHERE kind LIKE 'thing%'")"
    is 1 "$(sql "SELECT count(*) FROM outbox WHERE kind = 'loss' AND payload LIKE '%data lake%'")"
    exits 0 allot grant purge g-1
    is ended "$(sql 'SELECT state FROM grants')"
}
it 'a data lake alone makes a grant; its loss is told' lake_alone

frozen() {
    cloud_store 'hold_containers: false'
    exits 0 ask a --datalake '2 TB'
    edit 'if .kind == "container" then .allocated = 2500000000000 else . end'
    exits 0 allot reconcile --json
    is 'differing set done it holds 2.5 TB of 2 TB' "$(value '.things[0] | "\(.label) \(.action) \(.outcome) \(.trouble)"')"
    is paused "$(thing '.kind == "container"' .state)"
    exits 0 allot reconcile --json
    is 'differing none null it holds 2.5 TB of 2 TB, and is frozen' "$(value '.things[0] | "\(.label) \(.action) \(.outcome) \(.trouble)"')"
    exits 0 allot status
    has "$out" '1 differing in p'
    edit 'if .kind == "container" then .allocated = 1500000000000 else . end'
    exits 0 allot reconcile --json
    is 'differing set done it is frozen, and holds no more than 2 TB any more' "$(value '.things[0] | "\(.label) \(.action) \(.outcome) \(.trouble)"')"
    is present "$(thing '.kind == "container"' .state)"
    exits 0 allot reconcile --json
    is '1 0' "$(value '"\(.matched) \(.things | length)"')"
}
it 'a container that holds too much is frozen, and thawed when it does not' frozen

resized() {
    cloud_store
    exits 0 ask a --datalake '2 TB'
    edit 'if .kind == "container" then .bytes = 9000000000000 else . end'
    exits 0 allot reconcile --json
    is 'differing set done it may hold 9 TB, not 2 TB' "$(value '.things[0] | "\(.label) \(.action) \(.outcome) \(.trouble)"')"
    is 2000000000000 "$(thing '.kind == "container"' .bytes)"
}
it 'a container whose size was changed by hand is set back' resized

refused_container() {
    cloud_store 'fail_names: ["*-c1-*"]'
    exits 8 ask a --flavor v100 --units 1 --datalake '2 TB'
    is 'held' "$(sql 'SELECT state FROM request')"
    has <(sql 'SELECT note FROM request') 'BACKEND_REFUSED: allot-a-g1-c1-'
    is 'void 0' "$(sql 'SELECT state FROM grants') $(things)"
    is 100000000000000 "$(allot pool show p --json | jq .datalake_free_bytes)"
    is p1 "$(project_of a)" # a binding stays
}
it 'a refused container voids the grant, and what was booked is free again' refused_container

# ---- quota ----

allowance() { jq -c 'select(.kind == "allowance" and .tenant == "'"$1"'") | [.limits.v100 // 0, .storage / 1e12, .datalake / 1e12]' "$CLOUD"; }
quota_store() { cloud_store "deliver: quota${1:+, $1}"; }

quota() {
    quota_store
    exits 0 ask a --flavor v100 --units 2 --storage '3 TB' --datalake '1 TB'
    is '[2,3,1]' "$(allowance a)"
    is active "$(sql 'SELECT state FROM grants')"
    exits 0 ask a --flavor v100 --units 4 --storage '5 TB'
    is '[6,8,1]' "$(allowance a)"
    is '' "$(thing '.kind == "server" or .kind == "volume"' .name)"
    exits 0 allot reconcile --json
    is '5 0' "$(value '"\(.matched) \(.things | length)"')"
    # Compute goes at the release, storage at the purge; the other grant stays.
    exits 0 allot grant release g-1
    is '[4,8,1]' "$(allowance a)"
    is kept "$(sql 'SELECT state FROM grants WHERE id = 1')"
    exits 0 allot grant purge g-1
    is '[4,5,0]' "$(allowance a)"
    is ended "$(sql 'SELECT state FROM grants WHERE id = 1')"
    exits 0 allot grant release g-2
    exits 0 allot grant purge g-2
    is 0 "$(things)"
    is 24 "$(allot pool show p --json | jq '.flavors[0].free_units')"
}
it 'a quota is the sum of what the grants of a tenant give' quota

in_use() {
    quota_store
    exits 0 ask a --flavor v100 --units 4
    edit 'if .kind == "allowance" then .used = {"v100": 3} else . end'
    exits 0 allot grant release g-1
    has "$err" '1 of 1 things are not ready yet'
    is '[0,0,0]' "$(allowance a)" # nothing new can be made there
    is 20 "$(allot pool show p --json | jq '.flavors[0].free_units')"
    exits 0 allot reconcile --json
    is '3 of v100 are in use, 0 are left to the tenant' "$(value '.things[0].trouble')"
    edit 'if .kind == "allowance" then .used = {} else . end'
    exits 0 allot reconcile
    is 24 "$(allot pool show p --json | jq '.flavors[0].free_units')"
    is 0 "$(things)"
}
it 'units in use come free when the tenant has given them up' in_use

drift() {
    quota_store
    exits 0 ask a --flavor v100 --units 4 --storage '2 TB'
    exits 0 ask a --flavor v100 --units 1
    edit 'if .kind == "allowance" then .limits.v100 = 9 | .storage = 1 else . end'
    exits 0 allot --dry-run reconcile --json
    is 1 "$(value '.differing')"
    is 'differing quota set' "$(value '.things[0] | "\(.label) \(.kind) \(.action)"')"
    is 'its quota is v100 x 9, not 5; its quota is 1 B of storage, not 2 TB' "$(value '.things[0].trouble')"
    exits 0 allot reconcile
    is '[5,2,0]' "$(allowance a)"
    exits 0 allot status
    lacks "$out" 'differing'
    edit 'select(.kind != "allowance")' # all of it, away
    exits 0 allot reconcile
    is '[5,2,0]' "$(allowance a)"
    edit 'empty'
    exits 0 allot reconcile
    is '[5,2,0]' "$(allowance a)"
    is 0 "$(sql "SELECT count(*) FROM outbox WHERE kind = 'loss'")" # a quota holds no data
    exits 0 allot reconcile --json
    is '3 0' "$(value '"\(.matched) \(.things | length)"')"
}
it 'what was changed by hand at the cloud is reported and set back' drift

unseen() { # its token is gone, which says nothing of the limits
    quota_store
    exits 0 ask a --flavor v100 --units 4
    exits 0 ask a --flavor v100 --units 1
    exits 0 allot grant release g-1 --no-provision
    is '[5,0,0]' "$(allowance a)"
    edit 'if .kind == "allowance" then . else select(.name | test("-g1-") | not) end'
    exits 0 allot reconcile
    is '[1,0,0]' "$(allowance a)"
    is 23 "$(allot pool show p --json | jq '.flavors[0].free_units')"
}
it 'a quota that is not seen is lowered before its units come free' unseen

strays() { # of a quota that ended, and of one that nobody knows: the tenant's live grant stays whole
    quota_store
    exits 0 ask a --flavor v100 --units 4
    exits 0 ask a --flavor v100 --units 1
    thing '.kind == "quota" and (.name | test("-g1-"))' tojson >ended
    exits 0 allot grant release g-1
    is '[1,0,0]' "$(allowance a)"
    cat ended >>"$CLOUD"
    exits 0 allot reconcile
    is '[1,0,0]' "$(allowance a)"
    is 1 "$(things '"kind":"quota"')"
    sed 's/"token":"[^"]*"/"token":"s'"$(sql 'SELECT id FROM store')"'.1.77"/' ended >>"$CLOUD"
    exits 5 allot reconcile --remove "s$(sql 'SELECT id FROM store').1.77"
    has "$err" 'is a quota, and whose is not known: nothing is done'
    is '[1,0,0]' "$(allowance a)"
}
it 'a stray quota takes nothing from what its tenant has' strays

shrunk() {
    quota_store
    exits 0 ask a --flavor v100 --units 6 --storage '2 TB'
    exits 0 allot grant shrink g-1 "$(sql "SELECT name FROM operation WHERE flavor = 'v100' AND units = 2")"
    is '[4,2,0]' "$(allowance a)"
    is 20 "$(allot pool show p --json | jq '.flavors[0].free_units')"
    exits 0 allot grant extend g-1 --until 2026-08-01
    is '[4,2,0]' "$(allowance a)"
    exits 0 allot pool lose p --flavor v100 --units 3 --confirm
    exits 0 allot reconcile
    is '[4,2,0]' "$(allowance a)"
    exits 0 allot pool lose p --host p1 --confirm
    exits 0 allot reconcile
    is '[0,2,0]' "$(allowance a)"
}
it 'a smaller grant is a smaller quota' shrunk

quota_refused() {
    quota_store 'fail_names: ["*-q2-*"]'
    exits 8 ask a --flavor v100 --units 4 --storage '2 TB'
    has <(sql 'SELECT note FROM request') 'BACKEND_REFUSED: allot-a-g1-q2-'
    exits 0 allot pool set p --setting 'fail_names=[]'
    exits 0 allot reconcile
    is 'void 0 24' "$(sql 'SELECT state FROM grants') $(things) $(allot pool show p --json | jq '.flavors[0].free_units')"
}
it 'a refused quota voids the grant, and the units come free' quota_refused

member() {
    quota_store
    exits 0 ask a --flavor v100 --units 1
    exits 0 allot pool bind p a --member kim@gj
    has "$err" 'next: allot reconcile --pool p lets the user in' || has "$out" 'next: allot reconcile --pool p lets the user in'
    exits 0 allot reconcile
    is kim@gj "$(thing '.kind == "allowance"' .member)"
    is kim@gj "$(allot pool show p --json | jq -r '.projects[0].member')"
    exits 0 allot pool bind p a --member ''
    exits 0 allot reconcile
    is null "$(thing '.kind == "allowance"' .member)"
    lacks <(sql "SELECT detail FROM entry_detail") kim@gj # personal: not in the ledger
    refused 2 'allot: usage: --member: is not printable, or longer than 255 bytes' allot pool bind p a --member $'a\nb'
}
it 'the user who works in a project is named, and let in' member

without_projects() { # the cloud makes a project for each tenant itself
    cloud_store
    cloud_file 'deliver: quota' | sed '/^projects:/d; /^  - {name/d; s/projects: true/projects: false/; s/containers: true/containers: false/' >bare.yaml
    exits 0 allot pool add bare --file bare.yaml
    sed 's/^pool p /pool bare /; s/policy "test"/policy "bare"/' cloud.policy >bare.policy
    exits 0 allot policy load bare.policy
    exits 0 ask a --pool bare --flavor v100 --units 2 --storage '1 TB' --datalake '1 TB' --no-provision
    exits 0 allot reconcile
    is '[2,1,0]' "$(allowance a)"
    is 'datalake wanted' "$(sql "SELECT item || ' ' || state FROM hand_line")" # a person delivers it
    is active "$(sql 'SELECT state FROM grants')"
    refused 5 'allot: conflict: pool bare: its backend makes a project for each tenant itself' allot pool bind bare a --project p1
    exits 0 allot reconcile --json
    is '2 0' "$(value '"\(.matched) \(.things | length)"')"
}
it 'a cloud without hosts and projects gives quota too' without_projects

# ---- waiting, sending ----

slow() {
    cloud_store 'slow: ["*"], slow_calls: 2'
    exits 0 ask a --flavor v100 --units 1 --storage '1 TB' --no-provision
    exits 0 allot reconcile --wait '10 seconds' --json
    is '2 0' "$(value '"\(.done) \(.waiting)"')"
    is active "$(sql 'SELECT state FROM grants')"
    is '' "$(thing '.starting' .name)"
    exits 0 allot grant release g-1
    exits 0 allot reconcile --wait '10 seconds'
    is kept "$(sql 'SELECT state FROM grants')"
    exits 2 allot reconcile --wait 0
    exits 2 allot reconcile --wait '2 days'
    has "$err" 'must be from 1 second to 1 hour'
}
it 'reconcile --wait asks after what is not ready' slow

at_once() { # a hundred requests are one call for each batch of the backend
    cloud_store
    exits 0 ask a --flavor v100 --units 1 --no-provision
    is 0 "$(sql 'SELECT max(attempts) FROM operation')"
    env ALLOT_FAULT=reconcile.counted:exit "$ALLOT" --store "$STORE" --now "$NOW" reconcile >/dev/null 2>&1 && return 1
    is '1 none' "$(sql "SELECT attempts || ' ' || observed FROM operation")" # never fresh again
    exits 0 allot reconcile
    is '1 present' "$(sql "SELECT attempts || ' ' || observed FROM operation")"
}
it 'what is sent for the first time is counted before' at_once

finish
