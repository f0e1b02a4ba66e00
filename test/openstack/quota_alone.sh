#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Delivery by quota, the backend alone on a real cloud: cut off at each step, two at once, what is refused and leaves nothing,
# a cloud that cannot limit, and one that is not there.
. "$ROOT/test/openstack/lab"
. "$ROOT/test/openstack/place"
project "$OPERATOR"
(umask 077 && cp "$LAB/clouds.yaml" clouds.yaml)
DRIVE=$BUILD/libvirt/drive

# ---- cut off, and two at once: by the backend alone ----
OWN=$(printf 'ab%010x' $((SRANDOM % 1099511627776))) # a store of its own; shown as 0123456789ab
SETTINGS='{"dialect": "openstack", "deliver": "quota", "cloud": "lab", "system_cloud": "lab-system", "volume_type": "ssd",
    "object_store": "quota", "quota": {"base": {"vcpus": 1, "memory_mib": 512, "servers": 1},
    "per_unit": {"a100": {"vcpus": 2, "memory_mib": 1024, "disk_gib": 20}, "h100": {"vcpus": 4, "memory_mib": 2048}}}}'
jq -n --arg o "$OWN" --argjson s "$SETTINGS" '{pool: {name: "lab", store: $o, deadline_ms: 120000, hosts: {},
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
is 'a type of volume that is not there' '.operations[0] | .answer == "nothing happened" and (.detail | contains("gigabytes_gold"))'
drive ensure < <(ops 3 3 | jq -c '.pool.settings.quota.role = "no-such-role"')
is 'a role that is not there' '.operations[0] | .answer == "nothing happened" and (.detail | contains("no role no-such-role"))'
drive ensure < <(ops 3 3 | jq -c '.pool.settings.quota.domain = "no-such-domain"')
is 'a domain that is not there' '.operations[0] | .answer == "nothing happened" and (.detail | contains("no domain no-such-domain"))'
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
is 'a wrong password: nothing happened' '.operations[0].answer == "nothing happened"'
OS_CLIENT_CONFIG_FILE=$PWD/wrong.yaml XDG_CACHE_HOME=$PWD/other drive observe < <(ops 3 3)
is 'and nothing passes for absent' '.hosts[0].answered == false'
jq '.clouds["lab-system"].auth |= (del(.system_scope) + {project_name: "admin", project_domain_name: "Default"})
    | .clouds["lab-system"].auth.username = "'"$OPERATOR"'" | .clouds["lab-system"].auth.password = "'"$OPERATOR-pw"'"' clouds.yaml >member.yaml
chmod 600 member.yaml
OS_CLIENT_CONFIG_FILE=$PWD/member.yaml drive ensure < <(ops 3 3)
is 'a user without a role for the system' '.operations[0].answer == "nothing happened"'
service kill keystone
drive ensure < <(ops 3 3 | jq -c '.pool.deadline_ms = 3000')
is 'no Keystone: nothing happened' '.operations[0].answer == "nothing happened"'
drive observe < <(ops 3 3 | jq -c '.pool.deadline_ms = 3000')
is 'nothing passes for absent' '.hosts[0].answered == false'
service start keystone
standing "$P"
is 'and nothing changed' ". == $BEFORE"

for id in "$P" "$P2"; do
    admin
    api DELETE "$SWIFT/AUTH_$id"
    api DELETE "$KEYSTONE/v3/projects/$id"
done
