#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of the OpenStack backend rely on, asked of the real services: which status each call has, which states things
# go through, which quota is enforced by whom, what a killed service does to its clients. It is where to look it up.
. "$ROOT/test/openstack/lab"

# ---- identity ----
admin_system
api GET "$KEYSTONE/v3/auth/tokens" '' -H "X-Subject-Token: $TOKEN"
is 'a system-scoped token has no project' '.token | .system.all == true and has("project") == false'
project lab-a
api POST "$KEYSTONE/v3/users/$USER_ID/application_credentials" '{"application_credential": {"name": "c1"}}'
answers 'an application credential is made' 201
credential=$(jq -c '.application_credential | {methods: ["application_credential"], application_credential: {id, secret}}' answer)
authenticate "$credential"
ok 'and gives a token of its project' test "$SCOPE" = "$PROJECT"
MEMBER=$TOKEN A=$PROJECT
admin
api PUT "$KEYSTONE/v3/projects/$A/tags/allot-x" '{}'
answers 'a project takes a tag' 201
api GET "$KEYSTONE/v3/projects?tags=allot-x"
is 'and is found by it' '.projects | length == 1 and .[0].tags == ["allot-x"]'
api POST "$KEYSTONE/v3/auth/tokens" '{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "admin", "domain": {"id": "default"}, "password": "wrong"}}}}}'
answers 'a wrong password is 401' 401
is 'in the shape of keystone' '.error | .code == 401 and .title == "Unauthorized"'
TOKEN=nonsense
api GET "$NOVA/servers"
answers 'so is a wrong token, at nova' 401
is 'also in the shape of keystone' '.error.code == 401'

# ---- servers and volumes ----
TOKEN=$MEMBER
api GET "$GLANCE/v2/images?name=tiny"
IMAGE=$(jq -r '.images[0].id' answer)
api GET "$NEUTRON/v2.0/networks?name=net0"
NET=$(jq -r '.networks[0].id' answer)
server() { # server NAME FLAVOR [DISK]: DISK as block_device_mapping_v2 has it
    jq -nc --arg n "$1" --arg f "$2" --arg i "$IMAGE" --arg net "$NET" --argjson d "${3:-null}" \
        '{server: ({name: $n, flavorRef: $f, networks: [{uuid: $net}], metadata: {token: $n}}
         + if $d then {block_device_mapping_v2: [$d]} else {imageRef: $i} end)}'
}
LIMITS=$(jq .limits "$LAB/settings.json")
api POST "$NOVA/servers" "$(server s1 m1.volume '{"source_type": "image", "uuid": "'"$IMAGE"'", "boot_index": 0, "destination_type": "volume", "volume_size": 3, "delete_on_termination": true}')"
answers 'a server with a root volume from an image is accepted' 202
S1=$(jq -r .server.id answer)
ok 'and becomes active' becomes "$NOVA/servers/$S1" '.server.status == "ACTIVE" and .server["OS-EXT-STS:task_state"] == null'
is 'it names no image but its volume' '.server | .image == "" and (.["os-extended-volumes:volumes_attached"] | length == 1)'
ROOT_VOLUME=$(jq -r '.server["os-extended-volumes:volumes_attached"][0].id' answer)
api GET "$CINDER/$A/volumes/$ROOT_VOLUME"
is 'which is of the size asked for, bootable and in use' '.volume | .size == 3 and .bootable == "true" and .status == "in-use"'
api POST "$CINDER/$A/volumes" '{"volume": {"size": 2, "name": "data", "metadata": {"token": "v1"}}}'
answers 'a volume is accepted' 202
V1=$(jq -r .volume.id answer)
ok 'and becomes available' becomes "$CINDER/$A/volumes/$V1" '.volume.status == "available"'
api POST "$NOVA/servers/$S1/os-volume_attachments" "{\"volumeAttachment\": {\"volumeId\": \"$V1\"}}"
answers 'it is attached' 200
ok 'and is in use' becomes "$CINDER/$A/volumes/$V1" '.volume.status == "in-use"'
api DELETE "$CINDER/$A/volumes/$V1"
answers 'a volume in use is not deleted' 400
api POST "$CINDER/$A/volumes/$V1/action" '{"os-extend": {"new_size": 4}}'
answers 'nor grown without microversion 3.42' 400
api POST "$CINDER/$A/volumes/$V1/action" '{"os-extend": {"new_size": 4}}' -H 'OpenStack-API-Version: volume 3.42'
answers 'with it, it is' 202
ok 'and has its new size' becomes "$CINDER/$A/volumes/$V1" '.volume.size == 4 and .volume.status == "in-use"'
api DELETE "$NOVA/servers/$S1"
answers 'a server is deleted' 204
ok 'and goes' gone "$NOVA/servers/$S1"
ok 'its root volume goes with it, as was asked' gone "$CINDER/$A/volumes/$ROOT_VOLUME"
ok 'the other is free again' becomes "$CINDER/$A/volumes/$V1" '.volume.status == "available"'
echo "$V1" >"$LAB/refuse-delete"
api DELETE "$CINDER/$A/volumes/$V1"
ok 'a volume may refuse to go' becomes "$CINDER/$A/volumes/$V1" '.volume.status == "error_deleting"'
rm "$LAB/refuse-delete"
admin
api POST "$CINDER/$A/volumes/$V1/action" '{"os-reset_status": {"status": "available"}}'
answers 'the project in a path of cinder must be that of the token' 400
api POST "$CINDER/$SCOPE/volumes/$V1/action" '{"os-reset_status": {"status": "available"}}'
answers 'an administrator sets it free' 202
TOKEN=$MEMBER
api POST "$NOVA/os-keypairs" '{"keypair": {"name": "k1", "type": "ssh", "public_key": "no key"}}'
answers 'what is no key is refused' 400
api POST "$NOVA/servers" "$(server s2 no-such-size)"
answers 'a size that is not there too' 400

# ---- quotas ----
project lab-b
B=$PROJECT MEMBER_B=$TOKEN
if [ "$LIMITS" = true ]; then
    api POST "$NOVA/servers" "$(server s3 g.v100.1)"
    answers 'without a limit a project has no GPU' 403
    is 'as nova says' '.forbidden.message | test("CUSTOM_GPU_V100 is over limit of 0")'
    admin_system
    api GET "$KEYSTONE/v3/services?type=compute"
    COMPUTE=$(jq -r '.services[0].id' answer)
    limit() { # limit NAME VALUE
        api POST "$KEYSTONE/v3/limits" "{\"limits\": [{\"service_id\": \"$COMPUTE\", \"region_id\": \"RegionOne\", \"project_id\": \"$B\", \"resource_name\": \"$1\", \"resource_limit\": $2}]}"
    }
    limit class:CUSTOM_GPU_V100 2
    answers 'a limit is made with a system-scoped token' 201
    LIMIT=$(jq -r '.limits[0].id' answer)
    limit class:CUSTOM_GPU_V100 2
    answers 'once' 409
    limit class:CUSTOM_GPU_NONE 2
    answers 'of what is registered only' 403
    api GET "$KEYSTONE/v3/limits?project_id=$B"
    is 'it is read back' '.limits | length == 1 and .[0].resource_limit == 2'
    admin
    api GET "$KEYSTONE/v3/limits?project_id=$B"
    is 'but not with a token of another project' '.limits == []'
    TOKEN=$MEMBER_B
    api POST "$NOVA/servers" "$(server s4 g.v100.2)"
    answers 'within the limit a server is accepted' 202
    S4=$(jq -r .server.id answer)
    ok 'and becomes active' becomes "$NOVA/servers/$S4" '.server.status == "ACTIVE"'
    api POST "$NOVA/servers" "$(server s5 g.v100.1)"
    answers 'beyond it none' 403
    admin
    api GET "$PLACEMENT/usages?project_id=$B" '' -H 'OpenStack-API-Version: placement 1.9'
    is 'placement counts the GPUs of a project' '.usages.CUSTOM_GPU_V100 == 2'
    api PUT "$NOVA/os-quota-sets/$B" '{"quota_set": {"cores": 1}}'
    answers 'os-quota-sets answers as if it did something' 200
    api GET "$NOVA/os-quota-sets/$B"
    is 'and did nothing' '.quota_set.cores == 20'
    admin_system
    api PATCH "$KEYSTONE/v3/limits/$LIMIT" '{"limit": {"resource_limit": -1}}'
    answers 'a limit of -1 is taken' 200
    TOKEN=$MEMBER_B
    api POST "$NOVA/servers" "$(server s6 g.v100.1)"
    answers 'and is not "no limit": all is over it' 403
else
    admin
    api PUT "$NOVA/os-quota-sets/$B" '{"quota_set": {"ram": 700}}'
    answers 'a quota is set' 200
    TOKEN=$MEMBER_B
    api POST "$NOVA/servers" "$(server s3 m1.tiny)"
    answers 'a server within it is accepted' 202
    api POST "$NOVA/servers" "$(server s4 m1.tiny)"
    answers 'one beyond is not' 403
    is 'as nova says' '.forbidden.message == "Quota exceeded for ram: Requested 512, but already used 512 of 700 ram"'
fi
admin
api PUT "$CINDER/$SCOPE/os-quota-sets/$B" '{"quota_set": {"gigabytes": 5}}'
answers 'a quota of volumes is for the administrator' 200
TOKEN=$MEMBER_B
api POST "$CINDER/$B/volumes" '{"volume": {"size": 6}}'
answers 'a volume over quota is 413' 413
is 'as cinder says' '.overLimit | .code == 413 and (.message | test("Requested 6G, quota is 5G and 0G has been consumed"))'

# ---- object storage ----
url=$SWIFT/AUTH_$B
api PUT "$url/box"
answers 'a container is made' 201
api POST "$url/box" '' -H 'X-Container-Meta-Quota-Bytes: 10'
answers 'its owner limits it' 204
api PUT "$url/box/a" 0123456789
answers 'up to the limit it takes' 201
for _ in $(seq 20); do api HEAD "$url/box" '' -I; [ "$(header X-Container-Bytes-Used)" != 10 ] || break; sleep 0.2; done
api PUT "$url/box/b" 0123456789
answers 'beyond it, it is 413' 413
ok 'in words, not in JSON' grep -q 'Upload exceeds quota' answer
api POST "$url" '' -H 'X-Account-Meta-Quota-Bytes: 1000'
answers 'the owner does not limit the account' 403
admin
api POST "$url" '' -H 'X-Account-Quota-Bytes: 1000'
api HEAD "$url" '' -I
ok 'this release does not know the newer header: nothing is set' test -z "$(header X-Account-Quota-Bytes)$(header X-Account-Meta-Quota-Bytes)"
api POST "$url" '' -H 'X-Account-Meta-Quota-Bytes: 15'
answers 'a reseller admin does' 204
api HEAD "$url" '' -I
ok 'and reads it back' test "$(header X-Account-Meta-Quota-Bytes)" = 15
TOKEN=$MEMBER_B
api PUT "$url/box2"
for _ in $(seq 25); do api HEAD "$url" '' -I; [ "$(header X-Account-Bytes-Used)" != 10 ] || break; sleep 0.2; done
ok 'the account knows what is stored after a moment' test "$(header X-Account-Bytes-Used)" = 10
api PUT "$url/box2/c" 0123456789
answers 'beyond the quota of the account it is 413' 413

# ---- services that end and come back ----
TOKEN=$MEMBER
service kill nova-api
api GET "$NOVA/servers"
ok 'a killed service does not answer' test "$STATUS" = none
service start nova-api
api GET "$NOVA/servers"
answers 'it comes back' 200
service kill cinder-volume
api POST "$CINDER/$A/volumes" '{"volume": {"size": 1}}'
answers 'a volume is accepted while nobody makes it' 202
V2=$(jq -r .volume.id answer)
sleep 1
api GET "$CINDER/$A/volumes/$V2"
is 'and waits' '.volume.status == "creating"'
service start cinder-volume
ok 'until somebody does' becomes "$CINDER/$A/volumes/$V2" '.volume.status == "available"' 60
service kill keystone
api GET "$NOVA/servers"
ok 'without keystone a known token still serves, or 503' test "$STATUS" = 200 -o "$STATUS" = 503
service start keystone
api GET "$KEYSTONE/v3/auth/tokens" '' -H "X-Subject-Token: $TOKEN"
answers 'tokens outlive keystone' 200
