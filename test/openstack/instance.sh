#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Grants on a real cloud: a project for each tenant, servers, volumes and containers as booked, found again by their
# tokens, and gone when they end. What the cloud refuses is held with the cloud's words and leaves nothing.
. "$ROOT/test/openstack/lab"
. "$ROOT/test/openstack/place"
projects a b c
operator
for name in a b; do limit_room $name; done
limit c class:CUSTOM_GPU_A100=4
pool_file
books a b c

# ---- what the pool names is there ----
good pool sync lab
is 'the cloud has all of it' '.differs == false and .warnings == [] and ([.hosts[].answered] == [true, true, true])'

cp pool.yaml good.yaml
pool_file '.settings.image = "tinny" | .settings.volume_type = "sdd"'
good pool set lab --file pool.yaml
allot pool sync lab
answers 'a sync that finds less than the pool says fails' 1
is 'what is not there is told, for each project' '.differs and ([.warnings[] | select(contains("tinny") and contains("did you mean \"ssd\""))] | length == 3)'
good pool set lab --file good.yaml

# ---- a grant ----
good request submit --tenant org-a --flavor a100 --units 9 --storage '3 GiB' --datalake '1 GiB'
is 'it is granted' '.state == "granted"'
thing server '.observed == "present" and .connect.state == "running" and (.connect.addresses[0] | startswith("10."))'
thing volume '.observed == "present"'
thing container '.observed == "present" and (.connect.url | contains("/v1/AUTH_"))'
project=$(jq -r '[.things[].host] | unique | .[0]' <<<"$OUT")
cloud_count "$project"
is 'nine units are two servers, with a volume and a container' '. == {servers: 2, volumes: 1, containers: 1}'
as "$project"
api GET "$NOVA/servers/detail" '' -H 'OpenStack-API-Version: compute 2.67'
is 'each server has our token, its tenant and its flavor' '[.servers[].metadata | select((.allot_token | startswith("s")) and .allot_tenant == "org-a" and .allot_grant == "g-1" and .allot_flavor == "a100")] | length == 2'
is 'the sizes are an exact cover' '[.servers[].metadata.allot_units] | sort == ["1", "8"]'
is 'they lie in the network of their tenant' '[.servers[].addresses | keys[0]] | unique | length == 1 and (.[0] | test("^allot-[0-9a-f]+-t[0-9]+$"))'
is 'one of them has the volume' '[.servers[] | .["os-extended-volumes:volumes_attached"] | length] | sort == [0, 1]'
is 'which stays when it goes' '[.servers[] | .["os-extended-volumes:volumes_attached"][] | .delete_on_termination] == [false]'
server=$(jq -r '.servers[0].id' answer)
api GET "$NEUTRON/v2.0/security-groups?name=$(jq -r '.servers[0].addresses | keys[0]' answer)"
is 'a security group lets them reach each other' '.security_groups | length == 1 and ([.[0].security_group_rules[] | select(.direction == "ingress")] | length == 1)'
container=$(jq -r '.things[] | select(.kind == "container") | .connect.url' <<<"$("$ALLOT" grant show g-1 --json)")
api PUT "$container/small" 'hello'
answers 'the container takes objects' 201
head -c 1100000000 /dev/zero | curl -sS --noproxy '*' -o answer -w '%{http_code}' -H "X-Auth-Token: $TOKEN" -X PUT -T - -H 'Content-Length: 1100000000' "$container/large" >code || true
ok 'and no more than is booked' test "$(cat code)" = 413

good reconcile
is 'nothing differs' '.matched == 4 and .things == []'
good status
is 'and status says so' '.drift == []'

# ---- a second grant of the tenant ----
good request submit --tenant org-a --flavor a100 --units 1
good grant show g-2
is 'it goes to the same project' '[.things[].host] | unique == ["'"$project"'"]'
cloud_count "$project"
is 'beside the first' '.servers == 3'

# ---- behind our back ----
api DELETE "$NOVA/servers/$server"
ok 'a server goes behind our back' gone "$NOVA/servers/$server"
allot reconcile
is 'which is noticed' 'any(.things[]; .kind == "server" and .label == "ledger-only")'
good reconcile
cloud_count "$project"
is 'and it is made anew' '.servers == 3'
good reconcile
is 'once' '.things == []'

# ---- giving back ----
good grant release g-2
cloud_count "$project"
is 'its server is deleted' '.servers == 2'
good grant release g-1
cloud_count "$project"
is 'the data stays' '. == {servers: 0, volumes: 1, containers: 1}'
good grant purge g-1
cloud_count "$project"
is 'until it is purged, full container and all' '. == {servers: 0, volumes: 0, containers: 0}'
good reconcile
is 'the ledger agrees' '.things == []'

# ---- no host ----
allot request submit --tenant org-b --flavor h100 --units 64 --storage '1 GiB'
answers 'what the cloud has no room for waits' 8
good request list
is 'it is held' '.[] | select(.tenant == "org-b") | .state == "held"'
good request show "$(jq -r '.[] | select(.tenant == "org-b") | .request' <<<"$OUT")"
is 'with the words of the cloud' 'tostring | contains("No valid host was found")'
good reconcile
cloud_count b
is 'and all of its parts are gone' '. == {servers: 0, volumes: 0, containers: 0}'

# ---- a quota of the cloud ----
allot request submit --tenant org-c --flavor a100 --units 8 --storage '1 GiB'
answers 'what passes its quota waits too' 8
good request show "$(jq -r .request <<<"$OUT")"
is 'what passes its quota is held with its words' '.state == "held" and (tostring | contains("over limit of 4"))'
good reconcile
cloud_count c
is 'with nothing left there' '. == {servers: 0, volumes: 0, containers: 0}'
good pool show lab
is 'and all units are free' '[.flavors[] | .free_units == .units] | all'
books_close
