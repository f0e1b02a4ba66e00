#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The NHN face of the lab answers as NHN's pages say, judged by Debian's own clients of identity v2.0 where they know the call.
. "$ROOT/test/openstack/lab"
# proxy [OPTION...] : starts one; IDENTITY is its URL, TENANT of the last project
proxy() {
    "$ROOT/test/lab/nhn-proxy" --log requests --nas nas.json "$@" "$LAB" >url 2>proxy.log &
    PROXY=$!
    helpers+=("$PROXY")
    for _ in $(seq 100); do [ ! -s url ] || break; sleep 0.05; done
    IDENTITY=$(cat url)
}
v2_body() { jq -nc --arg t "$1" --arg u "$2" --arg p "$3" '{auth: {tenantId: $t, passwordCredentials: {username: $u, password: $p}}}'; }
declare -A AT
v2_token() { # v2_token TENANT USER PASSWORD: TOKEN, and AT, the URLs of the catalogue
    TOKEN=
    api POST "$IDENTITY/v2.0/tokens" "$(v2_body "$@")"
    [ "$STATUS" = 200 ] || { echo "no token: $STATUS $OUT"; return 1; }
    TOKEN=$(jq -r .access.token.id answer)
    for type in compute image volumev2 network object-store nasv1; do
        AT[$type]=$(jq -r --arg t $type '.access.serviceCatalog[] | select(.type == $t).endpoints[0].publicURL' answer)
    done
}

project nhn-a
TENANT=$PROJECT
project nhn-a-objects
OBJECTS=$PROJECT
admin
api PUT "$KEYSTONE/v3/projects/$OBJECTS/tags/object-store" '{}'
proxy

# ---- identity ----
TOKEN=
api GET "$IDENTITY/"
answers 'the root tells the versions' 300
is 'which is v2.0 only' '.versions.values | map(.id) == ["v2.0"]'
api POST "$IDENTITY/v2.0/tokens" "$(v2_body "$TENANT" nhn-a wrong)"
answers 'a wrong password is 401' 401
is 'in the shape of keystone' '.error.code == 401'
ok 'the API password gives a token' v2_token "$TENANT" nhn-a nhn-a-pw
is 'in the layout of v2.0' '.access | (.token.id | test("^[0-9a-f]{32}$")) and (.token.issued_at | test("[0-9]\\.[0-9]{6}$")) and (.token.expires | test(":[0-9]{2}Z$")) and .token.tenant.id == "'"$TENANT"'" and .metadata.is_admin == 0'
is 'with every service in the catalogue' '[.access.serviceCatalog[].type] | contains(["compute", "image", "volumev2", "network", "object-store", "nasv1"])'
FIRST=$TOKEN

# ---- Debian's own clients ----
. "$LAB/openrc"
unset OS_CLOUD OS_CLIENT_CONFIG_FILE
client() { openstack --os-identity-api-version 2 --os-auth-type v2password --os-auth-url "$IDENTITY/v2.0" --os-tenant-id "$TENANT" --os-username nhn-a --os-password nhn-a-pw "$@" 2>client.log; }
ok 'the openstack client gets a token by v2.0' test "$(client token issue -f value -c project_id)" = "$TENANT"
cat >session.py <<'PY'
import sys
from keystoneauth1 import exceptions, session
from keystoneauth1.identity import v2
url, tenant, user, password = sys.argv[1:]
auth = v2.Password(url + '/v2.0', username=user, password=password, tenant_id=tenant)
s = session.Session(auth=auth)
for kind in ('compute', 'volumev2', 'network', 'image', 'object-store', 'nasv1'):
    print(kind, auth.get_endpoint(s, service_type=kind, interface='public', region_name='KR1', skip_discovery=True))
access = auth.get_access(s)
print(access.version, access.project_id, access.username, access.will_expire_soon(60))
print(len(s.get('/flavors', endpoint_filter={'service_type': 'compute', 'interface': 'public', 'region_name': 'KR1', 'version': None}, authenticated=True).json()['flavors']) > 5)
try:
    v2.Password(url + '/v2.0', username=user, password='wrong', tenant_id=tenant).get_token(s)
except exceptions.Unauthorized as error:
    print(error)
PY
PYTHON=$(jq -r .cache "$LAB/settings.json")/python/bin/python3
OUT=$("$PYTHON" -W ignore session.py "$IDENTITY" "$TENANT" nhn-a nhn-a-pw 2>&1 || true)
ok 'keystoneauth1 finds every end point' test "$(grep -cE '^[a-z0-9-]+ http://127' <<<"$OUT")" = 6
ok 'reads what the token is of' grep -q "^v2.0 $TENANT nhn-a False$" <<<"$OUT"
ok 'calls with it' grep -q '^True$' <<<"$OUT"
ok 'and knows a refusal for what it is' grep -q 'HTTP 401' <<<"$OUT"

# ---- compute ----
api GET "${AT[compute]}/flavors/detail"
is 'sizes have names of NHN and no GPU count' '.flavors | map(select(.name == "g2.v100.c8m90"))[0] | .ram == 92160 and .vcpus == 8 and .disk == 0 and .swap == "" and .extra_specs == {flavor_type: "gpu"}'
V100=$(jq -r '.flavors[] | select(.name == "g2.v100.c8m90").id' answer)
V100x2=$(jq -r '.flavors[] | select(.name == "g2.v100.c16m180").id' answer)
for path in limits "os-quota-sets/$TENANT" "os-simple-tenant-usage/$TENANT"; do
    api GET "${AT[compute]}/$path"
    answers "there is no $path" 404
done
api GET "${AT[compute]}/servers" '' -H 'OpenStack-API-Version: compute 2.67'
answers 'no microversion is taken' 406
api GET "${AT[compute]/$TENANT/$OBJECTS}/servers"
answers 'the tenant in the path is that of the token' 403
api GET "${AT[compute]}/os-availability-zone"
is 'zones have names of NHN' '.availabilityZoneInfo[0].zoneName == "kr-pub-a"'
api POST "${AT[compute]}/os-keypairs" '{"keypair": {"name": "k1", "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHvL0HEQ6LiVbJmZ9NZ7jBe3z1K6M8P3lCnL0ojN8mJZ a"}}'
answers 'a key that is not RSA is refused' 400
ssh-keygen -q -t rsa -b 2048 -N '' -f key
api POST "${AT[compute]}/os-keypairs" "$(jq -nc --rawfile k key.pub '{keypair: {name: "k1", public_key: $k}}')"
answers 'an RSA key is taken' 200
api GET "${AT[image]}/v2/images?name=tiny"
IMAGE=$(jq -r '.images[0].id' answer)
api GET "${AT[network]}/v2.0/vpcs"
is 'a project has a VPC from its first day' '.vpcs | map(select(.name == "Default Network"))[0].cidrv4 == "192.168.0.0/16"'
VPC=$(jq -r '.vpcs[] | select(.name == "Default Network").id' answer)
api GET "${AT[network]}/v2.0/vpcsubnets?vpc_id=$VPC"
SUBNET=$(jq -r '.vpcsubnets[0].id' answer)
server() { # server NAME FLAVOR [FILTER]
    jq -nc --arg n "$1" --arg f "$2" --arg i "$IMAGE" --arg v "$VPC" "{server: {name: \$n, imageRef: \$i, flavorRef: \$f, networks: [{uuid: \$v}],
        key_name: \"k1\", availability_zone: \"kr-pub-a\", metadata: {token: \$n}, block_device_mapping_v2: [{source_type: \"image\",
        uuid: \$i, boot_index: 0, destination_type: \"volume\", volume_type: \"General SSD\", volume_size: 20,
        delete_on_termination: true}]}} | ${3:-.}"
}
refused() { # refused WHAT FILTER
    api POST "${AT[compute]}/servers" "$(server no "$V100" "$2")"
    answers "$1" 400
    is "$1, in the shape of nova" '.badRequest.code == 400'
}
refused 'a server needs a key' 'del(.server.key_name)'
refused 'and its disks' 'del(.server.block_device_mapping_v2)'
refused 'a root volume has 10 GB at least' '.server.block_device_mapping_v2[0].volume_size = 9'
refused 'not more than 10 come at once' '.server.max_count = 11'
refused 'a size must be there' '.server.flavorRef = "none"'
refused 'a zone too' '.server.availability_zone = "kr-pub-z"'
refused 'a network is named in one way' '.server.networks[0].port = "p"'
api POST "${AT[compute]}/servers" "$(server s1 "$V100")"
answers 'a whole one is accepted' 202
S1=$(jq -r .server.id answer)
ok 'and becomes active' becomes "${AT[compute]}/servers/$S1" '.server.status == "ACTIVE"' 60
is 'with its size by id only' '.server | .flavor == {id: "'"$V100"'"} and .["OS-EXT-AZ:availability_zone"] == "kr-pub-a" and .["NHN-EXT-ATTR:protect"] == false and .key_name == "k1"'
api POST "${AT[compute]}/servers" "$(server s2 "$V100x2")"
answers 'what NHN would count as too much memory is refused' 403
is 'in the words of nova' '.forbidden == {code: 403, message: "Quota exceeded for ram: Requested 184320, but already used 92160 of 262144 ram"}'
api POST "${AT[compute]}/servers" "$(server s3 "$V100" '.server.networks = [{subnet: "'"$SUBNET"'"}] | .server.block_device_mapping_v2[0] += {destination_type: "local"}')"
answers 'a subnet names a network too, a root disk may be local' 202
api GET "${AT[compute]}/servers?limit=1"
is 'lists come by pages without links' '(.servers | length == 1) and (has("servers_links") | not)'
api GET "${AT[compute]}/servers?limit=1&marker=$(jq -r '.servers[0].id' answer)"
is 'on by the last id' '.servers | length == 1'
api GET "${AT[compute]}/servers?name=%5Es1%24"
is 'and by name' '.servers | map(.name) == ["s1"]'
api POST "${AT[compute]}/servers/$S1/action" '{"shelve": null}'
answers 'a GPU server is not shelved' 400
api POST "${AT[compute]}/servers/$S1/action" '{"os-stop": null}'
answers 'it is stopped' 202

# ---- block storage ----
api GET "${AT[volumev2]}/types"
is 'volume types have names of NHN' '.volume_types | map(.name) | contains(["General SSD", "General HDD"])'
api POST "${AT[volumev2]}/volumes" '{"volume": {"size": 2049, "volume_type": "General HDD", "name": "d0", "availability_zone": "kr-pub-a"}}'
answers 'a volume has 2048 GB at most' 413
api POST "${AT[volumev2]}/volumes" '{"volume": {"size": 2048, "volume_type": "General HDD", "name": "d1", "availability_zone": "kr-pub-a"}}'
answers 'which are given' 202
D1=$(jq -r .volume.id answer)
ok 'and become available' becomes "${AT[volumev2]}/volumes/$D1" '.volume.status == "available"'
api GET "${AT[volumev2]}/limits"
answers 'there are no limits to ask for' 404
api POST "${AT[compute]}/servers/$S1/os-volume_attachments" "{\"volumeAttachment\": {\"volumeId\": \"$D1\"}}"
answers 'it is attached' 200
ok 'and in use' becomes "${AT[volumev2]}/volumes/$D1" '.volume.status == "in-use" and .volume.availability_zone == "kr-pub-a"'

# ---- object storage: another tenant ----
INFRASTRUCTURE=$TOKEN
api GET "${AT[object-store]}"
answers 'the account of the servers is closed' 403
ok 'the tenant of the object store has a token of its own' v2_token "$OBJECTS" nhn-a-objects nhn-a-objects-pw
api HEAD "${AT[object-store]}" '' -I
answers 'a HEAD of the account is 200, not 204' 200
api PUT "${AT[object-store]}/box" '' -H 'X-Storage-Policy: Standard'
answers 'a container is made' 201
api POST "${AT[object-store]}/box" '' -H 'X-Container-Meta-Quota-Bytes: 5'
api PUT "${AT[object-store]}/box/a" 0123456789
answers 'a quota of it is not honoured' 201
api HEAD "${AT[object-store]}/box" '' -I
ok 'nor told' test -z "$(header X-Container-Meta-Quota-Bytes)"
api DELETE "${AT[object-store]}/box/a"
api DELETE "${AT[object-store]}/box"

# ---- NAS ----
TOKEN=$INFRASTRUCTURE
nas() { jq -nc --arg n "$1" --argjson s "$2" --arg sub "$SUBNET" '{volume: {name: $n, sizeGb: $s, mountProtocol: {protocol: "nfs"}, interfaces: [{subnetId: $sub}], acl: ["192.168.0.0/24"]}}'; }
for size in 200 350 10100 '"300"'; do
    api POST "${AT[nasv1]}/volumes" "$(nas bad "$size")"
    answers "a NAS volume of $size GB is none" 400
    is 'which the header says too' '.header | .isSuccessful == false and .resultCode == 400'
done
api POST "${AT[nasv1]}/volumes" "$(nas n1 10000)"
answers 'a NAS volume is made' 201
is 'its interface is being built' '.volume.interfaces[0] | .status == "BUILDING" and .path == null'
N1=$(jq -r .volume.id answer)
ok 'until it has a path' becomes "${AT[nasv1]}/volumes/$N1" '.volume.interfaces[0] | .status == "ACTIVE" and (.path | test("^[0-9.]+:/n1$"))'
api PUT "${AT[nasv1]%/v1}/lab/usage/$N1" '{"usedGb": 12}'
api GET "${AT[nasv1]}/volumes/$N1/usage"
is 'its usage is whole GB' '.header.isSuccessful and .usage.usedGb == 12'
api PATCH "${AT[nasv1]}/volumes/$N1" '{"volume": {"sizeGb": 300}}'
is 'it shrinks too' '.volume.sizeGb == 300'
for n in 2 3 4; do api POST "${AT[nasv1]}/volumes" "$(nas "n$n" 10000)"; done
answers 'a project has 30 TB' 400
api GET "${AT[nasv1]}/volumes?limit=2&page=2"
is 'pages are counted' '.paging == {limit: 2, page: 2, totalCount: 3} and (.volumes | length == 1)'

# ---- tokens end, the proxy comes back, v3 ----
kill "$PROXY" && wait "$PROXY" || true
proxy --identity v3 --token-seconds 2
api POST "$IDENTITY/v2.0/tokens" "$(v2_body "$TENANT" nhn-a nhn-a-pw)"
answers 'an account that has v3 only is unknown to v2.0' 401
is 'in words of its own' '.error.message == "Could not find user"'
admin
api GET "$KEYSTONE/v3/users?name=nhn-a"
user=$(jq -r '.users[0].id' answer)
TOKEN=
api POST "$IDENTITY/v3/auth/tokens" "{\"auth\": {\"identity\": {\"methods\": [\"password\"], \"password\": {\"user\": {\"id\": \"$user\", \"password\": \"nhn-a-pw\"}}}, \"scope\": {\"project\": {\"id\": \"$TENANT\"}}}}"
answers 'v3 takes a user id without a domain' 201
TOKEN=$(header X-Subject-Token)
AT[compute]=$(jq -r '.token.catalog[] | select(.type == "compute").endpoints[0].url' answer)
NAS=$(jq -r '.token.catalog[] | select(.type == "nasv1").endpoints[0].url' answer)
api GET "$NAS/volumes/$N1"
is 'NAS outlives the proxy' '.volume.sizeGb == 300'
api GET "${AT[compute]}/servers"
answers 'the token is good' 200
sleep 2.1
api GET "${AT[compute]}/servers"
answers 'until it ends' 401
TOKEN=$FIRST
api GET "${AT[compute]}/servers"
answers 'one of before the start is not known' 401
ok 'every request was noted' test "$(jq -s 'map(select(.service == "compute" and .status == 403)) | length > 0' requests)" = true
ok 'no password is in the notes' eval '! grep -q nhn-a-pw requests proxy.log'
ok 'and the proxy met nothing unforeseen' test ! -s proxy.log
