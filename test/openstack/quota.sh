#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Delivery by quota on a real cloud: what a tenant may use is the sum of its grants, at Keystone, Cinder and Swift; Nova holds
# it to that; what somebody changes is set back; a grant ends when no more is used than is left.
. "$ROOT/test/openstack/lab"
. "$ROOT/test/openstack/place"
project "$OPERATOR"
(umask 077 && cp "$LAB/clouds.yaml" clouds.yaml)

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

admin
api DELETE "$SWIFT/AUTH_$A"
api DELETE "$KEYSTONE/v3/projects/$A"
books_close
