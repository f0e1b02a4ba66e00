#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Delivery by quota on a real cloud: what a tenant may use is the sum of its grants, at Keystone, Cinder and Swift; Nova holds
# it to that; what somebody changes is set back; a grant ends when no more is used than is left.
. "$ROOT/test/openstack/lab"
. "$ROOT/test/openstack/place"
project "$OPERATOR"
(umask 077 && cp "$LAB/clouds.yaml" clouds.yaml)
DRIVE=$BUILD/libvirt/drive

quota_file() { # quota_file [FILTER]
    jq -n '{backend: "openstack", basis: "fp32",
        flavors: [{name: "a100", rating: "19.5 TF", units: 32, sizes: [1, 8], match: "CUSTOM_GPU_A100"},
                  {name: "h100", rating: "67 TF", units: 128, sizes: [1, 8], match: "CUSTOM_GPU_H100"}],
        storage: "10 TiB", datalake: "10 TiB", granule: "1 GiB", volume: {least: "1 GiB", most: "500 GiB"},
        settings: {dialect: "openstack", deliver: "quota", cloud: "lab", system_cloud: "lab-system", volume_type: "ssd",
                   object_store: "quota",
                   quota: {base: {vcpus: 1, memory_mib: 512, servers: 1},
                           per_unit: {a100: {vcpus: 2, memory_mib: 1024, disk_gib: 20}, h100: {vcpus: 4, memory_mib: 2048}}}}}
        '"${1:+| $1}" >pool.yaml
}
# standing PROJECT: what the three services allow, as OUT
standing() {
    local limits volumes
    admin_system
    api GET "$KEYSTONE/v3/limits?project_id=$1"
    limits=$(jq -c '[.limits[] | {(.resource_name): .resource_limit}] | add // {}' answer)
    admin
    api GET "$CINDER/$SCOPE/os-quota-sets/$1"
    volumes=$(jq -c '.quota_set | {gigabytes, volumes, gigabytes_ssd, backups, backup_gigabytes}' answer)
    api HEAD "$SWIFT/AUTH_$1" '' -I
    OUT=$(jq -nc --argjson l "$limits" --argjson v "$volumes" --arg b "$(header X-Account-Meta-Quota-Bytes)" '$l + $v + {bytes: $b}')
    STATUS=200
}
tokens_of() {
    admin
    api GET "$KEYSTONE/v3/projects/$1/tags"
}
in_id() { jq -nc --arg p "$1" '{project: {id: $p}}'; }

# ---- settings that cannot be ----
good_settings() { quota_file "$1"; "$ALLOT" pool add bad --file pool.yaml --dry-run >said 2>&1; }
refused() { # refused WHAT FILTER WORDS
    if good_settings "$2"; then echo "taken: $1"; exit 1; fi
    says "$1" "$3"
}
echo 'notify: [/bin/true]' >allot.conf
good init
refused 'a flavor without its share' 'del(.settings.quota.per_unit.h100)' 'settings.quota.per_unit.h100'
refused 'a share of no flavor' '.settings.quota.per_unit.b200 = {}' 'the pool has no flavor "b200"'
refused 'two flavors of one class' '.flavors[1].match = "CUSTOM_GPU_A100"' 'one limit cannot count for two'
refused 'a flavor without a class' 'del(.flavors[1].match)' 'only classes can be limited'
refused 'a flavor by alias' '.flavors[1].match = "alias:h100"' 'only classes can be limited'
refused 'an account that is looked at now and then' '.settings.object_store = "polled"' 'limited by quota'
refused 'NHN, which has no calls for quotas' '.settings.dialect = "nhn"' 'has no calls for quotas'
refused 'fewer than none' '.settings.quota.per_unit.a100.vcpus = -1' 'vcpus'
refused 'an unknown key' '.settings.quota.per_unit.a100.cores = 1' 'cores'
refused 'a word that is none' '.settings.quota.enforce = "maybe"' 'enforce'
refused 'no quota at all' 'del(.settings.quota)' 'settings.quota'
refused 'a number that is text' '.settings.quota.volumes = "many"' 'volumes'
rm s.db*

# ---- a grant ----
quota_file
books a b c
good pool sync lab
is 'the cloud can limit all of it' '.differs == false'
good pool bind lab org-a --member "$OPERATOR"
good request submit --tenant org-a --flavor a100 --units 2 --storage '3 GiB' --datalake '1 GiB'
is 'it is granted' '.state == "granted"'
thing quota '.observed == "present"'
A=$(jq -r '[.things[].connect.project_id] | unique | .[0]' <<<"$OUT")
standing "$A"
is 'compute, with what goes with it' '.["class:CUSTOM_GPU_A100"] == 2 and .["class:CUSTOM_GPU_H100"] == 0 and .["class:VCPU"] == 5 and .["class:MEMORY_MB"] == 2560 and .["class:DISK_GB"] == 40 and .servers == 3'
is 'volumes, of the one type, and no backups' '.gigabytes == 3 and .gigabytes_ssd == 3 and .volumes == 100 and .backups == 0 and .backup_gigabytes == 0'
is 'objects' '.bytes == "1073741824"'
tokens_of "$A"
is 'the project carries a token for each piece' '.tags | length == 4 and all(startswith("s"))'

# ---- the tenant works by itself ----
authenticate "$(password "$OPERATOR" "$OPERATOR-pw")" "$(in_id "$A")"
api GET "$GLANCE/v2/images?name=tiny"
image=$(jq -r '.images[0].id' answer)
api GET "$NEUTRON/v2.0/networks?name=net0"
net=$(jq -r '.networks[0].id' answer)
server() { api POST "$NOVA/servers" "{\"server\": {\"name\": \"$1\", \"flavorRef\": \"$2\", \"imageRef\": \"$image\", \"networks\": [{\"uuid\": \"$net\"}]}}"; }
server s1 g.a100.2
answers 'the member starts a server with two cards' 202
S1=$(jq -r .server.id answer)
server s2 g.a100.1
answers 'and no third' 403
is 'in words of Nova' '.forbidden.message | contains("class:CUSTOM_GPU_A100 is over limit of 2")'
server s3 g.h100.1
answers 'nor a card of another kind' 403
api POST "$CINDER/$A/volumes" '{"volume": {"size": 4, "volume_type": "ssd"}}'
answers 'nor more than 3 GiB' 413
api PUT "$SWIFT/AUTH_$A/c"
answers 'a container is made' 201
ok 'the server is up' becomes "$NOVA/servers/$S1" '.server.status == "ACTIVE"'

# ---- a second grant adds, and what is changed is set back ----
good request submit --tenant org-a --flavor a100 --units 1
standing "$A"
is 'the sum of both grants stands' '.["class:CUSTOM_GPU_A100"] == 3 and .["class:VCPU"] == 7 and .gigabytes == 3'
limit_id() {
    admin_system
    api GET "$KEYSTONE/v3/limits?project_id=$A&resource_name=$1"
    jq -r '.limits[0].id' answer
}
good reconcile
is 'nothing differs' '.things == []'
for what in class:CUSTOM_GPU_A100 class:VCPU; do
    id=$(limit_id $what)
    admin_system
    api PATCH "$KEYSTONE/v3/limits/$id" '{"limit": {"resource_limit": 50}}'
    allot reconcile
    is "$what is seen to differ" 'any(.things[]; .label == "differing")'
    standing "$A"
    is 'and is set back' '.["class:CUSTOM_GPU_A100"] == 3 and .["class:VCPU"] == 7'
done
admin
api PUT "$CINDER/$SCOPE/os-quota-sets/$A" '{"quota_set": {"gigabytes": 999}}'
api POST "$SWIFT/AUTH_$A" '' -H 'X-Account-Meta-Quota-Bytes: 5'
allot reconcile
standing "$A"
is 'volumes and objects too' '.gigabytes == 3 and .bytes == "1073741824"'
good reconcile
is 'and nothing differs' '.things == []'

# ---- giving back: done when no more is used than is left ----
allot grant release g-1
standing "$A"
is 'what is left stands at once' '.["class:CUSTOM_GPU_A100"] == 1 and .["class:VCPU"] == 3'
good grant show g-1
is 'what is still in use is told' 'any(.things[]; .desired == "absent" and (.trouble // "" | contains("class:CUSTOM_GPU_A100: 2 in use, 1 left")))'
authenticate "$(password "$OPERATOR" "$OPERATOR-pw")" "$(in_id "$A")"
api DELETE "$NOVA/servers/$S1"
ok 'the server goes' gone "$NOVA/servers/$S1"
good reconcile
good grant show g-1
is 'then it is done' '[.things[] | select(.item // "" | startswith("unit/")) | .observed] | all(. == "absent")'

# ---- cut off, and two at once: by the backend alone ----
OWN=$(printf 'ab%010x' $((SRANDOM % 1099511627776))) # a store of its own; shown as 0123456789ab
jq -n --arg o "$OWN" --argjson s "$(jq .settings pool.yaml)" '{pool: {name: "lab", store: $o, deadline_ms: 120000, hosts: {},
    settings: ($s + {flavors: {a100: {attach: "none", match: "CUSTOM_GPU_A100"}, h100: {attach: "none", match: "CUSTOM_GPU_H100"}}})}}' >base.json
ops() { # ops UNITS TOKEN...: quota operations of one tenant that carry the same sum
    local units=$1 list='[]' token
    shift
    for token; do
        list=$(jq -c --arg t "s$OWN.1.$token" --argjson u "$units" '. + [{token: $t, kind: "quota", name: "allot-x-1", host: "",
            tenant: "x <&> \u00e9", grant: "g-1", number: 9, quota: {limits: {a100: $u}, storage: 1073741824, datalake: 0}}]' <<<"$list")
    done
    jq -c --argjson l "$list" '. + {operations: $l}' base.json
}
drive() { # drive VERB: standard input to OUT
    STATUS=0
    OUT=$("$DRIVE" openstack "$1" 2>said) || STATUS=$?
    OUT=${OUT//$OWN/0123456789ab}
}
for point in quota.after-project quota.after-limits; do
    for way in exit error; do
        ops 2 1 | ALLOT_FAULT=$point:$way "$DRIVE" openstack ensure >cut.log 2>&1 || true
        drive observe < <(ops 2 1)
        is "cut off at $point ($way), its token is found" 'any(.seen[]; .token == "s0123456789ab.1.1")'
        drive ensure < <(ops 2 1)
        is 'and it is finished' '.operations[0].answer == "done"'
        ops 0 1 | jq -c '.operations[].quota.storage = 0' >none
        ALLOT_FAULT=quota.after-lowering:$way "$DRIVE" openstack remove <none >cut.log 2>&1 || true
        drive remove <none
        is 'or undone' '.operations[0].answer == "done"'
        drive observe <none
        is 'and gone' '.seen == []'
    done
done
ops 2 1 | "$DRIVE" openstack ensure >one 2>&1 &
ops 2 2 | "$DRIVE" openstack ensure >two 2>&1 &
wait
drive ensure < <(ops 2 1 2)
is 'two at once end in one project' '[.operations[].answer] == ["done", "done"] and ([.operations[].connection.project_id] | unique | length == 1)'
drive observe < <(ops 2 1 2)
is 'with both tokens' '[.seen[].token] | sort == ["s0123456789ab.1.1", "s0123456789ab.1.2"]'
P=$(jq -r '.seen[0].connection.project_id' <<<"$OUT")

# ---- what is refused leaves nothing, and says why ----
before() { standing "$P"; BEFORE=$OUT; }
before
drive ensure < <(ops 3 3 | jq -c '.operations[0].quota.storage = 1000')
is 'bytes that are no whole GiB' '.operations[0] | .answer == "refused" and (.detail | contains("granule"))'
drive ensure < <(ops 3 3 | jq -c '.operations[0].quota.limits = {b200: 1}')
is 'a flavor that nobody knows' '.operations[0] | .answer == "refused" and (.detail | contains("b200"))'
drive ensure < <(ops 3 3 | jq -c '.operations[0].quota.member = "nobody-at-all"')
is 'a member who is not there' '.operations[0] | .answer == "refused" and (.detail | contains("no user nobody-at-all"))'
drive ensure < <(ops 3 3 | jq -c '.pool.settings.volume_type = "gold"')
is 'a type of volume that is not there' '.operations[0] | .answer == "refused" and (.detail | contains("gigabytes_gold"))'
drive ensure < <(ops 3 3 | jq -c '.pool.settings.quota.role = "no-such-role"')
is 'a role that is not there' '.operations[0] | .answer == "refused" and (.detail | contains("no role no-such-role"))'
drive ensure < <(ops 3 3 | jq -c '.pool.settings.quota.domain = "no-such-domain"')
is 'a domain that is not there' '.operations[0] | .answer == "refused" and (.detail | contains("no domain no-such-domain"))'
drive ensure < <(ops 3 3 | jq -c '.operations[0].quota.limits = {a100: 4611686018427387904}')
is 'more than can be counted' '.operations[0].answer == "refused"'
tokens_of "$P"
is 'no token of them is left' '.tags | length == 2'
standing "$P"
is 'and the limits are as they were' ". == $BEFORE"
admin
api PATCH "$KEYSTONE/v3/projects/$P" '{"project": {"enabled": false}}'
drive ensure < <(ops 3 3)
is 'a project that somebody disabled' '.operations[0] | .answer == "refused" and (.detail | contains("is disabled"))'
admin
api PATCH "$KEYSTONE/v3/projects/$P" '{"project": {"enabled": true}}'
tags=$(seq 78 | jq -Rc '"x\(.)"' | jq -sc .)
api PUT "$KEYSTONE/v3/projects/$P/tags" "$(jq -c '{tags: (. + ["s'"$OWN"'.1.1"])}' <<<"$tags")"
drive ensure < <(ops 3 3)
is 'more tokens than Keystone takes' '.operations[0] | .answer == "refused" and (.detail | contains("Keystone takes 80"))'
api PUT "$KEYSTONE/v3/projects/$P/tags" "{\"tags\": [\"s$OWN.1.1\", \"s$OWN.1.2\", \"of-its-people\"]}"

# ---- a cloud that cannot limit ----
drive sync < <(ops 2 1 | jq -c '.pool.settings.flavors.h100.match = "CUSTOM_NOT_THERE"')
ok 'a class without a registered limit' test "$STATUS" = 1
says 'is refused' 'no registered limit for class:CUSTOM_NOT_THERE'
says 'with the remedy' 'enforce: none'
drive sync < <(ops 2 1 | jq -c '.pool.settings.flavors.h100.match = "CUSTOM_NOT_THERE" | .pool.settings.quota.enforce = "none"')
is 'unless nothing is to be enforced' '.hosts[0].answered'
drive ensure < <(ops 2 5 | jq -c '.pool.settings.quota.enforce = "none" | .operations[0].number = 11')
is 'then it is written on the project' '.operations[0].answer == "done"'
P2=$(jq -r '.operations[0].connection.project_id' <<<"$OUT")
admin
api GET "$KEYSTONE/v3/projects/$P2"
is 'what was granted' '.project.allot_compute["class:CUSTOM_GPU_A100"] == 2'
drive observe < <(ops 2 5 | jq -c '.pool.settings.quota.enforce = "none"')
is 'and is seen' 'any(.seen[]; .token == "s0123456789ab.1.5" and .quota.limits.a100 == 2 and .state == "present")'
standing "$P2"
is 'without limits of compute' 'has("class:VCPU") | not'
is 'volumes are limited all the same' '.gigabytes == 1'

# ---- who we are, and when nobody is there ----
sed 's/"secret"/"wrong"/' clouds.yaml >wrong.yaml
chmod 600 wrong.yaml
OS_CLIENT_CONFIG_FILE=$PWD/wrong.yaml XDG_CACHE_HOME=$PWD/other drive ensure < <(ops 3 3)
is 'a wrong password: nothing happened' '.operations[0].answer | . == "refused" or . == "nothing happened"'
OS_CLIENT_CONFIG_FILE=$PWD/wrong.yaml XDG_CACHE_HOME=$PWD/other drive observe < <(ops 3 3)
is 'and nothing passes for absent' '.hosts[0].answered == false'
jq '.clouds["lab-system"].auth |= (del(.system_scope) + {project_name: "admin", project_domain_name: "Default"})
    | .clouds["lab-system"].auth.username = "'"$OPERATOR"'" | .clouds["lab-system"].auth.password = "'"$OPERATOR-pw"'"' clouds.yaml >member.yaml
chmod 600 member.yaml
OS_CLIENT_CONFIG_FILE=$PWD/member.yaml drive ensure < <(ops 3 3)
is 'a user without a role for the system' '.operations[0].answer | . == "refused" or . == "nothing happened"'
service kill keystone
drive ensure < <(ops 3 3 | jq -c '.pool.deadline_ms = 3000')
is 'no Keystone: nothing happened' '.operations[0].answer == "nothing happened"'
drive observe < <(ops 3 3 | jq -c '.pool.deadline_ms = 3000')
is 'nothing passes for absent' '.hosts[0].answered == false'
service start keystone
standing "$P"
is 'and nothing changed' ". == $BEFORE"

for id in "$A" "$P" "$P2"; do
    admin
    api DELETE "$SWIFT/AUTH_$id"
    api DELETE "$KEYSTONE/v3/projects/$id"
done
books_close
